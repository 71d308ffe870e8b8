//! What is made of an append before the sequencer sees it, by the thread that submits it: stored bytes,
//! index entries and names are the costly part, and many threads can make them at once.

use super::append::{Condition, Known};
use super::error::AppendError;
use crate::event::codec::{CodecError, put_place};
use crate::event::{Event, Fact};
use crate::id::{EventId, Position};
use crate::index::{Listing, entry::Entry};
use crate::limits::{APPEND_CONDITIONS_MAX, APPEND_EVENTS_MAX};
use crate::time::Timestamp;

/// A fact in its stored form, with its index entry. It has no place in the log yet, or has one
/// after [`Prepared::put`].
pub(crate) struct Prepared {
    entry: Entry,
    stored: Vec<u8>,
}

impl Prepared {
    /// Encodes a fact, which has to come out again when it is decoded.
    fn new(fact: Fact) -> Result<Self, AppendError> {
        let event = Event {
            position: Position(0),
            recorded_at: Timestamp::from_micros(0),
            fact,
        };
        let stored = event.encode_checked();
        let id = event.id;
        Ok(Self {
            stored: stored.map_err(|error| AppendError::Codec { id, error })?,
            entry: Entry::of(&event),
        })
    }

    /// The id of the event.
    pub(crate) fn id(&self) -> EventId {
        self.entry.id()
    }

    /// The length of its stored form, in bytes.
    pub(crate) fn length_bytes(&self) -> usize {
        self.stored.len()
    }

    /// The event. Costs a decoding: it is only asked for when its id is known.
    pub(crate) fn event(&self) -> Result<Event, AppendError> {
        decode(self.id(), &self.stored)
    }

    /// Gives it its place.
    pub(crate) fn put(
        mut self,
        position: Position,
        recorded_at: Timestamp,
    ) -> Result<(Entry, Vec<u8>), AppendError> {
        match put_place(&mut self.stored, position, recorded_at) {
            true => Ok((self.entry, self.stored)),
            false => Err(AppendError::Codec {
                id: self.id(),
                error: CodecError::Malformed {
                    what: "event",
                    reason: "it is too short to have a place".to_owned(),
                },
            }),
        }
    }
}

/// Decodes an event that was encoded here.
pub(crate) fn decode(id: EventId, stored: &[u8]) -> Result<Event, AppendError> {
    Event::decode(stored).map_err(|error| AppendError::Codec { id, error })
}

/// A condition, with the listing that it is checked in.
pub(crate) struct Guard {
    pub(crate) condition: Condition,
    pub(crate) listing: Listing,
}

impl Guard {
    fn new(condition: Condition) -> Self {
        let (Condition::SubjectAt { subject, .. }
        | Condition::SubjectAbsent { subject }
        | Condition::SubjectUnchangedSince { subject, .. }) = &condition;
        let listing = Listing::subject(subject);
        Self { condition, listing }
    }
}

/// An append, ready for the sequencer.
pub(crate) struct Offer {
    pub(crate) events: Vec<Prepared>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) known: Known,
}

impl Offer {
    /// Prepares an append. Costs encoding and decoding each fact.
    pub(crate) fn new(
        facts: Vec<Fact>,
        conditions: Vec<Condition>,
        known: Known,
    ) -> Result<Self, AppendError> {
        at_most("events", facts.len(), APPEND_EVENTS_MAX)?;
        at_most("conditions", conditions.len(), APPEND_CONDITIONS_MAX)?;
        let events = facts.into_iter().map(Prepared::new);
        Ok(Self {
            events: events.collect::<Result<_, _>>()?,
            guards: conditions.into_iter().map(Guard::new).collect(),
            known,
        })
    }
}

fn at_most(what: &'static str, found: usize, most: usize) -> Result<(), AppendError> {
    if found > most {
        return Err(AppendError::TooLarge { what, found, most });
    }
    Ok(())
}
