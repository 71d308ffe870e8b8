//! The vault: the pepper and the sealing keys of a ledger, in a file of its own beside the store.
//!
//! Whoever has the store alone can read no activation key, person, machine or address. The vault is
//! encrypted under a master key, which comes from another file or the environment; whoever has both
//! can open the sealed fields. The file is readable by its owner only, and a vault that others can read
//! is refused. It is replaced as a whole: temporary file, sync, rename, sync of the directory. New keys
//! have to be saved before the first event that is sealed with one of them is appended, because such an
//! event could otherwise never be opened. A key that was destroyed is never made again.
//!
//! A copy of the pepper lies beside it, a vault without keys that changes with the master key only. If the
//! vault is lost, another one is made from that: the names are gone, and everything else goes on.

pub mod file;
pub mod master_key;

use crate::error::Failure;
use crate::privacy::shown_path;
use crate::secret_file::{create, directory_of};
use file::{Content, Label};
use ledger::secret::{Keyring, Pepper, PepperId, Pseudonym, SealingKey};
use master_key::{KeySource, MasterKey};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const OWNER_MODE: u32 = 0o600;

/// An open vault. Dropping it saves nothing.
pub struct Vault {
    path: PathBuf,
    source: KeySource,
    /// `None` until a draft is made.
    master_key: Option<MasterKey>,
    store_id: [u8; 16],
    content: Content,
    unsaved: bool,
    /// Set when the operating system gave no randomness: nothing may be appended then.
    starved: bool,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pepper = &self.content.pepper;
        write!(f, "Vault({pepper:?}, {} keys)", self.key_count())
    }
}

/// Where the vault of a store is, if nothing else is said: `STORE.vault`.
pub fn path_beside(store: &Path) -> PathBuf {
    let mut name = store
        .file_name()
        .map_or_else(|| OsString::from("store"), OsString::from);
    name.push(".vault");
    store.with_file_name(name)
}

/// A file beside a vault, whose extension is in the place of `.vault`.
fn beside(vault: &Path, extension: &str) -> PathBuf {
    let is_vault = vault.extension().is_some_and(|known| known == "vault");
    let name = if is_vault {
        vault.file_stem()
    } else {
        vault.file_name()
    };
    let mut name = name.map(OsString::from).unwrap_or_default();
    name.push(extension);
    vault.with_file_name(name)
}

/// Where the copy of a vault's pepper is: beside it, `.pepper` in the place of `.vault`.
pub fn pepper_beside(vault: &Path) -> PathBuf {
    beside(vault, ".pepper")
}

/// Random bytes of the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        let why = format!("the operating system gave no random bytes: {error}");
        Failure::new(
            "cannot make a secret",
            why,
            "try again; nothing was changed",
        )
    })?;
    Ok(bytes)
}

impl Vault {
    /// A vault with a new pepper and a new store id, not saved yet. `path` need not exist.
    pub fn draft(path: &Path, source: KeySource) -> Result<Self, Failure> {
        Ok(Self {
            path: path.to_owned(),
            source,
            master_key: None,
            store_id: random()?,
            content: Content {
                pepper: Pepper::new(random()?),
                keys: BTreeMap::new(),
                erased: BTreeSet::new(),
            },
            unsaved: true,
            starved: false,
        })
    }

    /// Opens the vault at a path with the master key of a source. Refused: a missing file, a file that
    /// others than its owner may read or write, a file that is no whole vault, the wrong master key.
    /// Nothing is changed. Costs its size.
    pub fn open(path: &Path, source: KeySource) -> Result<Self, Failure> {
        let closed = file::read(path)?;
        let key = source.read(Some(&closed.label.master_key))?;
        let content = closed.open(path, &key)?;
        Ok(Self {
            path: path.to_owned(),
            source,
            master_key: Some(key),
            store_id: closed.label.store_id,
            content,
            unsaved: false,
            starved: false,
        })
    }

    /// Makes a lost vault again from the copy of its pepper, for the store of this id and pepper. It holds no
    /// keys: what was sealed cannot be opened any more, and what is sealed from now on can. Refused if there
    /// is a vault.
    pub fn regain(
        path: &Path,
        source: KeySource,
        store_id: [u8; 16],
        pepper: PepperId,
    ) -> Result<Self, Failure> {
        let mut vault = Self::open(&pepper_beside(path), source)?;
        vault.check_store(store_id, pepper)?;
        vault.path = path.to_owned();
        let content = vault.bytes()?;
        create(path, &content).map_err(|error| vault.not_saved(&error))?;
        Ok(vault)
    }

    /// The id of the store that this vault belongs to.
    pub fn store_id(&self) -> [u8; 16] {
        self.store_id
    }

    /// How many sealing keys it holds.
    pub fn key_count(&self) -> usize {
        self.content.keys.len()
    }

    /// How many keys were destroyed.
    pub fn erased_count(&self) -> usize {
        self.content.erased.len()
    }

    /// Where its master key comes from.
    pub fn source(&self) -> &KeySource {
        &self.source
    }

    /// Checks that this is the vault of a store, by the id and the pepper in the store's manifest.
    pub fn check_store(&self, store_id: [u8; 16], pepper: PepperId) -> Result<(), Failure> {
        if self.store_id == store_id && self.content.pepper.id() == pepper {
            return Ok(());
        }
        Err(Failure::new(
            format!("cannot use the vault {}", shown_path(&self.path)),
            "it belongs to another store",
            "give the vault that was made with this store with --vault; nothing was changed",
        ))
    }

    /// Makes the keys of all these owners that have none yet, so that one save covers an import.
    pub fn make_keys(&mut self, owners: impl IntoIterator<Item = Pseudonym>) {
        for owner in owners {
            self.sealing_key(owner);
        }
    }

    /// Destroys the keys of these owners and remembers that they are never made again; to be saved.
    /// Returns how many keys there were.
    pub fn destroy(&mut self, owners: &BTreeSet<Pseudonym>) -> usize {
        let mut destroyed = 0;
        for owner in owners {
            destroyed += usize::from(self.content.keys.remove(owner).is_some());
            self.unsaved |= self.content.erased.insert(*owner);
        }
        self.unsaved |= destroyed > 0;
        destroyed
    }

    /// Writes a new vault, and its master key where that is a file that is not there; refused if the
    /// vault exists. Says whether the master key was made.
    pub fn create(&mut self) -> Result<bool, Failure> {
        let (key, is_new) = self.source.read_or_make()?;
        self.master_key = Some(key);
        if fs::symlink_metadata(&self.path).is_err() {
            self.has_pepper()?;
        }
        let content = self.bytes()?;
        create(&self.path, &content).map_err(|error| self.not_saved(&error))?;
        self.unsaved = false;
        self.keep_pepper()?;
        Ok(is_new)
    }

    /// Removes a vault that no store was made with, and the copy of its pepper.
    pub fn discard(&self) {
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(pepper_beside(&self.path));
    }

    /// Whether the copy of the pepper is there, under the present master key. Refused if it is the pepper of
    /// another store.
    fn has_pepper(&self) -> Result<bool, Failure> {
        let path = pepper_beside(&self.path);
        if fs::symlink_metadata(&path).is_err() {
            return Ok(false);
        }
        let (known, own) = (file::read(&path)?.label, self.label()?);
        if (known.store_id, known.pepper) != (own.store_id, own.pepper) {
            return Err(Failure::new(
                format!("cannot keep the pepper in {}", shown_path(&path)),
                "the file is of another store",
                "move it away if that store is gone, or give another --vault or --store",
            ));
        }
        Ok(known == own)
    }

    /// Writes the copy of the pepper, unless it is there.
    fn keep_pepper(&self) -> Result<(), Failure> {
        if self.has_pepper()? {
            return Ok(());
        }
        let content = Content {
            pepper: self.content.pepper.clone(),
            keys: BTreeMap::new(),
            erased: BTreeSet::new(),
        };
        let bytes = file::write(&self.label()?, &content, self.known_master_key()?)?;
        let written = write_over(&pepper_beside(&self.path), &bytes);
        written.map_err(|error| self.not_saved(&error))
    }

    /// Makes new keys durable; does nothing if there are none.
    pub fn save(&mut self) -> Result<(), Failure> {
        if self.starved {
            let why = "the operating system gave no random bytes";
            let hint = "start the command again; nothing was appended with these keys";
            return Err(Failure::new("cannot make a secret", why, hint));
        }
        if !self.unsaved {
            return Ok(());
        }
        let content = self.bytes()?;
        let written = write_over(&self.path, &content);
        written.map_err(|error| self.not_saved(&error))?;
        self.unsaved = false;
        self.keep_pepper()
    }

    /// Encrypts the vault under a new master key, which is durable before. The log is not touched. `to`
    /// is where the new key goes, if not into the place of the old one.
    pub fn rotate(&mut self, to: Option<&Path>) -> Result<String, Failure> {
        let key = self.source.prepare_next(to)?;
        let id = key.id();
        self.master_key = Some(key);
        self.unsaved = true;
        self.save()?;
        self.source.finish_next(to)?;
        Ok(id)
    }

    fn not_saved(&self, error: &std::io::Error) -> Failure {
        let hint = match error.kind() {
            ErrorKind::AlreadyExists => "a vault is there already: give another --vault or --store",
            ErrorKind::NotFound => "make its directory first, or give another --store",
            _ => "check the space and the permissions of its directory; the old vault is unchanged",
        };
        let what = format!("cannot save the vault {}", shown_path(&self.path));
        Failure::new(what, error.to_string(), hint)
    }

    fn bytes(&self) -> Result<Vec<u8>, Failure> {
        file::write(&self.label()?, &self.content, self.known_master_key()?)
    }

    fn label(&self) -> Result<Label, Failure> {
        Ok(Label {
            store_id: self.store_id,
            pepper: self.content.pepper.id(),
            master_key: self.known_master_key()?.id(),
        })
    }

    fn known_master_key(&self) -> Result<&MasterKey, Failure> {
        self.master_key.as_ref().ok_or_else(|| {
            let hint = "this is a mistake in the program; please report it";
            Failure::new("cannot save the vault", "it has no master key", hint)
        })
    }
}

/// Replaces a file as a whole. Whoever holds the store is alone, so the temporary file has one name, and
/// what a killed process left of it goes away with the next save.
fn write_over(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    let temporary = path.with_file_name(name);
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(OWNER_MODE);
    let mut file = options.open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(directory_of(path))?.sync_all()
}

impl Keyring for Vault {
    fn pepper(&self) -> Pepper {
        self.content.pepper.clone()
    }

    fn sealing_key(&mut self, owner: Pseudonym) -> Option<SealingKey> {
        if let Some(key) = self.content.keys.get(&owner) {
            return Some(key.clone());
        }
        if self.content.erased.contains(&owner) {
            return None;
        }
        let Ok(key) = random().map(|bytes| SealingKey::new(*Zeroizing::new(bytes))) else {
            self.starved = true;
            return None;
        };
        self.content.keys.insert(owner, key.clone());
        self.unsaved = true;
        Some(key)
    }

    fn opening_key(&self, owner: Pseudonym) -> Option<SealingKey> {
        self.content.keys.get(&owner).cloned()
    }
}

#[cfg(test)]
mod tests;
