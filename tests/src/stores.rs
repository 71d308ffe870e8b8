//! Stores in directories of their own, for tests.

use crate::facts::clock;
use ledger::index::RunSize;
use ledger::secret::Pepper;
use ledger::store::{NewStore, Store, StoreError};
use ledger::time::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};

/// Runs so small that a test has many.
pub const SMALL_RUNS: RunSize = RunSize {
    full: 16,
    at_close: 4,
    fan_out: 3,
};

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
    let new = NewStore {
        engine: ledger::store::DEFAULT_ENGINE,
        pepper: Pepper::public().id(),
        store_id: [7; 16],
        created_at: Timestamp::from_micros(0),
    };
    Store::create(path, new, clock())
}

/// Opens a store with small runs.
pub fn open(path: &Path) -> Store {
    try_open(path).expect("the store can be opened")
}

/// Opens a store with small runs or says why not.
pub fn try_open(path: &Path) -> Result<Store, StoreError> {
    Store::open_with(path, clock(), SMALL_RUNS)
}

/// Copies a directory. The copy of an open store is what a kill at that moment leaves.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the copy is not there yet");
    for entry in fs::read_dir(from).expect("a directory can be listed") {
        let entry = entry.expect("a directory can be listed");
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).expect("a file can be copied")),
        }
    }
}

/// The appends that the crash tests make, each of one to five facts, by number from 0.
pub mod sequence {
    use crate::facts::session_started;
    use ledger::event::Fact;
    use ledger::id::Position;

    fn size(append: usize) -> usize {
        append * 7 % 5 + 1
    }

    /// Where the log ends before an append.
    pub fn before(append: usize) -> Position {
        Position((0..append).map(|append| size(append) as u64).sum())
    }

    /// The number of the append that follows a position, which has to be the end of one.
    pub fn following(end: Position) -> Option<usize> {
        let mut position = 0;
        let mut append = 0;
        while position < end.0 {
            position += size(append) as u64;
            append += 1;
        }
        (position == end.0).then_some(append)
    }

    /// The numbers of all appends after an end.
    pub fn from_end(end: Position) -> impl Iterator<Item = usize> {
        following(end).expect("the log ends with a whole append")..
    }

    /// The facts of an append. Some are so large that a frame is in several pieces.
    pub fn facts(append: usize) -> Vec<Fact> {
        let first = before(append).0 as usize;
        let one = |record| {
            session_started(
                record,
                &format!("s-{}", record % 17),
                &format!("t{}.example", record % 5),
            )
        };
        (first..first + size(append)).map(one).collect()
    }
}
