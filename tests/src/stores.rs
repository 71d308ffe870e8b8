//! Stores in directories of their own, for tests.

use crate::facts::clock;
use ledger::index::RunSize;
use ledger::log::Engine;
use ledger::secret::Pepper;
use ledger::store::{Identity, NewStore, Sizes, Store, StoreError};
use ledger::tiles::BlockSize;
use ledger::time::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};

/// Runs so small that a test has many.
pub const SMALL_RUNS: RunSize = RunSize {
    full: 16,
    at_close: 4,
    fan_out: 3,
};

/// The same, and segments so short that a test has many.
pub const SMALL: Sizes = Sizes {
    runs: SMALL_RUNS,
    segment_length_bytes: 12_000,
    tile_blocks: BlockSize::at_least(256),
};

const STORE_ID: [u8; 16] = [7; 16];

/// What every store of a test is.
pub fn identity() -> Identity {
    Identity {
        store_id: STORE_ID,
        pepper: Pepper::public().id(),
    }
}

/// A path at which a test may make a store, in a directory that is removed afterwards.
pub struct Place(tempfile::TempDir);

impl Place {
    /// A new directory.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory can be made"))
    }

    /// Where the store goes.
    pub fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes a store.
pub fn create(path: &Path) -> Store {
    try_create(path).expect("a store can be made")
}

/// Makes a store or says why not.
pub fn try_create(path: &Path) -> Result<Store, StoreError> {
    create_with(path, ledger::store::DEFAULT_ENGINE)
}

/// Makes a store of an engine or says why not.
pub fn create_with(path: &Path, engine: &str) -> Result<Store, StoreError> {
    let engine = Engine::named(engine).expect("the engine is in the registry");
    let new = NewStore {
        engine: engine.name,
        pepper: Pepper::public().id(),
        store_id: STORE_ID,
        created_at: Timestamp::from_micros(0),
    };
    Store::create(path, new, clock())
}

/// Opens a store with small runs and segments.
pub fn open(path: &Path) -> Store {
    try_open(path).expect("the store can be opened")
}

/// Opens a store with small runs and segments or says why not.
pub fn try_open(path: &Path) -> Result<Store, StoreError> {
    Store::open_with(path, clock(), SMALL)
}

/// Copies a directory. The copy of an open store is what a kill at that moment leaves.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the copy is not there yet");
    let mode = fs::metadata(from).expect("a directory").permissions();
    fs::set_permissions(to, mode).expect("a directory's mode can be set");
    for entry in fs::read_dir(from).expect("a directory can be listed") {
        let entry = entry.expect("a directory can be listed");
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).expect("a file can be copied")),
        }
    }
}
