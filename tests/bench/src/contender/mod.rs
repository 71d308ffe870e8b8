//! What takes part: the store, the raw file, and other engines as the same event store.
//!
//! Every contender gets the same appends of the same events from the same clients, and has to answer
//! an append only when it would survive a loss of power.

mod admit;
mod committer;
mod fjall;
mod ours;
mod raw;
mod redb;
mod sqlite;
mod tephra;

use crate::fault::Outcome;
use ledger::event::Fact;
use ledger::log::ENGINES;
use ledger::subject::Subject;
pub use ours::WallClock;
use std::path::Path;

/// What has to hold for an append to happen.
///
/// One condition about the near past and one about the whole of it: a contender that keeps no good
/// index pays for the second on every append.
#[derive(Debug, Clone)]
pub struct Guard {
    /// No event after `since` names it.
    pub unchanged: Subject,
    /// The end that the client knew when it began.
    pub since: u64,
    /// No event at all names it. It never exists, and the contender cannot know.
    pub absent: Subject,
}

/// One append by a client.
pub struct Append {
    /// The events, decoded.
    pub facts: Vec<Fact>,
    /// Their stored form, as the file of events has it.
    pub stored: Vec<Vec<u8>>,
    /// What has to hold.
    pub guard: Guard,
}

/// What became of an append that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Durable.
    Appended,
    /// The subject changed in the meantime: the client has to look again.
    Conflict,
}

/// An open event store.
pub trait Contender: Send + Sync {
    /// The position of the last durable event.
    fn end(&self) -> u64;

    /// Appends events under a guard; returns when they are durable or refused.
    fn append(&self, append: Append) -> Outcome<Verdict>;

    /// Waits until everything derived is there, and closes. Belongs to the time that is measured.
    fn close(self: Box<Self>) -> Outcome<()>;
}

/// One line of the list of contenders.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name on the command line and in the table.
    pub name: &'static str,
    /// Opens it at a path, where nothing is the first time.
    pub open: fn(&str, &Path) -> Outcome<Box<dyn Contender>>,
    /// What is not the same as for the store, for or against it.
    pub unequal: &'static str,
}

/// What is unequal for every engine under the common committer.
macro_rules! by_committer {
    ($rest:literal) => {
        concat!(
            "clients list subjects and hand over ready stored bytes, nothing is encoded or hashed on its one thread; ",
            $rest
        )
    };
}

const PEERS: &[Entry] = &[
    Entry {
        name: "raw",
        open: raw::open,
        unequal: by_committer!(
            "no ids, no conditions, no index, no checksum; a file of 256 MiB that is written in circles and never grows"
        ),
    },
    Entry {
        name: "fjall",
        open: fjall::open,
        unequal: by_committer!(
            "one batch and one fdatasync a commit; compaction on threads of its own; no proofs"
        ),
    },
    Entry {
        name: "redb",
        open: redb::open,
        unequal: by_committer!("one transaction a commit, checksums of pages; no proofs"),
    },
    Entry {
        name: "sqlite",
        open: sqlite::open,
        unequal: by_committer!(
            "one transaction a commit, WAL with synchronous=FULL; checkpoints on the same thread; no proofs"
        ),
    },
    Entry {
        name: "tephra",
        open: tephra::open,
        unequal: "its own writer thread and group commit; clients encode; an id is a tag, so unique ids are a second existence condition; no proofs",
    },
];

/// Every contender: the engines of the store under `ours-ENGINE`, and the peers.
pub fn all() -> Vec<Entry> {
    let ours = ENGINES.iter().filter(|engine| engine.persistent);
    let ours = ours.map(|engine| Entry {
        name: engine.name,
        open: ours::open,
        unequal: "the store itself: encodes, decodes and compares, lists subjects, hashes and indexes behind its one thread",
    });
    ours.chain(PEERS.iter().copied()).collect()
}

/// The contender of a name.
pub fn named(name: &str) -> Outcome<Entry> {
    let all = all();
    let found = all.iter().find(|entry| entry.name == name).copied();
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|entry| entry.name).collect();
        format!(
            "there is no contender {name}; there are {}",
            names.join(", ")
        )
        .into()
    })
}
