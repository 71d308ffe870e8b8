//! What takes part: the store, the raw file, and other engines as the same event store.
//!
//! Every contender gets the same appends of the same events from the same clients, and has to answer
//! an append only when it would survive a loss of power.

mod admit;
mod committer;
mod fjall;
#[cfg(feature = "networked")]
mod message_db;
mod ours;
mod raw;
mod redb;
mod sqlite;
mod tephra;
#[cfg(feature = "networked")]
mod umadb;

use crate::fault::Outcome;
use ledger::event::Fact;
use ledger::log::ENGINES;
use ledger::subject::Subject;
pub use ours::{WallClock, open_store};
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
pub struct Append<'a> {
    /// The events, decoded.
    pub facts: Vec<Fact>,
    /// Their stored form, as the file of events has it.
    pub stored: &'a [&'a [u8]],
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
    fn append(&self, append: Append<'_>) -> Outcome<Verdict>;

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
    /// Whether it is an event store: what was appended is there when it is opened again.
    pub keeps: bool,
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
        keeps: false,
        unequal: by_committer!(
            "no ids, no conditions, no index, no checksum; a file of 256 MiB that is written in circles and never grows"
        ),
    },
    Entry {
        name: "fjall",
        open: fjall::open,
        keeps: true,
        unequal: by_committer!(
            "one batch and one fdatasync a commit; compaction on threads of its own; no proofs"
        ),
    },
    Entry {
        name: "redb",
        open: redb::open,
        keeps: true,
        unequal: by_committer!("one transaction a commit, checksums of pages; no proofs"),
    },
    Entry {
        name: "sqlite",
        open: sqlite::open,
        keeps: true,
        unequal: by_committer!(
            "one transaction a commit, WAL with synchronous=FULL; checkpoints on the same thread; no proofs"
        ),
    },
    Entry {
        name: "tephra",
        open: tephra::open,
        keeps: true,
        unequal: "its own writer thread and group commit; clients encode; an id is a tag, so unique ids are a second existence condition; no proofs",
    },
];

/// Peers behind a network: no measure of the store, which is called in the same process.
#[cfg(feature = "networked")]
const NETWORKED: &[Entry] = &[
    Entry {
        name: "umadb",
        open: umadb::open,
        keeps: true,
        unequal: "a server of its own behind gRPC; one condition (unchanged since), no look-up of the absent subject, ids unique only for a repeated append; tags are checked by the server; 8 connections; a refused client asks for the end first",
    },
    Entry {
        name: "message-db",
        open: message_db::open,
        keeps: false,
        unequal: "PostgreSQL behind a socket, one connection a client, and two round trips more for the transaction; an event is in one stream only, no conditions; the payload as JSON without the envelope",
    },
];

#[cfg(not(feature = "networked"))]
const NETWORKED: &[Entry] = &[];

/// Every contender: the store with each of its engines, and the peers.
pub fn all() -> Vec<Entry> {
    let ours = ENGINES.iter().filter(|engine| engine.persistent);
    let ours = ours.map(|engine| Entry {
        name: engine.name,
        open: ours::open,
        keeps: true,
        unequal: "the store itself: encodes and compares, lists subjects, hashes and indexes behind its one thread",
    });
    ours.chain([PEERS, NETWORKED].concat()).collect()
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

#[cfg(test)]
mod tests {
    //! A peer that does not check what the store checks would be no peer: each has to refuse what has
    //! to be refused, and to have what it acknowledged when it is opened again.

    use super::*;
    use ledger::event::{Event, json::read_fact};
    use ledger::id::Position;
    use ledger::secret::PublicKeyring;
    use ledger::subject::SubjectKind;
    use ledger::time::Timestamp;
    use serde_json::json;

    fn tenant(name: &str) -> Subject {
        Subject::new(SubjectKind::Tenant, name)
    }

    /// Appends one event about a tenant, under a guard.
    fn append(
        to: &dyn Contender,
        record: u32,
        name: &str,
        guard: (&str, u64, &str),
    ) -> Outcome<Verdict> {
        let line = json!({
            "kind": "TenantCreated",
            "occurred_at": "2024-03-11T09:42:00Z",
            "source": { "system": "directory", "record": format!("r-{record}") },
            "data": { "tenant": name, "created_via": "Unknown" }
        });
        let fact = read_fact(&line, &mut PublicKeyring).map_err(|error| error.reason)?;
        let (position, recorded_at) = (Position(1), Timestamp::from_micros(0));
        let event = Event {
            position,
            recorded_at,
            fact,
        };
        let stored = event.encode()?;
        let (unchanged, since, absent) = guard;
        to.append(Append {
            facts: vec![event.fact],
            stored: &[&stored],
            guard: Guard {
                unchanged: tenant(unchanged),
                since,
                absent: tenant(absent),
            },
        })
    }

    fn refused(verdict: Outcome<Verdict>) -> bool {
        !matches!(verdict, Ok(Verdict::Appended))
    }

    #[test]
    fn every_event_store_checks_ids_and_guards_and_keeps_what_it_acknowledged() -> Outcome<()> {
        for entry in all()
            .into_iter()
            .filter(|entry| entry.keeps && entry.name != "umadb")
        {
            let name = entry.name;
            let place = std::env::temp_dir().join(format!("bench-{}-{name}", std::process::id()));
            std::fs::create_dir(&place)?;
            let path = place.join("store");

            let store = (entry.open)(name, &path)?;
            assert_eq!(
                append(&*store, 1, "a", ("a", 0, "x"))?,
                Verdict::Appended,
                "{name}"
            );
            assert_eq!(
                append(&*store, 2, "a", ("a", 0, "x"))?,
                Verdict::Conflict,
                "{name}"
            );
            assert_eq!(
                append(&*store, 2, "a", ("a", 1, "x"))?,
                Verdict::Appended,
                "{name}"
            );
            assert_eq!(
                append(&*store, 3, "ab", ("ab", 0, "x"))?,
                Verdict::Appended,
                "{name}"
            );
            assert!(
                refused(append(&*store, 4, "b", ("b", 0, "a"))),
                "{name}: not absent"
            );
            assert!(
                refused(append(&*store, 1, "a", ("c", 3, "x"))),
                "{name}: known id"
            );
            assert_eq!(store.end(), 3, "{name}");
            store.close()?;

            let store = (entry.open)(name, &path)?;
            assert_eq!(store.end(), 3, "{name}, opened again");
            assert!(
                refused(append(&*store, 5, "b", ("a", 1, "x"))),
                "{name}: changed before"
            );
            assert!(
                refused(append(&*store, 1, "a", ("c", 3, "x"))),
                "{name}: id known before"
            );
            assert_eq!(
                append(&*store, 6, "b", ("a", 2, "x"))?,
                Verdict::Appended,
                "{name}"
            );
            store.close()?;
            std::fs::remove_dir_all(&place)?;
        }
        Ok(())
    }
}
