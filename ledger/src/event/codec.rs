//! The stored form of events: bincode's legacy fixed-width layout over plain serde types.
//!
//! What was encoded is held against the fact before it is acknowledged (see `stored.rs`), and decoding
//! consumes every byte. Hashes are taken over the stored bytes, never over a second encoding.

use super::{Actor, Event, EventRef, Fact, Kind, KindId, Payload, Source};
use crate::event::part::PolicyRef;
use crate::id::{EventId, Name, Position};
use crate::time::{Occurred, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The largest stored event, in bytes: keeps frames and memory bounded.
pub const EVENT_LENGTH_MAX_BYTES: usize = 1 << 20;

/// Room for most stored events, in bytes.
pub(crate) const EVENT_LENGTH_USUAL_BYTES: usize = 768;

/// Why bytes are no event, or an event cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The bytes are not what this version writes.
    #[error("the stored bytes are no {what}: {reason}")]
    Malformed {
        /// What was being decoded.
        what: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// Bytes are left over after the last field.
    #[error("{surplus} bytes are left over after a stored {what}")]
    Surplus {
        /// What was being decoded.
        what: &'static str,
        /// How many bytes.
        surplus: usize,
    },
    /// A kind that this version does not know.
    #[error("event kind {kind} is not known to this version; use the version that wrote the store")]
    UnknownKind {
        /// Its number.
        kind: u16,
    },
    /// A later form of a kind that this version does not know.
    #[error(
        "{kind} in version {version} is not known to this version; use the version that wrote the store"
    )]
    UnknownVersion {
        /// The kind's name.
        kind: &'static str,
        /// The version that was found.
        version: u16,
    },
    /// What was encoded is not what its fields say: a mistake in a stored type.
    #[error("{kind} does not survive being stored and read back; this is a mistake in the program")]
    NotFaithful {
        /// The kind's name.
        kind: &'static str,
    },
    /// Larger than [`EVENT_LENGTH_MAX_BYTES`].
    #[error("the event would take {length} bytes; the largest is {EVENT_LENGTH_MAX_BYTES}")]
    TooLarge {
        /// Its length in bytes.
        length: usize,
    },
}

/// [`StoredEvent`] of an event that is not taken apart, up to its payload.
#[derive(Serialize)]
struct StoredEventRef<'a> {
    position: Position,
    recorded_at: Timestamp,
    id: EventId,
    kind: KindId,
    version: u16,
    occurred_at: Occurred,
    observed_at: Option<Timestamp>,
    actor: &'a Option<Actor>,
    source: &'a Source,
    correlation: &'a Option<Name>,
    causation: &'a Option<EventRef>,
    corrects: &'a Option<EventRef>,
    policies: &'a [PolicyRef],
}

/// The stored form. Storage contract: names, order and types of the fields.
#[derive(Deserialize)]
struct StoredEvent<'a> {
    position: Position,
    recorded_at: Timestamp,
    id: EventId,
    kind: KindId,
    version: u16,
    occurred_at: Occurred,
    observed_at: Option<Timestamp>,
    actor: Option<Actor>,
    source: Source,
    correlation: Option<Name>,
    causation: Option<EventRef>,
    corrects: Option<EventRef>,
    policies: Vec<PolicyRef>,
    #[serde(with = "serde_bytes", borrow)]
    payload: &'a [u8],
}

fn malformed(what: &'static str) -> impl Fn(bincode::error::DecodeError) -> CodecError {
    move |error| CodecError::Malformed {
        what,
        reason: error.to_string(),
    }
}

fn config() -> impl bincode::config::Config {
    bincode::config::legacy().with_limit::<EVENT_LENGTH_MAX_BYTES>()
}

/// Where the position and the recorded time are in the stored form: eight bytes each, at its start.
const PLACE_LENGTH_BYTES: usize = 8;

/// Gives a stored event, which was encoded for some other place in the log, its place: what
/// [`Event::encode`] would have written for it. `false` if the bytes are too short for an event.
#[must_use]
pub(crate) fn put_place(stored: &mut [u8], position: Position, recorded_at: Timestamp) -> bool {
    let Some((place, rest)) = stored.split_first_chunk_mut::<PLACE_LENGTH_BYTES>() else {
        return false;
    };
    let Some((time, _)) = rest.split_first_chunk_mut::<PLACE_LENGTH_BYTES>() else {
        return false;
    };
    *place = position.0.to_le_bytes();
    *time = recorded_at.as_micros().to_le_bytes();
    true
}

/// Appends the stored form of a value to a buffer.
pub(crate) fn encode_into<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let length = bincode::serde::encode_into_std_write(value, out, config()).map_err(|error| {
        CodecError::Malformed {
            what: "value that can be encoded",
            reason: error.to_string(),
        }
    })?;
    debug_assert!(length <= out.len());
    Ok(())
}

/// Decodes a value from all of the bytes.
pub(crate) fn decode_exact<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let what = "value";
    let (value, used) =
        bincode::serde::decode_from_slice(bytes, config()).map_err(malformed(what))?;
    match bytes.len() - used {
        0 => Ok(value),
        surplus => Err(CodecError::Surplus { what, surplus }),
    }
}

/// Refuses versions of a kind that are not its present one. Upcasters of old versions go here.
pub(crate) fn known_version<K: Kind>(version: u16) -> Result<(), CodecError> {
    if version == K::INFO.version {
        return Ok(());
    }
    Err(CodecError::UnknownVersion {
        kind: K::INFO.name,
        version,
    })
}

impl Event {
    /// The stored form: the bytes that are kept, hashed and proved.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        let mut out = Vec::with_capacity(EVENT_LENGTH_USUAL_BYTES);
        self.fact
            .encode_at(self.position, self.recorded_at, &mut out)?;
        Ok(out)
    }

    /// [`Event::encode`], walked over and compared: what the log acknowledges can be read back.
    pub fn encode_checked(&self) -> Result<Vec<u8>, CodecError> {
        let mut out = Vec::with_capacity(EVENT_LENGTH_USUAL_BYTES);
        self.fact
            .encode_checked_at(self.position, self.recorded_at, &mut out)?;
        Ok(out)
    }

    /// [`Event::decode`] by what serde derives: slower, and says what is wrong.
    pub fn decode_by_serde(bytes: &[u8]) -> Result<Self, CodecError> {
        let what = "event";
        let (stored, used): (StoredEvent<'_>, usize) =
            bincode::serde::borrow_decode_from_slice(bytes, config()).map_err(malformed(what))?;
        if used != bytes.len() {
            let surplus = bytes.len() - used;
            return Err(CodecError::Surplus { what, surplus });
        }
        Ok(Self {
            position: stored.position,
            recorded_at: stored.recorded_at,
            fact: Fact {
                id: stored.id,
                occurred_at: stored.occurred_at,
                observed_at: stored.observed_at,
                actor: stored.actor,
                source: stored.source,
                correlation: stored.correlation,
                causation: stored.causation,
                corrects: stored.corrects,
                policies: stored.policies,
                payload: Payload::decode_by_serde(stored.kind, stored.version, stored.payload)?,
            },
        })
    }
}

impl Fact {
    /// Appends the stored form of the event that it is at a place in the log to a buffer.
    fn encode_at(
        &self,
        position: Position,
        recorded_at: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        let start = out.len();
        let kind = self.kind();
        let stored = StoredEventRef {
            position,
            recorded_at,
            id: self.id,
            kind: kind.id,
            version: kind.version,
            occurred_at: self.occurred_at,
            observed_at: self.observed_at,
            actor: &self.actor,
            source: &self.source,
            correlation: &self.correlation,
            causation: &self.causation,
            corrects: &self.corrects,
            policies: &self.policies,
        };
        encode_into(&stored, out)?;
        // The payload is a list of bytes: its length comes first, and is known last.
        let length_at = out.len();
        out.extend_from_slice(&[0; size_of::<u64>()]);
        let payload_at = out.len();
        self.payload.encode(out)?;
        let length = (out.len() - payload_at) as u64;
        if let Some(place) = out.get_mut(length_at..payload_at) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        match out.len() - start {
            length if length > EVENT_LENGTH_MAX_BYTES => Err(CodecError::TooLarge { length }),
            _ => Ok(()),
        }
    }

    /// [`Event::encode_checked`] of the event that it is at a place, appended to a buffer, without moving the
    /// fact, which is large. After an error the buffer is not to be used.
    pub(crate) fn encode_checked_at(
        &self,
        position: Position,
        recorded_at: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        let start = out.len();
        self.encode_at(position, recorded_at, out)?;
        let stored = out.get(start..).unwrap_or_default();
        match self.is_stored_at(position, recorded_at, stored) {
            true => Ok(()),
            false => Err(CodecError::NotFaithful {
                kind: self.kind().name,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::json::read_fact;
    use crate::secret::PublicKeyring;
    use serde_json::json;

    #[test]
    fn putting_a_place_into_a_stored_event_is_encoding_it_there() {
        let fact = json!({
            "kind": "SessionEnded",
            "occurred_at": "2024-03-05T08:00:00Z",
            "source": { "system": "portal", "record": "s-1" },
            "data": { "session": "s-1", "reason": "SignedOut" }
        });
        let event = |position, micros| Event {
            position: Position(position),
            recorded_at: Timestamp::from_micros(micros),
            fact: read_fact(&fact, &mut PublicKeyring).unwrap(),
        };
        let mut stored = event(0, 0).encode_checked().unwrap();
        for (position, micros) in [(1, -1), (u64::MAX, i64::MAX), (0x0102_0304_0506_0708, 99)] {
            let placed = event(position, micros);
            assert!(put_place(&mut stored, placed.position, placed.recorded_at));
            assert_eq!(stored, placed.encode().unwrap());
            assert_eq!(Event::decode(&stored).unwrap(), placed);
        }
        assert!(!put_place(
            &mut [0; 15],
            Position(1),
            Timestamp::from_micros(0)
        ));
    }
}
