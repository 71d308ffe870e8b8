//! Frames: what the log takes in at once. The layout is in `FORMAT.md`.

use crate::id::Position;
use crate::limits::FRAME_LENGTH_MAX_BYTES;
use std::fmt;
use std::ops::Range;

/// Counts the times that a store was opened for writing: a frame of an earlier one is refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

const MAGIC: [u8; 4] = *b"ALfr";
const VERSION: u16 = 1;
const HEADER_LENGTH_BYTES: usize = 32;
const HASH_LENGTH_BYTES: usize = 32;

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Too short, or too long for what its header says.
    #[error("it has {found} bytes, and {wanted} are expected")]
    Length {
        /// How many bytes there are.
        found: usize,
        /// How many there should be, at least.
        wanted: usize,
    },
    /// Does not begin as a frame does.
    #[error("it does not begin with the mark of a frame")]
    Magic,
    /// Written by another version.
    #[error("it has format {found}, and this version reads format {VERSION}")]
    Version {
        /// Its format.
        found: u16,
    },
    /// Some byte was changed.
    #[error("its BLAKE3 hash does not match its bytes")]
    Hash,
    /// Its numbers contradict each other, although its hash matches.
    #[error("its {what} cannot be")]
    Impossible {
        /// Which part.
        what: &'static str,
    },
    /// More than a frame may hold.
    #[error("its events take {length} bytes; the most is {FRAME_LENGTH_MAX_BYTES}")]
    TooLarge {
        /// Their length in bytes.
        length: usize,
    },
}

/// A frame whose bytes were checked, or were just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    epoch: Epoch,
    first: Position,
    bytes: Vec<u8>,
    /// Where each event is in `bytes`.
    events: Vec<Range<usize>>,
}

impl Frame {
    /// Frames the stored bytes of at least one event, the first of which has position `first`.
    pub fn new(epoch: Epoch, first: Position, events: &[Vec<u8>]) -> Result<Self, FrameError> {
        let length: usize = events.iter().map(Vec::len).sum();
        if length > FRAME_LENGTH_MAX_BYTES {
            return Err(FrameError::TooLarge { length });
        }
        let count = u32::try_from(events.len()).unwrap_or(0);
        if count == 0 || first.0 == 0 {
            return Err(FrameError::Impossible { what: "count" });
        }
        let mut bytes =
            Vec::with_capacity(HEADER_LENGTH_BYTES + 4 * events.len() + length + HASH_LENGTH_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&epoch.0.to_le_bytes());
        bytes.extend_from_slice(&first.0.to_le_bytes());
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(length).unwrap_or(0).to_le_bytes());
        for event in events {
            bytes.extend_from_slice(&u32::try_from(event.len()).unwrap_or(0).to_le_bytes());
        }
        let mut ranges = Vec::with_capacity(events.len());
        for event in events {
            ranges.push(bytes.len()..bytes.len() + event.len());
            bytes.extend_from_slice(event);
        }
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        Ok(Self {
            epoch,
            first,
            bytes,
            events: ranges,
        })
    }

    /// Reads a frame and checks all of it, the hash first. Costs one hash of its bytes.
    pub fn read(bytes: Vec<u8>) -> Result<Self, FrameError> {
        let wanted = Self::whole_length(&bytes)?;
        let found = bytes.len();
        if found != wanted {
            return Err(FrameError::Length { found, wanted });
        }
        let body = bytes.get(..found - HASH_LENGTH_BYTES).unwrap_or_default();
        let hash = bytes.get(found - HASH_LENGTH_BYTES..).unwrap_or_default();
        if blake3::hash(body).as_bytes() != hash {
            return Err(FrameError::Hash);
        }
        if bytes.get(6..8) != Some(&[0, 0]) {
            return Err(FrameError::Impossible { what: "header" });
        }
        let epoch = Epoch(u64_at(&bytes, 8));
        let first = Position(u64_at(&bytes, 16));
        let count = u32_at(&bytes, 24);
        if first.0 == 0 || count == 0 || first.0.checked_add(count as u64 - 1).is_none() {
            return Err(FrameError::Impossible { what: "positions" });
        }
        let mut events = Vec::with_capacity(count);
        let mut at = HEADER_LENGTH_BYTES + 4 * count;
        for number in 0..count {
            let length = u32_at(&bytes, HEADER_LENGTH_BYTES + 4 * number);
            events.push(at..at.saturating_add(length));
            at = at.saturating_add(length);
        }
        if at != body.len() {
            return Err(FrameError::Impossible { what: "lengths" });
        }
        Ok(Self {
            epoch,
            first,
            bytes,
            events,
        })
    }

    /// How many bytes the frame has whose beginning is given, as its header says. The header is
    /// not checked by a hash yet, so the answer is only good for telling a torn frame.
    pub fn whole_length(beginning: &[u8]) -> Result<usize, FrameError> {
        let found = beginning.len();
        if found < HEADER_LENGTH_BYTES {
            let wanted = HEADER_LENGTH_BYTES;
            return Err(FrameError::Length { found, wanted });
        }
        if beginning.get(..4) != Some(&MAGIC) {
            return Err(FrameError::Magic);
        }
        let version = u16::from_le_bytes(array_at(beginning, 4));
        if version != VERSION {
            return Err(FrameError::Version { found: version });
        }
        let length = u32_at(beginning, 28);
        if length > FRAME_LENGTH_MAX_BYTES {
            return Err(FrameError::TooLarge { length });
        }
        let lengths = u32_at(beginning, 24).saturating_mul(4);
        Ok((HEADER_LENGTH_BYTES + HASH_LENGTH_BYTES + length).saturating_add(lengths))
    }

    /// Under which epoch it was written.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The position of its first event.
    pub fn first(&self) -> Position {
        self.first
    }

    /// The position of its last event.
    pub fn last(&self) -> Position {
        Position(self.before().0 + self.events.len() as u64)
    }

    /// The position that it follows.
    pub fn before(&self) -> Position {
        Position(self.first.0.saturating_sub(1))
    }

    /// Its stored form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The stored bytes of the event at a position; `None` if it is not in this frame.
    pub fn event(&self, position: Position) -> Option<&[u8]> {
        let number = usize::try_from(position.0.checked_sub(self.first.0)?).ok()?;
        self.bytes.get(self.events.get(number)?.clone())
    }
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let slice = bytes.get(at..).and_then(|rest| rest.first_chunk());
    slice.copied().unwrap_or([0; N])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u32::from_le_bytes(array_at(bytes, at))).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        let events = [b"one".to_vec(), b"two two".to_vec(), vec![]];
        Frame::new(Epoch(3), Position(7), &events).unwrap()
    }

    #[test]
    fn a_frame_is_read_back_as_it_was_made() {
        let made = frame();
        let read = Frame::read(made.bytes().to_vec()).unwrap();
        assert_eq!(read, made);
        assert_eq!((read.before(), read.last()), (Position(6), Position(9)));
        assert_eq!(read.event(Position(8)), Some(b"two two".as_slice()));
        assert_eq!(read.event(Position(9)), Some(b"".as_slice()));
        assert_eq!(read.event(Position(6)), None);
        assert_eq!(read.event(Position(10)), None);
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_noticed() {
        let bytes = frame().bytes().to_vec();
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(Frame::read(changed).is_err(), "bit {at}");
        }
        for length in 0..bytes.len() {
            assert!(Frame::read(bytes[..length].to_vec()).is_err(), "{length}");
        }
        assert!(Frame::read([bytes, vec![0]].concat()).is_err());
    }

    #[test]
    fn a_frame_without_events_cannot_be_made() {
        assert!(Frame::new(Epoch(1), Position(1), &[]).is_err());
        assert!(Frame::new(Epoch(1), Position(0), &[vec![1]]).is_err());
    }
}
