//! Decoding stored events: their fields are taken off the stored bytes one after the other, as they are
//! declared.
//!
//! Serde's derive reads the same layout, and is what says why bytes are no event. It takes twice as long,
//! and most of what a fold or a replay costs is decoding. That both read the same is a law of the types,
//! which tests hold for every kind, and for bytes that were changed.

use super::codec::{CodecError, EVENT_LENGTH_MAX_BYTES};
use super::field::Field;
use super::part::PolicyRef;
use super::{Actor, Event, EventRef, Fact, KindId, Payload, Source};
use crate::id::{EventId, Name, Position};
use crate::secret::Sealed;
use crate::time::{Occurred, Timestamp};

/// Stored bytes that fields are taken off. Every method is `None` where they end too early.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a>(pub(crate) &'a [u8]);

impl<'a> Stored<'a> {
    /// Passes over some bytes.
    pub(crate) fn pass(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }

    /// Takes a fixed number of bytes.
    pub(crate) fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(taken)
    }

    /// Takes the number of elements that follow it.
    pub(crate) fn take_length(&mut self) -> Option<usize> {
        let length = u64::from_le_bytes(*self.take()?);
        usize::try_from(length).ok()
    }

    /// Takes bytes, with their number before them.
    pub(crate) fn take_bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.take_length()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Takes a text, with its length before it.
    pub(crate) fn take_text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.take_bytes()?).ok()
    }

    /// Takes the mark before a value that may be absent.
    pub(crate) fn take_presence(&mut self) -> Option<bool> {
        match self.take()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    /// Takes the number of a variant.
    pub(crate) fn take_variant(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.take()?))
    }

    /// Takes something sealed.
    pub(crate) fn take_sealed(&mut self) -> Option<Sealed> {
        Some(Sealed {
            owner: *self.take()?,
            nonce: *self.take()?,
            ciphertext: self.take_bytes()?.to_vec(),
        })
    }

    fn take_reference(&mut self) -> Option<Option<EventRef>> {
        if !self.take_presence()? {
            return Some(None);
        }
        let reference = match self.take_variant()? {
            0 => EventRef::Id(EventId(*self.take()?)),
            1 => EventRef::Record(Source::decode(self)?),
            _ => return None,
        };
        Some(Some(reference))
    }

    fn take_event(&mut self) -> Option<Event> {
        let position = Position::decode(self)?;
        let recorded_at = Timestamp::decode(self)?;
        let id = EventId(*self.take()?);
        let kind = KindId(u16::from_le_bytes(*self.take()?));
        let version = u16::from_le_bytes(*self.take()?);
        let occurred_at = Occurred::decode(self)?;
        let observed_at = Option::<Timestamp>::decode(self)?;
        let actor = Option::<Actor>::decode(self)?;
        let source = Source::decode(self)?;
        let correlation = Option::<Name>::decode(self)?;
        let causation = self.take_reference()?;
        let corrects = self.take_reference()?;
        let policies = Vec::<PolicyRef>::decode(self)?;
        if self.take_length()? != self.0.len() {
            return None;
        }
        let payload = Payload::decode(kind, version, self)?;
        self.0.is_empty().then_some(Event {
            position,
            recorded_at,
            fact: Fact {
                id,
                occurred_at,
                observed_at,
                actor,
                source,
                correlation,
                causation,
                corrects,
                policies,
                payload,
            },
        })
    }
}

impl Event {
    /// Reads the stored form; every byte has to be part of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        if bytes.len() <= EVENT_LENGTH_MAX_BYTES
            && let Some(event) = Stored(bytes).take_event()
        {
            return Ok(event);
        }
        Self::decode_by_serde(bytes)
    }
}
