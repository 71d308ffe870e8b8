//! The part of the index that is in memory: recent events, and those of a frame being made.

use super::{Listing, Table};
use crate::event::Event;
use crate::id::{EventId, Position};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The index of some successive events.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    range: Option<(Position, Position)>,
    ids: HashMap<EventId, Position>,
    subjects: BTreeMap<Vec<u8>, Vec<Position>>,
    kinds: BTreeMap<Vec<u8>, Vec<Position>>,
}

impl Overlay {
    /// Adds the event that follows those that are there.
    pub(crate) fn add(&mut self, event: &Event) {
        let position = event.position;
        let first = self.range.map_or(position, |(first, _)| first);
        self.range = Some((first, position));
        self.ids.insert(event.id, position);
        let kind = Listing::kind(event.kind().id).name;
        self.kinds.entry(kind).or_default().push(position);
        for subject in event.subjects() {
            let name = Listing::subject(&subject).name;
            self.subjects.entry(name).or_default().push(position);
        }
    }

    /// The first and the last position.
    pub(crate) fn range(&self) -> Option<(Position, Position)> {
        self.range
    }

    /// Where the event of an id is.
    pub(crate) fn position(&self, id: EventId) -> Option<Position> {
        self.ids.get(&id).copied()
    }

    /// The positions of a listing, in order.
    pub(crate) fn positions(&self, listing: &Listing) -> &[Position] {
        let found = match listing.table {
            Table::Ids => None,
            Table::Subjects => self.subjects.get(&listing.name),
            Table::Kinds => self.kinds.get(&listing.name),
        };
        found.map_or(&[], Vec::as_slice)
    }

    /// Adds the names of subjects that begin with a prefix.
    pub(crate) fn subject_names(&self, prefix: &[u8], names: &mut BTreeSet<Vec<u8>>) {
        let from = self.subjects.range(prefix.to_vec()..);
        let with = from.take_while(|(name, _)| name.starts_with(prefix));
        names.extend(with.map(|(name, _)| name.clone()));
    }

    /// The ids, in no order.
    pub(crate) fn ids(&self) -> impl ExactSizeIterator<Item = EventId> {
        self.ids.keys().copied()
    }

    /// The ids with their positions, sorted by id.
    pub(crate) fn sorted_ids(&self) -> Vec<(EventId, Position)> {
        let mut ids: Vec<_> = self.ids.iter().map(|(id, at)| (*id, *at)).collect();
        ids.sort_unstable();
        ids
    }

    /// The listings of a table, sorted by name.
    pub(crate) fn listings(&self, table: Table) -> impl Iterator<Item = (&[u8], &[Position])> {
        let map = match table {
            Table::Ids => None,
            Table::Subjects => Some(&self.subjects),
            Table::Kinds => Some(&self.kinds),
        };
        let entries = map.into_iter().flatten();
        entries.map(|(name, positions)| (name.as_slice(), positions.as_slice()))
    }
}
