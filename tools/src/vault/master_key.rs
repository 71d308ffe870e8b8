//! The master key: what the vault is encrypted under, from a file or the environment.

use crate::error::{Class, Failure};
use crate::hex;
use crate::privacy::shown_path;
use crate::secret_file::{check_private, create};
use crate::vault::random;
use secrecy::{ExposeSecret, SecretBox};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The variable that holds the master key itself, as 64 hexadecimal digits.
pub const VARIABLE: &str = "ACTL_MASTER_KEY";

/// 32 secret bytes. They are neither printed nor serialised, and wiped when they are dropped.
pub struct MasterKey(SecretBox<[u8; 32]>);

impl MasterKey {
    fn new(bytes: &[u8; 32]) -> Self {
        let set = |to: &mut [u8; 32]| *to = *bytes;
        Self(SecretBox::init_with_mut(set))
    }

    /// A new one, of the operating system.
    pub fn made() -> Result<Self, Failure> {
        Ok(Self::new(&Zeroizing::new(random()?)))
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = hex::read(text.trim())?;
        Some(Self::new(&Zeroizing::new(bytes)))
    }

    /// Its public name: tells a wrong key from a damaged vault.
    pub fn id(&self) -> String {
        let id = blake3::derive_key(
            "activation-ledger 2026 master key id",
            self.0.expose_secret(),
        );
        hex::write(id.first_chunk::<8>().unwrap_or(&[0; 8]))
    }

    /// The key that encrypts the vault.
    pub fn vault_key(&self) -> Zeroizing<[u8; 32]> {
        let context = "activation-ledger 2026 vault encryption";
        Zeroizing::new(blake3::derive_key(context, self.0.expose_secret()))
    }

    fn text(&self) -> Zeroizing<String> {
        let digits = Zeroizing::new(hex::write(self.0.expose_secret()));
        Zeroizing::new(format!("{}\n", digits.as_str()))
    }
}

/// Where the master key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The environment variable [`VARIABLE`].
    Environment,
    /// A file.
    File(PathBuf),
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment => f.write_str(VARIABLE),
            Self::File(path) => f.write_str(&shown_path(path)),
        }
    }
}

/// Where the master key of a vault is, if nothing else is said: beside it, `.master-key` in the place
/// of `.vault`.
pub fn path_beside(vault: &Path) -> PathBuf {
    super::beside(vault, ".master-key")
}

/// Where a key waits while the vault is being encrypted anew under it.
fn coming(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".new");
    path.with_file_name(name)
}

impl KeySource {
    /// The source for a vault: the file that is given, else the environment, else the file beside it.
    pub fn of(vault: &Path, given: Option<PathBuf>) -> Self {
        match given {
            Some(path) => Self::File(path),
            None if std::env::var_os(VARIABLE).is_some() => Self::Environment,
            None => Self::File(path_beside(vault)),
        }
    }

    /// Whether it is the file beside the vault, which protects from nobody who has both.
    pub fn is_beside(&self, vault: &Path) -> bool {
        let folder = |path: &Path| fs::canonicalize(crate::secret_file::directory_of(path)).ok();
        match self {
            Self::Environment => false,
            Self::File(path) => folder(path) == folder(vault),
        }
    }

    fn what(&self) -> String {
        format!("cannot use the master key of {self}")
    }

    /// Reads it. `id` is the one that is wanted: after a rotation that was interrupted it may be the
    /// one that was coming, which then takes its place.
    pub fn read(&self, id: Option<&str>) -> Result<MasterKey, Failure> {
        let key = match self {
            Self::Environment => {
                let text = std::env::var(VARIABLE).unwrap_or_default();
                MasterKey::parse(&Zeroizing::new(text)).ok_or_else(|| {
                    let hint = "set it to 64 hexadecimal digits, or name a file with --master-key";
                    Failure::new(self.what(), "it is no master key", hint)
                })?
            }
            Self::File(path) => self.read_file(path)?,
        };
        let Some(id) = id.filter(|id| *id != key.id()) else {
            return Ok(key);
        };
        if let Self::File(path) = self
            && let Ok(next) = self.read_file(&coming(path))
            && next.id() == id
        {
            // The vault was encrypted under it already.
            let moved = fs::rename(coming(path), path);
            moved.map_err(|error| self.failed(&error))?;
            return Ok(next);
        }
        let why = format!(
            "it is the wrong key: the vault is encrypted under {id}, this one is {}",
            key.id()
        );
        let hint = "give the right one with --master-key or ACTL_MASTER_KEY; nothing was changed";
        Err(Failure::new(self.what(), why, hint))
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        match error.kind() {
            ErrorKind::NotFound => Failure::new(
                self.what(),
                "the file is missing",
                "put it back from a copy, say where it is with --master-key or ACTL_MASTER_KEY_FILE, or set ACTL_MASTER_KEY; without it the vault cannot be opened",
            ),
            _ => Failure::new(self.what(), error.to_string(), "check its permissions"),
        }
    }

    fn read_file(&self, path: &Path) -> Result<MasterKey, Failure> {
        let metadata = fs::metadata(path).map_err(|error| self.failed(&error))?;
        check_private(&metadata, &self.what(), "the key")?;
        let text = fs::read_to_string(path).map_err(|error| self.failed(&error))?;
        MasterKey::parse(&Zeroizing::new(text)).ok_or_else(|| {
            let hint = "put it back from a copy; the file was left as it is";
            let why = "the file holds no master key of 64 hexadecimal digits";
            Failure::new(self.what(), why, hint).class(Class::IntegrityBroken)
        })
    }

    /// Reads it, or makes it where it is a file that is not there. Says whether it was made.
    pub fn read_or_make(&self) -> Result<(MasterKey, bool), Failure> {
        let Self::File(path) = self else {
            return Ok((self.read(None)?, false));
        };
        if fs::symlink_metadata(path).is_ok() {
            return Ok((self.read(None)?, false));
        }
        let key = MasterKey::made()?;
        self.write(path, &key)?;
        Ok((key, true))
    }

    fn write(&self, path: &Path, key: &MasterKey) -> Result<(), Failure> {
        create(path, key.text().as_bytes()).map_err(|error| {
            let hint = match error.kind() {
                ErrorKind::AlreadyExists => "a file is there already: give another path",
                ErrorKind::NotFound => "make its directory first",
                _ => "check the space and the permissions of its directory",
            };
            let what = format!("cannot make the master key {}", shown_path(path));
            Failure::new(what, error.to_string(), hint)
        })
    }

    /// Makes a new key durable before the vault is encrypted under it: in a file of its own, or where
    /// it waits to replace the present one.
    pub fn prepare_next(&self, to: Option<&Path>) -> Result<MasterKey, Failure> {
        let path = match (to, self) {
            (Some(to), _) => to.to_owned(),
            (None, Self::File(path)) => {
                let path = coming(path);
                // The remains of a rotation that was interrupted before it changed anything.
                let _ = fs::remove_file(&path);
                path
            }
            (None, Self::Environment) => {
                let hint = "say with --to which file the new master key goes to";
                let why = format!("the present one is in {VARIABLE}, which cannot be changed");
                return Err(Failure::new("cannot make a new master key", why, hint));
            }
        };
        let key = MasterKey::made()?;
        self.write(&path, &key)?;
        Ok(key)
    }

    /// Puts the new key in the place of the old one, once the vault is encrypted under it.
    pub fn finish_next(&self, to: Option<&Path>) -> Result<(), Failure> {
        match (to, self) {
            (None, Self::File(path)) => {
                let moved = fs::rename(coming(path), path);
                moved.map_err(|error| self.failed(&error))
            }
            _ => Ok(()),
        }
    }
}
