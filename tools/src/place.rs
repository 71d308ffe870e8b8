//! Where the store and its vault are: opening both, and making both when there are none.

use crate::clock::SystemClock;
use crate::error::{Class, Failure};
use crate::output::note;
use crate::privacy::shown_path;
use crate::vault::{Vault, path_beside};
use ledger::secret::{Keyring, PepperId};
use ledger::store::{AppendError, NewStore, Store, StoreError};
use ledger::time::Clock;
use std::fs;
use std::path::{Path, PathBuf};

/// The paths of a store and its vault.
#[derive(Debug, Clone)]
pub struct Place {
    store: PathBuf,
    vault: PathBuf,
}

/// A store together with its vault.
pub struct Open {
    /// The store.
    pub store: Store,
    /// Its vault.
    pub vault: Vault,
}

/// A store that is there, or the vault of one that is going to be made.
pub enum Prepared {
    /// It is there.
    Open(Box<Open>),
    /// It is made by [`Place::make`].
    New(Box<Vault>),
}

impl Prepared {
    /// The keys of the ledger.
    pub fn vault(&self) -> &Vault {
        match self {
            Self::Open(open) => &open.vault,
            Self::New(vault) => vault,
        }
    }
}

impl Place {
    /// The place of a store; its vault is beside it unless another path is given.
    pub fn new(store: PathBuf, vault: Option<PathBuf>) -> Self {
        let vault = vault.unwrap_or_else(|| path_beside(&store));
        Self { store, vault }
    }

    /// The path of the store.
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// Opens the store alone: for what needs no secret.
    pub fn open_store(&self) -> Result<Store, Failure> {
        let store = Store::open(&self.store, Box::new(SystemClock));
        store.map_err(|error| self.cannot_open(&error))
    }

    /// Ends the work with a store that was written to.
    pub fn close(&self, store: Store) -> Result<(), Failure> {
        let what = format!("cannot close the store {}", shown_path(&self.store));
        store.close().map_err(|error| store_failure(what, &error))
    }

    /// Opens the vault of an open store.
    pub fn open_vault(&self, store: &Store) -> Result<Vault, Failure> {
        let vault = Vault::open(&self.vault)?;
        let description = store.description();
        vault.check_store(description.store_id, pepper_of(store)?)?;
        Ok(vault)
    }

    /// Opens the store with its vault, or prepares to make both if there is no store. Writes nothing.
    pub fn prepare(&self) -> Result<Prepared, Failure> {
        if fs::symlink_metadata(&self.store).is_ok() {
            let store = self.open_store()?;
            let vault = self.open_vault(&store)?;
            return Ok(Prepared::Open(Box::new(Open { store, vault })));
        }
        let parent = self.store.parent().filter(|p| !p.as_os_str().is_empty());
        if parent.is_some_and(|parent| !parent.is_dir()) {
            return Err(Failure::new(
                format!("cannot make the store {}", shown_path(&self.store)),
                "the folder that it should lie in does not exist",
                "make that folder first, or give another --store",
            ));
        }
        if fs::symlink_metadata(&self.vault).is_err() {
            return Vault::draft(&self.vault).map(|vault| Prepared::New(Box::new(vault)));
        }
        let vault = Vault::open(&self.vault)?;
        if vault.key_count() > 0 {
            return Err(Failure::new(
                format!("cannot make the store {}", shown_path(&self.store)),
                format!(
                    "there is no store, but its vault {} was used",
                    shown_path(&self.vault)
                ),
                "put the store back from a copy, or give another --store and --vault to begin anew",
            ));
        }
        // The remains of a creation that was interrupted: its secrets protect nothing yet.
        Ok(Prepared::New(Box::new(vault)))
    }

    /// Makes the store that was prepared, unless it is there, and says so. The vault is durable
    /// before the store exists.
    pub fn make(&self, prepared: Prepared) -> Result<Open, Failure> {
        let mut vault = match prepared {
            Prepared::Open(open) => return Ok(*open),
            Prepared::New(vault) => *vault,
        };
        let fresh = fs::symlink_metadata(&self.vault).is_err();
        if fresh {
            vault.create()?;
        }
        let new = NewStore {
            engine: ledger::store::DEFAULT_ENGINE,
            pepper: vault.pepper().id(),
            store_id: vault.store_id(),
            created_at: SystemClock.now(),
        };
        let store = Store::create(&self.store, new, Box::new(SystemClock)).map_err(|error| {
            if fresh {
                // It is this process's own and no store was ever made with it.
                let _ = fs::remove_file(&self.vault);
            }
            store_failure(
                format!("cannot make the store {}", shown_path(&self.store)),
                &error,
            )
        })?;
        note(&format!("made the store {}", shown_path(&self.store)));
        note(&format!(
            "made its vault {}: keep a copy of it apart from the store",
            shown_path(&self.vault)
        ));
        Ok(Open { store, vault })
    }

    fn cannot_open(&self, error: &StoreError) -> Failure {
        let failure = store_failure(
            format!("cannot open the store {}", shown_path(&self.store)),
            error,
        );
        match error {
            StoreError::Missing { .. } => Failure {
                hint: "check --store or ACTL_STORE; `actl import` and `actl append` make a store"
                    .to_owned(),
                ..failure
            },
            _ => failure,
        }
    }
}

/// The pepper that the pseudonyms of a store are keyed with.
pub fn pepper_of(store: &Store) -> Result<PepperId, Failure> {
    store.description().pepper.ok_or_else(|| {
        let hint = "this is a mistake in the program; please report it";
        Failure::new("cannot read the store", "it does not say its pepper", hint)
    })
}

/// An error of the store as people see it.
pub fn store_failure(what: impl Into<String>, error: &StoreError) -> Failure {
    let class = match error.is_damage() {
        true => Class::IntegrityBroken,
        false => Class::CouldNotRun,
    };
    Failure::new(what, error.to_string(), error.hint()).class(class)
}

/// An error of reading from an open store.
pub fn read_failure(error: &StoreError) -> Failure {
    store_failure("cannot read the store", error)
}

/// An error of an append as people see it.
pub fn append_failure(what: impl Into<String>, error: &AppendError) -> Failure {
    let class = match error {
        AppendError::NotAppended(error) if error.is_damage() => Class::IntegrityBroken,
        error if error.is_conflict() => Class::Refused,
        _ => Class::CouldNotRun,
    };
    Failure::new(what, error.to_string(), error.hint()).class(class)
}
