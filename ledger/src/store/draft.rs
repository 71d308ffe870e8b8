//! The frame that the sequencer is making.

use super::error::AppendError;
use crate::event::{Event, Fact};
use crate::id::{EventId, Position};
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
    events: Vec<Event>,
    stored: Vec<Vec<u8>>,
    length_bytes: usize,
    overlay: Overlay,
}

impl Draft {
    /// An empty frame that follows a position.
    pub(crate) fn new(before: Position, recorded_at: Timestamp) -> Self {
        Self {
            before,
            recorded_at,
            events: Vec::new(),
            stored: Vec::new(),
            length_bytes: 0,
            overlay: Overlay::default(),
        }
    }

    /// Whether a further append should wait for the next frame.
    pub(crate) fn is_full(&self) -> bool {
        self.length_bytes >= FRAME_LENGTH_TARGET_BYTES || self.events.len() >= FRAME_EVENTS_TARGET
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn first(&self) -> Position {
        self.before.next()
    }

    pub(crate) fn last(&self) -> Position {
        Position(self.before.0 + self.events.len() as u64)
    }

    pub(crate) fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }

    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// The stored bytes of the events.
    pub(crate) fn stored(&self) -> &[Vec<u8>] {
        &self.stored
    }

    /// The event of an id, if it was admitted.
    pub(crate) fn find(&self, id: EventId) -> Option<&Event> {
        let position = self.overlay.position(id)?;
        let number = usize::try_from(position.0 - self.first().0).ok()?;
        self.events.get(number)
    }

    /// The positions of a listing in this frame.
    pub(crate) fn positions(&self, listing: &Listing) -> &[Position] {
        self.overlay.positions(listing)
    }

    /// Places all facts or, if one cannot be stored, none. Returns the first and the last position.
    pub(crate) fn add(
        &mut self,
        facts: Vec<Fact>,
    ) -> Result<(Option<Position>, Position), AppendError> {
        let mut position = self.last();
        let mut added = Vec::with_capacity(facts.len());
        let mut length_bytes = 0;
        for fact in facts {
            position = position.next();
            let event = Event {
                position,
                recorded_at: self.recorded_at,
                fact,
            };
            let stored = event.encode_checked().map_err(|error| AppendError::Codec {
                id: event.id,
                error,
            })?;
            length_bytes += stored.len();
            added.push((event, stored));
        }
        if length_bytes > APPEND_LENGTH_MAX_BYTES {
            return Err(AppendError::TooLarge {
                what: "bytes",
                found: length_bytes,
                most: APPEND_LENGTH_MAX_BYTES,
            });
        }
        let first = (!added.is_empty()).then(|| self.last().next());
        for (event, stored) in added {
            self.overlay.add(&event);
            self.events.push(event);
            self.stored.push(stored);
        }
        self.length_bytes += length_bytes;
        Ok((first, position))
    }
}
