//! Holding stored bytes against the fact that they were made of, without decoding them.
//!
//! A fact is decoded from what serde derives; this walks over the stored layout as the fields of a kind
//! are declared, one after the other, and compares each with the bytes where it has to stand. A type
//! whose derive leaves the declared layout is caught here before an event of it is acknowledged. That decoding
//! reads exactly this layout is a law of the types, not of the values, and tests hold it for every
//! kind: see [`Event::encode_checked`]. It allocates nothing, and costs a tenth of a decoding.

use super::field::Field;
use super::{Event, EventRef, Source};
use crate::secret::Sealed;

/// Whether bytes begin with what is expected, which is taken off.
pub(crate) fn same(stored: &mut &[u8], expected: &[u8]) -> bool {
    match stored.strip_prefix(expected) {
        Some(rest) => {
            *stored = rest;
            true
        }
        None => false,
    }
}

/// Whether bytes begin with the number of elements that follow it.
pub(crate) fn is_length_at(length: usize, stored: &mut &[u8]) -> bool {
    same(stored, &(length as u64).to_le_bytes())
}

/// Whether bytes begin with a text and its length before it.
pub(crate) fn is_text_at(text: &str, stored: &mut &[u8]) -> bool {
    is_length_at(text.len(), stored) && same(stored, text.as_bytes())
}

impl Sealed {
    /// Whether its stored form stands at the beginning of some bytes, which are taken off.
    pub(crate) fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        same(stored, &self.owner)
            && same(stored, &self.nonce)
            && is_length_at(self.ciphertext.len(), stored)
            && same(stored, &self.ciphertext)
    }
}

fn is_ref_at(reference: &Option<EventRef>, stored: &mut &[u8]) -> bool {
    match reference {
        None => same(stored, &[0]),
        Some(EventRef::Id(id)) => same(stored, &[1, 0, 0, 0, 0]) && same(stored, &id.0),
        Some(EventRef::Record(source)) => {
            same(stored, &[1, 1, 0, 0, 0]) && Source::is_stored_at(source, stored)
        }
    }
}

impl Event {
    /// Whether some bytes are exactly its stored form. Costs a comparison of them.
    pub(crate) fn is_stored_as(&self, mut stored: &[u8]) -> bool {
        let stored = &mut stored;
        let kind = self.fact.kind();
        let fact = &self.fact;
        let is_envelope = same(stored, &self.position.0.to_le_bytes())
            && self.recorded_at.is_stored_at(stored)
            && same(stored, &fact.id.0)
            && same(stored, &kind.id.0.to_le_bytes())
            && same(stored, &kind.version.to_le_bytes())
            && fact.occurred_at.is_stored_at(stored)
            && fact.observed_at.is_stored_at(stored)
            && fact.actor.is_stored_at(stored)
            && fact.source.is_stored_at(stored)
            && fact.correlation.is_stored_at(stored)
            && is_ref_at(&fact.causation, stored)
            && is_ref_at(&fact.corrects, stored)
            && fact.policies.is_stored_at(stored);
        let payload_length = stored.len().saturating_sub(size_of::<u64>());
        is_envelope
            && is_length_at(payload_length, stored)
            && fact.payload.is_stored_at(stored)
            && stored.is_empty()
    }
}
