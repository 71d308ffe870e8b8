//! The file of a vault: what of it is in clear, and what is encrypted under the master key.

use super::master_key::MasterKey;
use crate::error::{Class, Failure};
use crate::hex;
use crate::privacy::shown_path;
use crate::secret_file::check_private;
use crate::vault::random;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ledger::secret::{Pepper, PepperId, Pseudonym, SealingKey};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use zeroize::Zeroizing;

const FORMAT: &str = "activation-ledger vault";
const VERSION: u32 = 2;
const OWNER_LENGTH_BYTES: usize = 16;
const KEY_LENGTH_BYTES: usize = 32;
const PAIR_LENGTH_BYTES: usize = OWNER_LENGTH_BYTES + KEY_LENGTH_BYTES;

/// The file's content. What is in clear says whose vault it is and which key opens it, and is
/// authenticated with what is encrypted. Storage contract: the names.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: String,
    version: u32,
    store: String,
    pepper: String,
    master_key: String,
    nonce: String,
    encrypted: String,
}

/// What can be read of a vault without its master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The store that it belongs to.
    pub store_id: [u8; 16],
    /// The pepper that it holds.
    pub pepper: PepperId,
    /// The master key that opens it.
    pub master_key: String,
}

/// What is encrypted.
pub struct Content {
    /// The pepper.
    pub pepper: Pepper,
    /// The sealing keys.
    pub keys: BTreeMap<Pseudonym, SealingKey>,
    /// Whose keys were destroyed and are never made again.
    pub erased: BTreeSet<Pseudonym>,
}

impl Stored {
    fn aad(&self) -> Vec<u8> {
        let parts = [&self.format, &self.store, &self.pepper, &self.master_key];
        let parts = parts.map(|part| part.as_bytes().to_vec());
        [&parts.concat()[..], &self.version.to_le_bytes()].concat()
    }
}

fn what(path: &Path) -> String {
    format!("cannot open the vault {}", shown_path(path))
}

fn broken(path: &Path, why: &str) -> Failure {
    let hint = "put the vault back from a copy; the file was left as it is";
    Failure::new(what(path), why, hint).class(Class::IntegrityBroken)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::NotFound => Failure::new(
            what(path),
            "the file is missing",
            "put it back from a copy, or say where it is with --vault or ACTL_VAULT; if it is lost, `actl vault init` makes another one from its pepper; until then keys and persons cannot be recognised or revealed, and everything else works",
        ),
        _ => Failure::new(what(path), error.to_string(), "check its permissions"),
    }
}

/// A vault's file that was read and not opened yet.
pub struct Closed {
    stored: Stored,
    /// What is in clear.
    pub label: Label,
}

/// Reads the file of a vault. Refused: a missing file, a file that others than its owner may read or
/// write, a file that is no whole vault. Nothing is changed. Costs its size.
pub fn read(path: &Path) -> Result<Closed, Failure> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    check_private(&metadata, &what(path), "the keys")?;
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    if bytes.is_empty() {
        return Err(broken(path, "the file is empty"));
    }
    let stored: Stored = serde_json::from_slice(&bytes).map_err(|error| {
        let cut = error.is_eof();
        broken(
            path,
            if cut {
                "the file is cut off"
            } else {
                "the file is no vault"
            },
        )
    })?;
    if stored.format != FORMAT {
        return Err(broken(path, "the file is no vault"));
    }
    if stored.version != VERSION {
        let why = format!(
            "its version is {}, this program knows {VERSION}",
            stored.version
        );
        let hint = "use the version of actl that wrote it";
        return Err(Failure::new(what(path), why, hint));
    }
    let label = hex::read(&stored.store).zip(PepperId::parse(&stored.pepper));
    let (store_id, pepper) = label.ok_or_else(|| broken(path, "its head is damaged"))?;
    let label = Label {
        store_id,
        pepper,
        master_key: stored.master_key.clone(),
    };
    Ok(Closed { stored, label })
}

impl Closed {
    /// Opens it. A byte that is not as it was written is noticed.
    pub fn open(&self, path: &Path, key: &MasterKey) -> Result<Content, Failure> {
        let damaged = || broken(path, "the file is damaged");
        let nonce: [u8; 24] = hex::read(&self.stored.nonce).ok_or_else(damaged)?;
        let encrypted = hex::read_all(&self.stored.encrypted).ok_or_else(damaged)?;
        let cipher = XChaCha20Poly1305::new((&*key.vault_key()).into());
        let input = Payload {
            msg: &encrypted,
            aad: &self.stored.aad(),
        };
        let plain = cipher.decrypt(&XNonce::from(nonce), input);
        let plain = Zeroizing::new(plain.map_err(|_| damaged())?);
        decoded(&plain).ok_or_else(damaged)
    }
}

/// The file's bytes, under a nonce that was never used.
pub fn write(label: &Label, content: &Content, key: &MasterKey) -> Result<Vec<u8>, Failure> {
    let mut stored = Stored {
        format: FORMAT.to_owned(),
        version: VERSION,
        store: hex::write(&label.store_id),
        pepper: label.pepper.to_string(),
        master_key: key.id(),
        nonce: String::new(),
        encrypted: String::new(),
    };
    let nonce: [u8; 24] = random()?;
    let plain = encoded(content);
    let cipher = XChaCha20Poly1305::new((&*key.vault_key()).into());
    let input = Payload {
        msg: &plain,
        aad: &stored.aad(),
    };
    let encrypted = cipher.encrypt(&XNonce::from(nonce), input);
    let failed = |why: String| {
        let hint = "this is a mistake in the program; please report it";
        Failure::new("cannot encrypt the vault", why, hint)
    };
    stored.nonce = hex::write(&nonce);
    stored.encrypted = hex::write(&encrypted.map_err(|error| failed(error.to_string()))?);
    let bytes = serde_json::to_vec(&stored);
    let mut bytes = bytes.map_err(|error| failed(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The pepper, the number of keys, each with its owner, and whose keys were destroyed.
fn encoded(content: &Content) -> Zeroizing<Vec<u8>> {
    let length = KEY_LENGTH_BYTES
        + 8
        + content.keys.len() * PAIR_LENGTH_BYTES
        + content.erased.len() * OWNER_LENGTH_BYTES;
    // Made as long as it gets, so that no copy of it is left behind where it grew.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    bytes.extend_from_slice(content.pepper.expose());
    bytes.extend_from_slice(&(content.keys.len() as u64).to_le_bytes());
    for (owner, key) in &content.keys {
        bytes.extend_from_slice(owner);
        bytes.extend_from_slice(key.expose());
    }
    for owner in &content.erased {
        bytes.extend_from_slice(owner);
    }
    bytes
}

fn decoded(bytes: &[u8]) -> Option<Content> {
    let (pepper, rest) = bytes.split_first_chunk::<KEY_LENGTH_BYTES>()?;
    let (count, rest) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*count)).ok()?;
    let (pairs, erased) = rest.split_at_checked(length.checked_mul(PAIR_LENGTH_BYTES)?)?;
    let (pairs, _) = pairs.as_chunks::<PAIR_LENGTH_BYTES>();
    let keys = pairs.iter().map(|pair| {
        let (owner, key) = pair.split_first_chunk::<OWNER_LENGTH_BYTES>()?;
        Some((*owner, SealingKey::new(*key.first_chunk()?)))
    });
    let (erased, rest) = erased.as_chunks::<OWNER_LENGTH_BYTES>();
    rest.is_empty().then_some(())?;
    Some(Content {
        pepper: Pepper::new(*pepper),
        keys: keys.collect::<Option<_>>()?,
        erased: erased.iter().copied().collect(),
    })
}
