//! The part of the index that is in memory: recent events, and those of a frame being made.

use super::Table;
use super::entry::{EntryRef, HashedId, Name};
use crate::id::{EventId, Position};
use hashbrown::HashTable;
use std::collections::BTreeSet;

/// The number of a link that is none.
const NONE: u32 = u32::MAX;

/// The index of some successive events.
///
/// Names are kept one after the other in one buffer and positions in one list, so that adding an
/// event allocates nothing but now and then a larger buffer. Numbers of links and listings, and distances of
/// positions, have 32 bits: an overlay is full long before ([`OVERLAY_LENGTH_MAX_BYTES`]), and one event has
/// few names.
///
/// [`OVERLAY_LENGTH_MAX_BYTES`]: crate::limits::OVERLAY_LENGTH_MAX_BYTES
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    range: Option<(Position, Position)>,
    ids: HashTable<(HashedId, Position)>,
    /// Numbers in `listed`, by the hash of the name.
    by_name: HashTable<u32>,
    listed: Vec<Listed>,
    names: Vec<u8>,
    links: Vec<Link>,
}

/// One listing of an overlay: a chain through its links.
#[derive(Debug)]
struct Listed {
    table: Table,
    hash: u64,
    /// Where its name starts and ends in the overlay's names.
    name: (u32, u32),
    first: u32,
    last: u32,
    count: u32,
}

/// A position, as its distance from the overlay's first, and the number of the link with the next one
/// of the same listing.
#[derive(Debug)]
struct Link {
    distance: u32,
    next: u32,
}

/// A length or a number in an overlay.
fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}

fn get<T>(list: &[T], number: u32) -> Option<&T> {
    usize::try_from(number)
        .ok()
        .and_then(|number| list.get(number))
}

fn get_mut<T>(list: &mut [T], number: u32) -> Option<&mut T> {
    usize::try_from(number)
        .ok()
        .and_then(|number| list.get_mut(number))
}

impl Overlay {
    /// Forgets everything, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.range = None;
        self.ids.clear();
        self.by_name.clear();
        self.listed.clear();
        self.names.clear();
        self.links.clear();
    }

    /// Adds the event that follows those that are there. Costs one look-up in memory a name.
    pub(crate) fn add<'e>(&mut self, position: Position, entry: impl Into<EntryRef<'e>>) {
        let entry = entry.into();
        let first = self.range.map_or(position, |(first, _)| first);
        self.range = Some((first, position));
        let id = entry.id();
        let rehash = |(id, _): &(HashedId, Position)| id.hash;
        self.ids.insert_unique(id.hash, (id, position), rehash);
        let distance = u32::try_from(position.0 - first.0).unwrap_or(NONE);
        for name in entry.names() {
            self.add_name(distance, name);
        }
    }

    /// Covers the positions up to one without an event, from `first` on if it is empty.
    pub(crate) fn pass(&mut self, first: Position, until: Position) {
        let first = self.range.map_or(first, |(first, _)| first);
        self.range = Some((first, until));
    }

    fn add_name(&mut self, distance: u32, name: Name<'_>) {
        let link = short(self.links.len());
        let next = NONE;
        self.links.push(Link { distance, next });
        let Some(number) = self.number(name) else {
            let start = short(self.names.len());
            self.names.extend_from_slice(name.bytes);
            let number = short(self.listed.len());
            self.listed.push(Listed {
                table: name.table,
                hash: name.hash,
                name: (start, short(self.names.len())),
                first: link,
                last: link,
                count: 1,
            });
            let listed = &self.listed;
            let rehash = |number: &u32| get(listed, *number).map_or(0, |listed| listed.hash);
            self.by_name.insert_unique(name.hash, number, rehash);
            return;
        };
        if let Some(listed) = get_mut(&mut self.listed, number) {
            if let Some(before) = get_mut(&mut self.links, listed.last) {
                before.next = link;
            }
            listed.last = link;
            listed.count += 1;
        }
    }

    fn number(&self, name: Name<'_>) -> Option<u32> {
        let is_it = |number: &u32| {
            get(&self.listed, *number).is_some_and(|listed| {
                listed.table == name.table && self.name_of(listed) == name.bytes
            })
        };
        self.by_name.find(name.hash, is_it).copied()
    }

    fn find(&self, name: Name<'_>) -> Option<&Listed> {
        self.number(name)
            .and_then(|number| get(&self.listed, number))
    }

    fn name_of(&self, listed: &Listed) -> &[u8] {
        let (start, end) = listed.name;
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let name = range.and_then(|(start, end)| self.names.get(start..end));
        name.unwrap_or_default()
    }

    /// The first and the last position.
    pub(crate) fn range(&self) -> Option<(Position, Position)> {
        self.range
    }

    /// Where the event of an id is.
    pub(crate) fn position(&self, id: HashedId) -> Option<Position> {
        let found = self.ids.find(id.hash, |(other, _)| *other == id);
        found.map(|(_, position)| *position)
    }

    /// How many positions a listing has.
    pub(crate) fn count(&self, name: Name<'_>) -> u64 {
        self.find(name).map_or(0, |listed| u64::from(listed.count))
    }

    /// The positions of a listing after a position, in order. Costs nothing if there are none, else a
    /// step for each position of the listing.
    pub(crate) fn positions(
        &self,
        name: Name<'_>,
        after: Position,
    ) -> impl Iterator<Item = Position> {
        let listed = self.find(name).filter(|listed| {
            let last = get(&self.links, listed.last);
            last.is_some_and(|link| self.position_of(link) > after)
        });
        let chain = self.chain(listed.map_or(NONE, |listed| listed.first));
        chain.skip_while(move |position| *position <= after)
    }

    fn chain(&self, first: u32) -> impl Iterator<Item = Position> {
        let first = get(&self.links, first);
        let links = std::iter::successors(first, |link| get(&self.links, link.next));
        links.map(|link| self.position_of(link))
    }

    fn position_of(&self, link: &Link) -> Position {
        let first = self.range.map_or(0, |(first, _)| first.0);
        Position(first + u64::from(link.distance))
    }

    /// Adds the names of a table that begin with a prefix. Costs a look at every name.
    pub(crate) fn names(&self, table: Table, prefix: &[u8], names: &mut BTreeSet<Vec<u8>>) {
        let of_table = self.listed.iter().filter(|listed| listed.table == table);
        let all = of_table.map(|listed| self.name_of(listed));
        names.extend(
            all.filter(|name| name.starts_with(prefix))
                .map(<[u8]>::to_vec),
        );
    }

    /// How many names it has, of all tables of listings.
    pub(crate) fn names_count(&self) -> usize {
        self.listed.len()
    }

    /// How many events it has.
    pub(crate) fn events(&self) -> u64 {
        self.ids.len() as u64
    }

    /// How many bytes its names and positions take, about.
    pub(crate) fn length_bytes(&self) -> usize {
        self.names.len()
            + self.links.len() * size_of::<Link>()
            + self.listed.len() * size_of::<Listed>()
    }

    /// The ids with their positions, sorted by id.
    pub(crate) fn sorted_ids(&self) -> Vec<(EventId, Position)> {
        let ids = self.ids.iter();
        let mut ids: Vec<_> = ids.map(|(id, position)| (id.id, *position)).collect();
        ids.sort_unstable();
        ids
    }

    /// The listings of a table with their positions, sorted by name.
    pub(crate) fn sorted(
        &self,
        table: Table,
    ) -> impl Iterator<Item = (&[u8], impl Iterator<Item = Position>)> {
        let of_table = self.listed.iter().filter(|listed| listed.table == table);
        let mut sorted: Vec<_> = of_table.map(|l| (self.name_of(l), l.first)).collect();
        sorted.sort_unstable();
        let chains = sorted.into_iter();
        chains.map(|(name, first)| (name, self.chain(first)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::json::read_fact;
    use crate::index::Listing;
    use crate::index::entry::{Entry, hash_of};
    use crate::secret::PublicKeyring;
    use crate::subject::{Subject, SubjectKind};
    use serde_json::json;

    /// The entry of an event that names a session and a tenant, both of which come again.
    fn entry(number: u64) -> Entry {
        let fact = json!({
            "kind": "SessionStarted",
            "occurred_at": "2024-03-05T08:00:00Z",
            "source": { "system": "portal", "record": format!("r-{number}") },
            "data": {
                "session": format!("s-{}", number % 5),
                "resource_tenant": format!("t{}.example", number % 3),
                "auth": "Unknown"
            }
        });
        Entry::of(&read_fact(&fact, &mut PublicKeyring).unwrap())
    }

    #[test]
    fn an_overlay_answers_as_a_scan_over_its_entries_does() {
        let mut overlay = Overlay::default();
        let first = Position(100);
        let entries: Vec<_> = (0..40).map(entry).collect();
        let placed = || (first.0..).map(Position).zip(&entries);
        placed().for_each(|(position, entry)| overlay.add(position, entry));
        assert_eq!(overlay.range(), Some((first, Position(139))));
        for (position, entry) in placed() {
            assert_eq!(overlay.position(HashedId::new(entry.id())), Some(position));
            for name in entry.names() {
                let holds = |entry: &Entry| entry.names().any(|other| other == name);
                let all: Vec<_> = placed().filter(|(_, e)| holds(e)).map(|(p, _)| p).collect();
                assert_eq!(overlay.count(name), all.len() as u64);
                for after in [0, 99, 100, 117, 138, 139, 140].map(Position) {
                    let found: Vec<_> = overlay.positions(name, after).collect();
                    let later = all.iter().copied().filter(|position| *position > after);
                    assert_eq!(found, later.collect::<Vec<_>>());
                }
                let sorted = overlay.sorted(name.table);
                let listed = sorted.filter(|(other, _)| *other == name.bytes);
                let listed: Vec<Vec<_>> = listed.map(|(_, all)| all.collect()).collect();
                assert_eq!(listed, [all]);
            }
        }
        let names: Vec<_> = overlay
            .sorted(Table::Subjects)
            .map(|(name, _)| name)
            .collect();
        assert!(names.is_sorted() && names.len() == 8, "{names:?}");
        let mut tenants = BTreeSet::new();
        overlay.names(Table::Subjects, &[SubjectKind::Tenant as u8], &mut tenants);
        assert_eq!(tenants.len(), 3);
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let mut overlay = Overlay::default();
        let absent = Listing::subject(&Subject::new(SubjectKind::Tenant, "t9.example"));
        for _ in 0..2 {
            assert_eq!(overlay.count(absent.name()), 0);
            assert_eq!(overlay.positions(absent.name(), Position(0)).count(), 0);
            assert_eq!(overlay.position(HashedId::new(entry(9).id())), None);
            overlay.add(Position(1), &entry(1));
        }
        // The same bytes in the other table are another name.
        let table = Table::Subjects;
        let entry = entry(1);
        let bytes = entry.names().next().unwrap().bytes;
        let hash = hash_of(table, bytes);
        assert_eq!(overlay.count(Name { table, bytes, hash }), 0);
    }
}
