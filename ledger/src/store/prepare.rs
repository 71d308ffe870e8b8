//! What is made of an append before the sequencer sees it, by the thread that submits it: stored bytes,
//! index entries and names are the costly part, and many threads can make them at once. All events of an
//! append share their buffers.

use super::append::{Condition, Known};
use super::error::AppendError;
use crate::event::codec::{CodecError, EVENT_LENGTH_USUAL_BYTES, put_place};
use crate::event::{Event, Fact};
use crate::id::{EventId, Position};
use crate::index::Listing;
use crate::index::entry::Entries;
use crate::limits::{APPEND_CONDITIONS_MAX, APPEND_EVENTS_MAX};
use crate::time::Timestamp;

/// Facts in their stored form, with their index entries. They have no places in the log yet, or have some
/// after [`Prepared::put`].
#[derive(Default)]
pub(crate) struct Prepared {
    entries: Entries,
    stored: Vec<u8>,
    /// Where each event ends.
    ends: Vec<usize>,
}

impl Prepared {
    /// Encodes facts, which have to be what was encoded.
    fn new(facts: Vec<Fact>) -> Result<Self, AppendError> {
        let mut prepared = Self {
            entries: Entries::with_room(facts.len()),
            stored: Vec::with_capacity(facts.len() * EVENT_LENGTH_USUAL_BYTES),
            ends: Vec::with_capacity(facts.len()),
        };
        for fact in facts {
            prepared.push(fact)?;
        }
        Ok(prepared)
    }

    fn push(&mut self, fact: Fact) -> Result<(), AppendError> {
        self.entries.push(&fact);
        let event = Event {
            position: Position(0),
            recorded_at: Timestamp::from_micros(0),
            fact,
        };
        let stored = event.encode_checked_to(&mut self.stored);
        let id = event.id;
        stored.map_err(|error| AppendError::Codec { id, error })?;
        self.ends.push(self.stored.len());
        Ok(())
    }

    /// Only the events of some numbers, in order.
    pub(crate) fn only(&self, numbers: &[usize]) -> Self {
        let mut some = Self::default();
        let mut numbers = numbers.iter().copied().peekable();
        for (number, (entry, stored)) in self.entries.iter().zip(self.stored()).enumerate() {
            if numbers.next_if_eq(&number).is_some() {
                some.entries.copy(entry);
                some.stored.extend_from_slice(stored);
                some.ends.push(some.stored.len());
            }
        }
        some
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// What the index keeps of them.
    pub(crate) fn entries(&self) -> &Entries {
        &self.entries
    }

    /// Their stored bytes, in order.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let stored = self.stored.get(start..*end);
            start = *end;
            stored.unwrap_or_default()
        })
    }

    /// The length of their stored forms together, in bytes.
    pub(crate) fn length_bytes(&self) -> usize {
        self.stored.len()
    }

    /// The event of a number. Costs a decoding: it is only asked for when its id is known.
    pub(crate) fn event(&self, number: usize) -> Result<Option<Event>, AppendError> {
        let id = self.entries.ids().nth(number);
        let stored = self.stored().nth(number);
        let both = id.zip(stored);
        both.map(|(id, stored)| decode(id.id, stored)).transpose()
    }

    /// Gives them their places, from a position on.
    pub(crate) fn put(
        &mut self,
        first: Position,
        recorded_at: Timestamp,
    ) -> Result<(), AppendError> {
        let mut position = first;
        let mut start = 0;
        for (end, id) in self.ends.iter().zip(self.entries.ids()) {
            let stored = self.stored.get_mut(start..*end).unwrap_or_default();
            if !put_place(stored, position, recorded_at) {
                return Err(AppendError::Codec {
                    id: id.id,
                    error: CodecError::Malformed {
                        what: "event",
                        reason: "it is too short to have a place".to_owned(),
                    },
                });
            }
            position = position.next();
            start = *end;
        }
        Ok(())
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
    pub(crate) events: Prepared,
    pub(crate) guards: Vec<Guard>,
    pub(crate) known: Known,
}

impl Offer {
    /// Prepares an append. Costs encoding each fact, and comparing what came of it.
    pub(crate) fn new(
        facts: Vec<Fact>,
        conditions: Vec<Condition>,
        known: Known,
    ) -> Result<Self, AppendError> {
        at_most("events", facts.len(), APPEND_EVENTS_MAX)?;
        at_most("conditions", conditions.len(), APPEND_CONDITIONS_MAX)?;
        Ok(Self {
            events: Prepared::new(facts)?,
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
