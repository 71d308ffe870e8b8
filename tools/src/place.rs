//! Where the store and its vault are: opening both, and making both when there are none.

use crate::clock::SystemClock;
use crate::error::{Class, Failure};
use crate::output::note;
use crate::privacy::shown_path;
use crate::progress::Progress;
use crate::secret_file::check_private_folder;
use crate::signing;
use crate::vault::master_key::KeySource;
use crate::vault::{Vault, path_beside};
use ledger::id::Position;
use ledger::proof::{CheckpointFolder, Origin, SignerKey};
use ledger::secret::{Keyring, PepperId};
use ledger::store::{AppendError, DEFAULT_ENGINE, IntegrityError, NewStore, Store, StoreError};
use ledger::time::Clock;
use std::fs;
use std::path::{Path, PathBuf};

/// The file that makes a folder a store.
const MANIFEST: &str = "manifest";

/// The paths of a store and its vault.
#[derive(Debug, Clone)]
pub struct Place {
    store: PathBuf,
    vault: PathBuf,
    master_key: KeySource,
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
    /// The place of a store; its vault is beside it unless another path is given, and so is the master
    /// key of the vault unless it is in the environment.
    pub fn new(store: PathBuf, vault: Option<PathBuf>, master_key: Option<PathBuf>) -> Self {
        let vault = vault.unwrap_or_else(|| path_beside(&store));
        let master_key = KeySource::of(&vault, master_key);
        Self {
            store,
            vault,
            master_key,
        }
    }

    /// The path of the store.
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// The path of the vault.
    pub fn vault(&self) -> &Path {
        &self.vault
    }

    /// Where the master key of the vault comes from.
    pub fn master_key(&self) -> &KeySource {
        &self.master_key
    }

    /// The path of the signing key.
    pub fn signing_key(&self) -> PathBuf {
        signing::path_beside(&self.store)
    }

    /// Where the store keeps its checkpoints.
    pub fn checkpoints(&self) -> CheckpointFolder {
        CheckpointFolder::of(&self.store)
    }

    /// Opens the store alone: for what needs no secret. Waits until everything in it can be looked up,
    /// and says what opening it had to mend.
    pub fn open_store(&self) -> Result<Store, Failure> {
        let store = self.open_log()?;
        let mut progress = Progress::of_events("reading what is new", store.end().0);
        let ready = store.wait_for_index(&mut |done, _| progress.to(done.0));
        drop(progress);
        if let Some(rebuilt) = ready.map_err(|error| self.cannot_open(&error))? {
            note(&format!(
                "the index was built again from position {}: {}",
                rebuilt.kept.next(),
                rebuilt.reason
            ));
        }
        Ok(store)
    }

    /// Opens the store for what reads the log from one end to the other: nothing can be looked up
    /// in it yet.
    pub fn open_log(&self) -> Result<Store, Failure> {
        self.check_private()?;
        let store = Store::open(&self.store, Box::new(SystemClock));
        let store = store.map_err(|error| self.cannot_open(&error))?;
        if let Some(recovered) = store.recovered() {
            note(&format!(
                "an append that was under way when the last process was stopped, and never acknowledged, \
                 was cut at position {}; what there was of it is in {}",
                recovered.first,
                shown_path(&recovered.kept_at)
            ));
        }
        if !store.lost().is_empty() {
            note(&format!(
                "lost from the store {}: {}, {}",
                shown_path(&self.store),
                events(store.lost()),
                positions(store.lost())
            ));
        }
        Ok(store)
    }

    /// Ends the work with a store that was written to.
    pub fn close(&self, store: Store) -> Result<(), Failure> {
        let what = format!("cannot close the store {}", shown_path(&self.store));
        store.close().map_err(|error| store_failure(what, &error))
    }

    /// Refuses a store that others than its owner may enter.
    pub fn check_private(&self) -> Result<(), Failure> {
        let what = format!("cannot open the store {}", shown_path(&self.store));
        match fs::metadata(&self.store) {
            Ok(metadata) if self.store.join(MANIFEST).is_file() => {
                check_private_folder(&metadata, &what)
            }
            // Whoever opens it says what is wrong.
            _ => Ok(()),
        }
    }

    /// Opens the vault of an open store. What the log says is erased is destroyed in the vault, if it
    /// is not yet: an older vault that was put back brings nobody back.
    pub fn open_vault(&self, store: &Store) -> Result<Vault, Failure> {
        let mut vault = self.read_vault()?;
        let description = store.description();
        vault.check_store(description.store_id, pepper_of(store)?)?;
        self.apply_erasures(store, &mut vault)?;
        Ok(vault)
    }

    /// Opens the vault without its store.
    pub fn read_vault(&self) -> Result<Vault, Failure> {
        Vault::open(&self.vault, self.master_key.clone())
    }

    /// Makes the lost vault of a store again from the copy of its pepper.
    pub fn regain_vault(&self) -> Result<Vault, Failure> {
        let store = self.open_store()?;
        let id = store.description().store_id;
        let mut vault =
            Vault::regain(&self.vault, self.master_key.clone(), id, pepper_of(&store)?)?;
        self.apply_erasures(&store, &mut vault)?;
        self.close(store)?;
        Ok(vault)
    }

    /// Destroys in the vault what the log says is erased, durably. Costs reading the erasures.
    pub fn apply_erasures(&self, store: &Store, vault: &mut Vault) -> Result<(), Failure> {
        let persons = crate::persons::read(store)?;
        let destroyed = vault.destroy(&persons.destroyed());
        vault.save()?;
        if destroyed > 0 {
            note(&format!(
                "the vault {} held keys of persons who are erased; they were destroyed: {destroyed}",
                shown_path(&self.vault)
            ));
        }
        Ok(())
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
                self.cannot_make(),
                "the folder that it should lie in does not exist",
                "make that folder first, or give another --store",
            ));
        }
        if fs::symlink_metadata(&self.vault).is_err() {
            let draft = Vault::draft(&self.vault, self.master_key.clone());
            return draft.map(|vault| Prepared::New(Box::new(vault)));
        }
        let vault = self.read_vault()?;
        if vault.key_count() > 0 {
            return Err(Failure::new(
                self.cannot_make(),
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

    /// Makes the store that was prepared, unless it is there, and says so.
    pub fn make(&self, prepared: Prepared) -> Result<Open, Failure> {
        match prepared {
            Prepared::Open(open) => Ok(*open),
            Prepared::New(vault) => self.make_new(*vault, DEFAULT_ENGINE),
        }
    }

    /// Makes a store, and says so. Its vault and its signing key are durable before it exists, so that
    /// there is never a store without them.
    pub fn make_new(&self, mut vault: Vault, engine: &'static str) -> Result<Open, Failure> {
        let fresh = fs::symlink_metadata(&self.vault).is_err();
        let made_master_key = fresh && vault.create()?;
        // What this process made itself, and no store was ever made with, goes away again.
        let undo_vault = || {
            if fresh {
                vault.discard();
            }
            if let (true, KeySource::File(path)) = (made_master_key, &self.master_key) {
                let _ = fs::remove_file(path);
            }
        };
        let store_id = vault.store_id();
        let origin = Origin {
            store_id,
            incarnation: 0,
        };
        let path = self.signing_key();
        let fresh_key = fs::symlink_metadata(&path).is_err();
        let key = match fresh_key {
            true => signing::make(&path, origin),
            // The remains of a creation that was interrupted, if it has this store's name.
            false => signing::open(&path, origin),
        };
        let key = key.inspect_err(|_| undo_vault())?;
        let new = NewStore {
            pepper: vault.pepper().id(),
            store_id,
            created_at: SystemClock.now(),
            engine,
        };
        let store = Store::create(&self.store, new, Box::new(SystemClock));
        let store = store.map_err(|error| {
            undo_vault();
            if fresh_key {
                let _ = fs::remove_file(&path);
            }
            store_failure(self.cannot_make(), &error)
        })?;
        let left = self.checkpoints().put_key(&key.verifier());
        left.map_err(|error| integrity_failure(self.cannot_make(), &error.into()))?;
        note(&format!("made the store {}", shown_path(&self.store)));
        self.say_what_was_made(made_master_key);
        note(&format!(
            "made its signing key {}: keep a copy of it apart from the store",
            shown_path(&path)
        ));
        Ok(Open { store, vault })
    }

    /// Says which vault there is now, and what protects it.
    pub fn say_what_was_made(&self, made_master_key: bool) {
        note(&format!(
            "made its vault {}: keep a copy of it apart from the store",
            shown_path(&self.vault)
        ));
        if made_master_key {
            let key = &self.master_key;
            let advice = match key.is_beside(&self.vault) {
                true => {
                    "move it elsewhere (ACTL_MASTER_KEY_FILE), beside the vault it protects nothing"
                }
                false => "it opens the vault, so keep a copy of it",
            };
            note(&format!("made the master key {key}: {advice}"));
        }
    }

    fn cannot_make(&self) -> String {
        format!("cannot make the store {}", shown_path(&self.store))
    }

    /// The signing key of an open store, its verifier key left in the store. A store that was made
    /// before there were checkpoints gets its key now; one whose verifier key is there has had one,
    /// and it is missed.
    pub fn open_signing_key(&self, store: &Store) -> Result<SignerKey, Failure> {
        let path = self.signing_key();
        let what = || format!("cannot use the signing key {}", shown_path(&path));
        let folder = self.checkpoints();
        let refused = |error| integrity_failure(what(), &IntegrityError::Folder(error));
        let is_new =
            fs::symlink_metadata(&path).is_err() && folder.key().map_err(refused)?.is_none();
        let key = match is_new {
            true => signing::make(&path, store.origin())?,
            false => signing::open(&path, store.origin())?,
        };
        folder.put_key(&key.verifier()).map_err(refused)?;
        Ok(key)
    }

    fn cannot_open(&self, error: &StoreError) -> Failure {
        let failure = store_failure(
            format!("cannot open the store {}", shown_path(&self.store)),
            error,
        );
        match error {
            StoreError::Missing { .. } => Failure {
                hint: "check --store or ACTL_STORE; `actl init`, `actl import` and `actl append` make a store"
                    .to_owned(),
                ..failure
            },
            _ => failure,
        }
    }
}

/// How many ranges of positions a message names.
const RANGES_SHOWN_MAX: usize = 5;

/// How many events some ranges of positions hold.
pub fn events(ranges: &[(Position, Position)]) -> String {
    let count: u64 = ranges.iter().map(|(a, b)| b.0 - a.0 + 1).sum();
    match count {
        1 => "1 event".to_owned(),
        count => format!("{count} events"),
    }
}

/// Ranges of positions, as a message names them.
pub fn positions(ranges: &[(Position, Position)]) -> String {
    let shown = ranges.iter().take(RANGES_SHOWN_MAX);
    let shown = shown.map(|(first, last)| match first == last {
        true => format!("position {first}"),
        false => format!("positions {first} to {last}"),
    });
    let shown: Vec<_> = shown.collect();
    match ranges.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more ranges", shown.join(", ")),
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
        false if error.is_refusal() => Class::Refused,
        false => Class::CouldNotRun,
    };
    Failure::new(what, error.to_string(), error.hint()).class(class)
}

/// An error of proving or verifying as people see it.
pub fn integrity_failure(what: impl Into<String>, error: &IntegrityError) -> Failure {
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
