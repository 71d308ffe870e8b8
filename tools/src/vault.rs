//! The vault: the pepper and the sealing keys of a ledger, in a file of its own beside the store.
//!
//! Whoever has the store alone can read no activation key, person, machine or address; whoever has
//! the vault as well can open the sealed fields. The file is readable by its owner only, and a vault
//! that others can read is refused. It is replaced as a whole: temporary file, sync, rename, sync of
//! the directory. New keys have to be saved before the first event that is sealed with one of them
//! is appended, because such an event could otherwise never be opened.

use crate::error::{Class, Failure};
use crate::hex;
use crate::privacy::shown_path;
use crate::secret_file::{check_private, create, directory_of};
use ledger::secret::{Keyring, Pepper, PepperId, Pseudonym, SealingKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const FORMAT: &str = "activation-ledger vault";
const VERSION: u32 = 1;
const OWNER_MODE: u32 = 0o600;

/// The file's content. Storage contract: the names.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: String,
    version: u32,
    store: String,
    pepper: String,
    sealing_keys: BTreeMap<String, String>,
}

/// An open vault. Dropping it saves nothing.
pub struct Vault {
    path: PathBuf,
    store_id: [u8; 16],
    pepper: Pepper,
    keys: BTreeMap<Pseudonym, SealingKey>,
    unsaved: bool,
    /// Set when the operating system gave no randomness: nothing may be appended then.
    starved: bool,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({:?}, {} keys)", self.pepper, self.keys.len())
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
    pub fn draft(path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            path: path.to_owned(),
            store_id: random()?,
            pepper: Pepper::new(random()?),
            keys: BTreeMap::new(),
            unsaved: true,
            starved: false,
        })
    }

    /// Opens the vault at a path. Refused: a missing file, a file that others than its owner may
    /// read or write, a file that is no whole vault. Nothing is changed. Costs its size.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let what = || format!("cannot open the vault {}", shown_path(path));
        let broken = |why: &str| {
            let hint = "put the vault back from a copy; the file was left as it is";
            Failure::new(what(), why, hint).class(Class::IntegrityBroken)
        };
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        check_private(&metadata, &what(), "the keys")?;
        let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
        if bytes.is_empty() {
            return Err(broken("the file is empty"));
        }
        let stored: Stored = serde_json::from_slice(&bytes).map_err(|error| {
            // The parser's own words could repeat a secret of the file.
            let cut = error.is_eof();
            broken(if cut {
                "the file is cut off"
            } else {
                "the file is no vault"
            })
        })?;
        if stored.format != FORMAT {
            return Err(broken("the file is no vault"));
        }
        if stored.version != VERSION {
            let why = format!(
                "its version is {}, this program knows {VERSION}",
                stored.version
            );
            return Err(Failure::new(
                what(),
                why,
                "use the version of actl that wrote it",
            ));
        }
        Self::from_stored(path, &stored).ok_or_else(|| broken("a key in the file is damaged"))
    }

    fn from_stored(path: &Path, stored: &Stored) -> Option<Self> {
        let keys = stored
            .sealing_keys
            .iter()
            .map(|(owner, key)| Some((hex::read(owner)?, SealingKey(hex::read(key)?))));
        Some(Self {
            path: path.to_owned(),
            store_id: hex::read(&stored.store)?,
            pepper: Pepper::new(hex::read(&stored.pepper)?),
            keys: keys.collect::<Option<_>>()?,
            unsaved: false,
            starved: false,
        })
    }

    /// The id of the store that this vault belongs to.
    pub fn store_id(&self) -> [u8; 16] {
        self.store_id
    }

    /// How many sealing keys it holds.
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// Checks that this is the vault of a store, by the id and the pepper in the store's manifest.
    pub fn check_store(&self, store_id: [u8; 16], pepper: PepperId) -> Result<(), Failure> {
        if self.store_id == store_id && self.pepper.id() == pepper {
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

    /// Writes a new vault; refused if the file exists.
    pub fn create(&mut self) -> Result<(), Failure> {
        self.replace(false)
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
        self.replace(true)
    }

    fn replace(&mut self, over: bool) -> Result<(), Failure> {
        let written = match over {
            true => self.write_over(),
            false => self
                .content()
                .and_then(|content| create(&self.path, &content)),
        };
        written.map_err(|error| {
            let hint = match error.kind() {
                ErrorKind::AlreadyExists => {
                    "a vault is there already: give another --vault or --store"
                }
                ErrorKind::NotFound => "make its directory first, or give another --store",
                _ => "check the space and the permissions of its directory; the old vault is unchanged",
            };
            Failure::new(
                format!("cannot save the vault {}", shown_path(&self.path)),
                error.to_string(),
                hint,
            )
        })?;
        self.unsaved = false;
        Ok(())
    }

    /// Whoever holds the store is alone, so the temporary file has one name, and what a killed
    /// process left of it, with keys in it, goes away with the next save.
    fn write_over(&self) -> std::io::Result<()> {
        let mut name = OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(".new");
        let temporary = self.path.with_file_name(name);
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(OWNER_MODE);
        let mut file = options.open(&temporary)?;
        file.write_all(&self.content()?)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        File::open(directory_of(&self.path))?.sync_all()
    }

    fn content(&self) -> std::io::Result<Vec<u8>> {
        let mut content = serde_json::to_vec(&self.stored())?;
        content.push(b'\n');
        Ok(content)
    }

    fn stored(&self) -> Stored {
        let keys = self.keys.iter();
        Stored {
            format: FORMAT.to_owned(),
            version: VERSION,
            store: hex::write(&self.store_id),
            pepper: hex::write(self.pepper.expose()),
            sealing_keys: keys
                .map(|(owner, key)| (hex::write(owner), hex::write(&key.0)))
                .collect(),
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("cannot open the vault {}", shown_path(path));
    match error.kind() {
        ErrorKind::NotFound => Failure::new(
            what,
            "the file is missing",
            "put it back from a copy, or say where it is with --vault or ACTL_VAULT; without it keys and persons cannot be recognised",
        ),
        _ => Failure::new(what, error.to_string(), "check its permissions"),
    }
}

impl Keyring for Vault {
    fn pepper(&self) -> Pepper {
        self.pepper
    }

    fn sealing_key(&mut self, owner: Pseudonym) -> Option<SealingKey> {
        if let Some(key) = self.keys.get(&owner) {
            return Some(*key);
        }
        let Ok(key) = random().map(SealingKey) else {
            self.starved = true;
            return None;
        };
        self.keys.insert(owner, key);
        self.unsaved = true;
        Some(key)
    }
}

#[cfg(test)]
mod tests;
