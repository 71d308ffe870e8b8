//! Which events of a log are hidden because others stand instead of them, found in one pass over all.
//!
//! The rules are those of [`Histories`](crate::Histories): of the versions of a record the one that was
//! observed later stands instead of the others, and a correction instead of what it names. Here nothing
//! stays of an event but 48 bytes, and the answer is for one end of the log only.

use ledger::event::codec::CodecError;
use ledger::event::walk::Outline;
use ledger::event::{Event, EventRef, KindId};
use ledger::id::EventId;
use ledger::time::Timestamp;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What is noted of the events of a log, or of a part of it.
#[derive(Debug, Default)]
pub struct Records {
    /// In pieces, so that none has to grow.
    versions: Vec<Vec<Version>>,
    corrections: Vec<Correction>,
}

/// So many versions are in one piece.
const PIECE: usize = 1 << 15;

/// An event that came from a record. Two hashes stand for what makes two events versions of one record:
/// one for the record and the kind, one for what the payload names first. Both have to be equal, so that
/// two of ten million records are taken for one once in some 10^24 logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    record: u64,
    about: u64,
    observed: Timestamp,
    id: EventId,
}

#[derive(Debug)]
struct Correction {
    id: EventId,
    kind: KindId,
    corrects: EventRef,
}

impl Records {
    /// Notes a stored event, whose outline was read. Only one that corrects another is decoded, which can fail.
    pub fn note(&mut self, outline: &Outline, stored: &[u8]) -> Result<(), CodecError> {
        let kind = outline.kind();
        if let Some((system, record)) = outline.record(stored) {
            let is_full = |piece: &Vec<Version>| piece.len() >= PIECE;
            if self.versions.last().is_none_or(is_full) {
                self.versions.push(Vec::with_capacity(PIECE));
            }
            let version = Version {
                record: record_hash(kind, system, record),
                about: hash(&outline.about()),
                observed: outline.observed(),
                id: outline.id(),
            };
            self.versions
                .last_mut()
                .into_iter()
                .for_each(|piece| piece.push(version));
        }
        if outline.corrects()
            && let Some(corrects) = Event::decode(stored)?.fact.corrects
        {
            self.corrections.push(Correction {
                id: outline.id(),
                kind,
                corrects,
            });
        }
        Ok(())
    }

    /// Takes in what was noted of another part of the log.
    pub fn join(&mut self, mut other: Self) {
        self.versions.append(&mut other.versions);
        self.corrections.append(&mut other.corrections);
    }

    /// The events that others stand instead of, once everything is noted. Costs a sort.
    pub fn hidden(self) -> HashSet<EventId> {
        let mut hidden = HashSet::new();
        let mut all = Vec::with_capacity(self.versions.iter().map(Vec::len).sum());
        self.versions
            .into_iter()
            .for_each(|piece| all.extend(piece));
        all.sort_unstable();
        let same =
            |one: &Version, other: &Version| (one.record, one.about) == (other.record, other.about);
        for versions in all.chunk_by(same) {
            if let Some((_, older)) = versions.split_last() {
                hidden.extend(older.iter().map(|version| version.id));
            }
        }
        for correction in &self.corrections {
            match &correction.corrects {
                EventRef::Id(id) => {
                    hidden.insert(*id);
                }
                EventRef::Record(source) => {
                    let Some(record) = &source.record else {
                        continue;
                    };
                    let system = source.system.as_str().as_bytes();
                    let record = record_hash(correction.kind, system, record.as_str().as_bytes());
                    let first = all.partition_point(|v| v.record < record);
                    let named = all.get(first..).unwrap_or_default();
                    let named = named.iter().take_while(|v| v.record == record);
                    let others = named.filter(|version| version.id != correction.id);
                    hidden.extend(others.map(|version| version.id));
                }
            }
        }
        hidden
    }
}

fn record_hash(kind: KindId, system: &[u8], record: &[u8]) -> u64 {
    hash(&(kind.0, system, record))
}

/// A hash that is the same wherever and whenever the program runs.
pub fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
