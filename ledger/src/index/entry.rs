//! What the index keeps of one event: its id, and the names of the listings that it belongs to.
//!
//! It is made where the event is encoded, by whoever appends, so that the one thread that writes the
//! log does not have to.

use super::{Listing, Table};
use crate::event::Fact;
use crate::id::EventId;
use twox_hash::XxHash3_64;

/// The name of a listing, with its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    /// The table that the listing is in.
    pub(crate) table: Table,
    /// The whole name: what two listings are told apart by.
    pub(crate) bytes: &'a [u8],
    /// Its [`hash_of`], so that nobody computes it twice.
    pub(crate) hash: u64,
}

/// The hash of a name or of an id: XXH3 of 64 bits, seeded with the number of the table. It decides
/// where to look, never what is found: names and ids are compared whole.
/// Format of the index: filters on the disk are made with it.
pub(crate) fn hash_of(table: Table, bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(table as u64, bytes)
}

/// What the index keeps of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    id: EventId,
    /// The name of the kind and then those of the subjects, one after the other.
    names: Box<[u8]>,
    /// Where each name ends, and its hash.
    ends: Box<[(usize, u64)]>,
}

impl Entry {
    /// The entry of a fact. Costs one walk over its fields and a hash a name.
    pub(crate) fn of(fact: &Fact) -> Self {
        let subjects = fact.subjects();
        let mut names =
            Vec::with_capacity(2 + subjects.iter().map(|s| s.id.len() + 2).sum::<usize>());
        let mut ends = Vec::with_capacity(1 + subjects.len());
        Listing::write_kind(fact.kind().id, &mut names);
        ends.push((names.len(), hash_of(Table::Kinds, &names)));
        for subject in &subjects {
            let start = names.len();
            Listing::write_subject(subject, &mut names);
            let name = names.get(start..).unwrap_or_default();
            ends.push((names.len(), hash_of(Table::Subjects, name)));
        }
        Self {
            id: fact.id,
            names: names.into(),
            ends: ends.into(),
        }
    }

    /// An entry of any names, the first of which is that of the kind.
    #[cfg(test)]
    pub(crate) fn of_names<'a>(id: EventId, all: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut names = Vec::new();
        let mut ends = Vec::new();
        let mut table = Table::Kinds;
        for name in all {
            names.extend_from_slice(name);
            ends.push((names.len(), hash_of(table, name)));
            table = Table::Subjects;
        }
        let (names, ends) = (names.into(), ends.into());
        Self { id, names, ends }
    }

    /// The id of the event.
    pub(crate) fn id(&self) -> EventId {
        self.id
    }

    /// The listings that the event belongs to, each once: that of its kind first.
    pub(crate) fn names(&self) -> impl Iterator<Item = Name<'_>> {
        let mut start = 0;
        let mut table = Table::Kinds;
        self.ends.iter().map(move |&(end, hash)| {
            let bytes = self.names.get(start..end).unwrap_or_default();
            start = end;
            let table = std::mem::replace(&mut table, Table::Subjects);
            Name { table, bytes, hash }
        })
    }
}
