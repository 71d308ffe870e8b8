//! The frame that the desk is making.

use super::error::AppendError;
use super::prepare::Prepared;
use crate::event::Event;
use crate::id::Position;
use crate::index::entry::{EntryRef, HashedId};
use crate::index::{Listing, overlay::Overlay};
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
    events: usize,
    length_bytes: usize,
    overlay: Overlay,
}

impl Draft {
    /// An empty frame that follows a position.
    pub(crate) fn new(before: Position, recorded_at: Timestamp) -> Self {
        Self {
            before,
            recorded_at,
            appends: Vec::new(),
            events: 0,
            length_bytes: 0,
            overlay: Overlay::default(),
        }
    }

    /// Forgets everything and keeps the memory, for a frame that follows another position.
    pub(crate) fn restart(&mut self, before: Position, recorded_at: Timestamp) {
        self.before = before;
        self.recorded_at = recorded_at;
        self.appends.clear();
        self.events = 0;
        self.length_bytes = 0;
        self.overlay.clear();
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

    /// The event of an id, if it was admitted. Costs a decoding if it was.
    pub(crate) fn find(&self, id: HashedId) -> Result<Option<Event>, AppendError> {
        let position = self.overlay.position(id);
        let number = position.and_then(|p| usize::try_from(p.0 - self.first().0).ok());
        let Some(mut number) = number else {
            return Ok(None);
        };
        for append in &self.appends {
            match number.checked_sub(append.len()) {
                Some(later) => number = later,
                None => return append.event(number),
            }
        }
        Ok(None)
    }

    /// How many events of this frame are in a listing.
    pub(crate) fn count(&self, listing: &Listing) -> u64 {
        self.overlay.count(listing.name())
    }

    /// The first position of a listing after a position in this frame.
    pub(crate) fn first_after(&self, listing: &Listing, after: Position) -> Option<Position> {
        self.overlay.positions(listing.name(), after).next()
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
        let mut position = first;
        for entry in events.entries().iter() {
            self.overlay.add(position, entry);
            position = position.next();
        }
        let added = events.len();
        self.events += added;
        self.length_bytes += length_bytes;
        if added > 0 {
            self.appends.push(events);
        }
        Ok(((added > 0).then_some(first), self.last()))
    }
}
