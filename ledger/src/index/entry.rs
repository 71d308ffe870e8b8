//! What the index keeps of one event: its id, and the names of the listings that it belongs to.
//!
//! It is made where the event is encoded, by whoever appends, so that the one thread that writes the
//! log does not have to; and all events of an append together, so that an event costs no allocation.

use super::{Listing, Table};
use crate::event::Fact;
use crate::event::walk::Outline;
use crate::id::EventId;
use crate::subject::{SubjectKind, SubjectSink};
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

/// An id with its [`hash_of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HashedId {
    pub(crate) id: EventId,
    pub(crate) hash: u64,
}

impl HashedId {
    pub(crate) fn new(id: EventId) -> Self {
        let hash = hash_of(Table::Ids, &id.0);
        Self { id, hash }
    }
}

/// Where a name ends, and its hash.
#[derive(Debug, Clone, Copy)]
struct End {
    at: usize,
    hash: u64,
}

/// What the index keeps of some events, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// The ids, and how many names there are up to each event.
    events: Vec<(HashedId, usize)>,
    /// The name of its kind and then those of its subjects, for each event.
    names: Vec<u8>,
    ends: Vec<End>,
}

impl Entries {
    /// No entries, with room for some.
    pub(crate) fn with_room(events: usize) -> Self {
        Self {
            events: Vec::with_capacity(events),
            names: Vec::with_capacity(events * NAMES_LENGTH_USUAL_BYTES),
            ends: Vec::with_capacity(events * NAMES_USUAL),
        }
    }

    /// Adds the entry of a fact. Costs one walk over its fields and a hash a name.
    pub(crate) fn push(&mut self, fact: &Fact) {
        let start = self.names.len();
        Listing::write_kind(fact.kind().id, &mut self.names);
        self.end(Table::Kinds, start);
        let first_end = self.ends.len();
        fact.name_subjects(&mut Subjects {
            entries: self,
            first_end,
        });
        self.events.push((HashedId::new(fact.id), self.ends.len()));
    }

    /// Adds the entry of a stored event, from its outline. Costs a hash a name.
    pub(crate) fn push_outline(&mut self, outline: &Outline) {
        let start = self.names.len();
        Listing::write_kind(outline.kind(), &mut self.names);
        self.end(Table::Kinds, start);
        for (kind, id) in outline.subjects() {
            let start = self.names.len();
            Listing::write_subject(kind, id, &mut self.names);
            self.end(Table::Subjects, start);
        }
        self.events
            .push((HashedId::new(outline.id()), self.ends.len()));
    }

    /// Ends a name that was written from a place on.
    fn end(&mut self, table: Table, start: usize) {
        let name = self.names.get(start..).unwrap_or_default();
        self.ends.push(End {
            hash: hash_of(table, name),
            at: self.names.len(),
        });
    }

    /// Adds an entry that was made before.
    pub(crate) fn copy(&mut self, entry: EntryRef<'_>) {
        for name in entry.names() {
            self.names.extend_from_slice(name.bytes);
            let at = self.names.len();
            self.ends.push(End {
                hash: name.hash,
                at,
            });
        }
        self.events.push((entry.id, self.ends.len()));
    }

    /// The ids, in order.
    pub(crate) fn ids(&self) -> impl ExactSizeIterator<Item = HashedId> + Clone {
        self.events.iter().map(|(id, _)| *id)
    }

    /// The one of a number.
    pub(crate) fn get(&self, number: usize) -> Option<EntryRef<'_>> {
        let (id, last) = *self.events.get(number)?;
        let before = number.checked_sub(1).and_then(|n| self.events.get(n));
        let first = before.map_or(0, |(_, last)| *last);
        let start = first.checked_sub(1).and_then(|n| self.ends.get(n));
        Some(EntryRef {
            id,
            names: &self.names,
            start: start.map_or(0, |end| end.at),
            ends: self.ends.get(first..last)?,
        })
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = EntryRef<'_>> {
        let mut first = 0;
        let mut start = 0;
        self.events.iter().map(move |&(id, last)| {
            let ends = self.ends.get(first..last).unwrap_or_default();
            let entry = EntryRef {
                id,
                names: &self.names,
                start,
                ends,
            };
            first = last;
            start = ends.last().map_or(start, |end| end.at);
            entry
        })
    }
}

/// How many names an event has, about.
const NAMES_USUAL: usize = 6;

/// How long they are together, about.
const NAMES_LENGTH_USUAL_BYTES: usize = 160;

/// Puts the subjects of an event among the names, each once.
struct Subjects<'a> {
    entries: &'a mut Entries,
    /// Where the ends of the event's subjects begin.
    first_end: usize,
}

impl SubjectSink for Subjects<'_> {
    fn subject(&mut self, kind: SubjectKind, id: &str) {
        let Entries { names, ends, .. } = &mut *self.entries;
        let start = names.len();
        Listing::write_subject(kind, id.as_bytes(), names);
        let (before, name) = names.split_at_checked(start).unwrap_or_default();
        let hash = hash_of(Table::Subjects, name);
        let mut others = ends.iter().enumerate().skip(self.first_end);
        let is_there = others.any(|(number, end)| {
            let from = number.checked_sub(1).and_then(|n| ends.get(n));
            let from = from.map_or(0, |end| end.at);
            end.hash == hash && before.get(from..end.at) == Some(name)
        });
        match is_there {
            true => names.truncate(start),
            false => ends.push(End {
                hash,
                at: names.len(),
            }),
        }
    }
}

/// What the index keeps of one event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryRef<'a> {
    id: HashedId,
    names: &'a [u8],
    /// Where the first of its names begins.
    start: usize,
    ends: &'a [End],
}

impl<'a> EntryRef<'a> {
    /// The id of the event.
    pub(crate) fn id(self) -> HashedId {
        self.id
    }

    /// The listings that the event belongs to, each once: that of its kind first.
    pub(crate) fn names(self) -> impl Iterator<Item = Name<'a>> {
        let mut start = self.start;
        let mut table = Table::Kinds;
        self.ends.iter().map(move |&End { at, hash }| {
            let bytes = self.names.get(start..at).unwrap_or_default();
            start = at;
            let table = std::mem::replace(&mut table, Table::Subjects);
            Name { table, bytes, hash }
        })
    }
}

#[cfg(test)]
pub(crate) use of_tests::Entry;

#[cfg(test)]
mod of_tests {
    use super::*;

    /// The entry of one event.
    #[derive(Debug)]
    pub(crate) struct Entry(Entries);

    impl Entry {
        /// The entry of a fact.
        pub(crate) fn of(fact: &Fact) -> Self {
            let mut entries = Entries::default();
            entries.push(fact);
            Self(entries)
        }

        /// An entry of any names, the first of which is that of the kind.
        pub(crate) fn of_names<'a>(id: EventId, all: impl IntoIterator<Item = &'a [u8]>) -> Self {
            let mut entries = Entries::default();
            let mut table = Table::Kinds;
            for name in all {
                entries.names.extend_from_slice(name);
                let hash = hash_of(table, name);
                let at = entries.names.len();
                entries.ends.push(End { at, hash });
                table = Table::Subjects;
            }
            entries.events.push((HashedId::new(id), entries.ends.len()));
            Self(entries)
        }

        pub(crate) fn id(&self) -> EventId {
            EntryRef::from(self).id.id
        }

        pub(crate) fn names(&self) -> impl Iterator<Item = Name<'_>> {
            EntryRef::from(self).names()
        }
    }

    impl<'a> From<&'a Entry> for EntryRef<'a> {
        fn from(entry: &'a Entry) -> Self {
            entry.0.iter().next().unwrap()
        }
    }

    fn names_of(fact: &Fact) -> Vec<Vec<u8>> {
        let names = fact.subjects().into_iter();
        let names = names.map(|subject| Listing::subject(&subject).name);
        let kind = Listing::kind(fact.kind().id).name;
        std::iter::once(kind).chain(names).collect()
    }

    #[test]
    fn entries_have_the_subjects_of_their_facts_each_once() {
        use crate::event::{Event, json::read_fact};
        use crate::id::Position;
        use crate::time::Timestamp;
        let facts = [
            ("s-1", "t1.example"),
            ("s-1", "s-1"),
            ("s-22", "t1.example"),
        ];
        let facts = facts.map(|(session, tenant)| {
            let person = "jo@contoso.example";
            let fact = serde_json::json!({
                "kind": "SessionStarted",
                "occurred_at": "2024-03-05T08:00:00Z",
                "actor": { "kind": "Customer", "person": person, "home_tenant": tenant },
                "source": { "system": "portal" },
                "data": { "session": session, "principal": person, "resource_tenant": tenant, "auth": "Unknown" }
            });
            read_fact(&fact, &mut crate::secret::PublicKeyring).unwrap()
        });
        let mut entries = Entries::with_room(2);
        facts.iter().for_each(|fact| entries.push(fact));
        let mut copies = Entries::default();
        entries.iter().for_each(|entry| copies.copy(entry));
        let mut outlines = Entries::default();
        let mut outline = Outline::default();
        for fact in &facts {
            let event = Event {
                position: Position(1),
                recorded_at: Timestamp::from_micros(0),
                fact: fact.clone(),
            };
            outline.read(&event.encode().unwrap()).unwrap();
            outlines.push_outline(&outline);
        }
        for entries in [&entries, &copies, &outlines] {
            assert_eq!(entries.ids().len(), facts.len());
            for (entry, fact) in entries.iter().zip(&facts) {
                let mut names: Vec<_> = entry.names().map(|name| name.bytes.to_vec()).collect();
                names[1..].sort_unstable();
                assert_eq!(names, names_of(fact));
                assert!(entry.names().all(|n| n.hash == hash_of(n.table, n.bytes)));
                assert_eq!(entry.id(), HashedId::new(fact.id));
            }
        }
    }
}
