//! The frame that the desk is making.

use super::error::AppendError;
use super::marks::Marks;
use super::prepare::Prepared;
use crate::event::Event;
use crate::id::Position;
use crate::index::Listing;
use crate::index::entry::{EntryRef, HashedId};
use crate::limits::{APPEND_LENGTH_MAX_BYTES, FRAME_EVENTS_TARGET, FRAME_LENGTH_TARGET_BYTES};
use crate::time::Timestamp;

/// Where an event that is known is, and when the ledger took it in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) position: Position,
    pub(crate) recorded_at: Timestamp,
}

/// Events that were admitted to the frame, with their index.
pub(crate) struct Draft {
    before: Position,
    recorded_at: Timestamp,
    appends: Vec<Prepared>,
    /// How many events there are up to the end of each append.
    ends: Vec<usize>,
    events: usize,
    length_bytes: usize,
    marks: Marks,
}

impl Draft {
    /// An empty frame that follows a position.
    pub(crate) fn new(before: Position, recorded_at: Timestamp) -> Self {
        Self {
            before,
            recorded_at,
            appends: Vec::new(),
            ends: Vec::new(),
            events: 0,
            length_bytes: 0,
            marks: Marks::default(),
        }
    }

    /// Forgets everything and keeps the memory, for a frame that follows another position.
    pub(crate) fn restart(&mut self, before: Position, recorded_at: Timestamp) {
        self.before = before;
        self.recorded_at = recorded_at;
        self.appends.clear();
        self.ends.clear();
        self.events = 0;
        self.length_bytes = 0;
        self.marks.clear();
    }

    /// Says when its events are recorded, before the first is admitted.
    pub(crate) fn begin(&mut self, recorded_at: Timestamp) {
        self.recorded_at = recorded_at;
    }

    /// Whether a further append should wait for the next frame.
    pub(crate) fn is_full(&self) -> bool {
        self.length_bytes >= FRAME_LENGTH_TARGET_BYTES || self.events >= FRAME_EVENTS_TARGET
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events == 0
    }

    pub(crate) fn first(&self) -> Position {
        self.before.next()
    }

    pub(crate) fn last(&self) -> Position {
        Position(self.before.0 + self.events as u64)
    }

    pub(crate) fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }

    /// What the index keeps of the events.
    pub(crate) fn entries(&self) -> impl Iterator<Item = EntryRef<'_>> {
        self.appends
            .iter()
            .flat_map(|append| append.entries().iter())
    }

    /// The stored bytes of the events.
    pub(crate) fn stored(&self) -> Vec<&[u8]> {
        let mut stored = Vec::with_capacity(self.events);
        self.appends
            .iter()
            .for_each(|append| stored.extend(append.stored()));
        stored
    }

    /// The append that has the event of a number in the frame, and its number there.
    fn at(&self, event: u32) -> Option<(&Prepared, usize)> {
        let event = usize::try_from(event).ok()?;
        let append = self.ends.partition_point(|end| *end <= event);
        let before = append
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        let number = event - before.copied().unwrap_or(0);
        Some((self.appends.get(append)?, number))
    }

    /// The event of an id, if it was admitted. Costs a decoding if it was.
    pub(crate) fn find(&self, id: HashedId) -> Result<Option<Event>, AppendError> {
        let found = self.marks.event(id).and_then(|event| self.at(event));
        match found {
            Some((append, number)) => append.event(number),
            None => Ok(None),
        }
    }

    /// The numbers of the events of this frame that are in the listing of a subject, the last one first. Costs a
    /// look at the names of each.
    fn listed(&self, listing: &Listing) -> impl Iterator<Item = u32> {
        let is_listed = |event: &u32| {
            let entry = self.at(*event).and_then(|(a, n)| a.entries().get(n));
            entry.is_some_and(|entry| entry.names().any(|name| name == listing.name()))
        };
        self.marks.events(listing).filter(is_listed)
    }

    /// How many events of this frame are in the listing of a subject.
    pub(crate) fn count(&self, listing: &Listing) -> u64 {
        self.listed(listing).count() as u64
    }

    /// The first position of the listing of a subject after a position in this frame.
    pub(crate) fn first_after(&self, listing: &Listing, after: Position) -> Option<Position> {
        let positions = self.listed(listing);
        let positions = positions.map(|event| Position(self.first().0 + u64::from(event)));
        positions.take_while(|position| *position > after).last()
    }

    /// Places all events or, if they are too long together, none. Returns the first and the last
    /// position.
    pub(crate) fn add(
        &mut self,
        mut events: Prepared,
    ) -> Result<(Option<Position>, Position), AppendError> {
        let length_bytes = events.length_bytes();
        if length_bytes > APPEND_LENGTH_MAX_BYTES {
            return Err(AppendError::TooLarge {
                what: "bytes",
                found: length_bytes,
                most: APPEND_LENGTH_MAX_BYTES,
            });
        }
        let first = self.last().next();
        events.put(first, self.recorded_at)?;
        let number = u32::try_from(self.events).unwrap_or(u32::MAX);
        for (number, entry) in (number..).zip(events.entries().iter()) {
            self.marks.add(number, entry);
        }
        let added = events.len();
        self.events += added;
        self.length_bytes += length_bytes;
        if added > 0 {
            self.appends.push(events);
            self.ends.push(self.events);
        }
        Ok(((added > 0).then_some(first), self.last()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::json::read_fact;
    use crate::index::overlay::Overlay;
    use crate::secret::PublicKeyring;
    use crate::store::{Known, prepare::Offer};
    use crate::subject::{Subject, SubjectKind};
    use serde_json::json;

    fn prepared(numbers: std::ops::Range<u64>) -> Prepared {
        let fact = |number: u64| {
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
            read_fact(&fact, &mut PublicKeyring).unwrap()
        };
        let facts = numbers.map(fact).collect();
        Offer::new(facts, Vec::new(), Known::Refuse).unwrap().events
    }

    #[test]
    fn a_draft_answers_as_the_index_of_its_events_does_again_and_again() {
        let time = Timestamp::from_micros(0);
        let mut draft = Draft::new(Position(0), time);
        for before in [Position(0), Position(99)] {
            draft.restart(before, time);
            let mut overlay = Overlay::default();
            let mut position = before;
            for numbers in [0..1, 1..1, 1..8, 8..9, 9..40] {
                let events = prepared(numbers);
                for entry in events.entries().iter() {
                    position = position.next();
                    overlay.add(position, entry);
                }
                draft.add(events).unwrap();
            }
            assert_eq!(draft.last(), position);
            let sessions = (0..6).map(|n| Subject::new(SubjectKind::Session, format!("s-{n}")));
            let tenants =
                (0..4).map(|n| Subject::new(SubjectKind::Tenant, format!("t{n}.example")));
            for subject in sessions.chain(tenants) {
                let listing = Listing::subject(&subject);
                assert_eq!(draft.count(&listing), overlay.count(listing.name()));
                for after in (0..145).map(Position) {
                    let wanted = overlay.positions(listing.name(), after).next();
                    assert_eq!(draft.first_after(&listing, after), wanted);
                }
            }
            let mut position = before;
            for entry in prepared(0..41).entries().iter() {
                position = position.next();
                let found = draft.find(entry.id()).unwrap();
                let found = found.map(|event| (event.id, event.position));
                let is_there = position <= draft.last();
                assert_eq!(found, is_there.then(|| (entry.id().id, position)));
            }
        }
    }
}
