//! The pieces that frames are cut into for sled. Each says what it is a piece of, so that it is found
//! in sled's file without sled.
//!
//! The layout is in `FORMAT.md`.

use super::{Epoch, Frame};
use crate::id::Position;
use crate::limits::SLED_VALUE_MAX_BYTES;

/// What a piece begins with.
pub(super) const MAGIC: [u8; 4] = *b"ALpc";
/// How long the part before the content is.
pub(super) const HEADER_LENGTH_BYTES: usize = 36;
const CHECK_LENGTH_BYTES: usize = 8;
pub(super) const CONTENT_MAX_BYTES: usize = SLED_VALUE_MAX_BYTES - HEADER_LENGTH_BYTES;

/// What the header of a piece says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its number within its frame, from 0.
    pub(super) number: u16,
    /// How many pieces the frame has.
    pub(super) count: u16,
    /// How many bytes of the frame it holds.
    pub(super) length: usize,
    /// The epoch of its frame.
    pub(super) epoch: Epoch,
    /// The first position of its frame.
    pub(super) first: Position,
}

impl Piece {
    /// The pieces of a frame in their stored form, in order. Costs one hash of them.
    pub(super) fn cut(frame: &Frame) -> impl Iterator<Item = (u16, Vec<u8>)> {
        let contents = frame.bytes().chunks(CONTENT_MAX_BYTES);
        let count = u16::try_from(contents.len()).unwrap_or(u16::MAX);
        (0..count).zip(contents).map(move |(number, content)| {
            let piece = Self {
                number,
                count,
                length: content.len(),
                epoch: frame.epoch(),
                first: frame.first(),
            };
            (number, piece.encode(content))
        })
    }

    fn encode(&self, content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_LENGTH_BYTES + content.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        let length = u32::try_from(self.length).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&self.epoch.0.to_le_bytes());
        bytes.extend_from_slice(&self.first.0.to_le_bytes());
        let check = check(&bytes, content);
        bytes.extend_from_slice(&check);
        bytes.extend_from_slice(content);
        bytes
    }

    /// Reads the header of a piece and says where its content is, unchecked: the frame's own hash covers
    /// it. `None` if these are not exactly the bytes of a piece.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (piece, content) = Self::begin(bytes)?;
        (content.len() == piece.length).then_some((piece, content))
    }

    /// The piece that some bytes begin with, whatever follows it, checked. Costs one hash of it.
    pub(super) fn carve(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (piece, rest) = Self::begin(bytes)?;
        let content = rest.get(..piece.length)?;
        let header = bytes.get(..HEADER_LENGTH_BYTES)?;
        let (header, found) = header.split_last_chunk::<CHECK_LENGTH_BYTES>()?;
        (*found == check(header, content)).then_some((piece, content))
    }

    fn begin(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (header, rest) = bytes.split_at_checked(HEADER_LENGTH_BYTES)?;
        let (magic, header) = header.split_first_chunk::<4>()?;
        let (number, header) = header.split_first_chunk::<2>()?;
        let (count, header) = header.split_first_chunk::<2>()?;
        let (length, header) = header.split_first_chunk::<4>()?;
        let (epoch, header) = header.split_first_chunk::<8>()?;
        let first = header.first_chunk::<8>()?;
        let piece = Self {
            number: u16::from_le_bytes(*number),
            count: u16::from_le_bytes(*count),
            length: usize::try_from(u32::from_le_bytes(*length)).ok()?,
            epoch: Epoch(u64::from_le_bytes(*epoch)),
            first: Position(u64::from_le_bytes(*first)),
        };
        let can_be = piece.number < piece.count && piece.length <= CONTENT_MAX_BYTES;
        (*magic == MAGIC && can_be).then_some((piece, rest))
    }
}

fn check(header: &[u8], content: &[u8]) -> [u8; CHECK_LENGTH_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(header).update(content);
    let hash = hasher.finalize();
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_frame_join_to_it_and_every_changed_bit_is_noticed() {
        let events: Vec<Vec<u8>> = (0..5_u8).map(|n| vec![n; 3_000]).collect();
        let frame = Frame::new(Epoch(4), Position(9), &events).unwrap();
        let pieces: Vec<_> = Piece::cut(&frame).collect();
        assert_eq!(pieces.len(), 3);
        let mut joined = Vec::new();
        for (number, bytes) in &pieces {
            assert!(bytes.len() <= SLED_VALUE_MAX_BYTES);
            let (piece, content) = Piece::read(bytes).unwrap();
            assert_eq!((piece.number, piece.count), (*number, 3));
            assert_eq!((piece.epoch, piece.first), (Epoch(4), Position(9)));
            let followed = [bytes.as_slice(), &[1, 2, 3]].concat();
            assert_eq!(Piece::carve(&followed), Some((piece, content)));
            assert_eq!(Piece::read(&followed), None);
            joined.extend_from_slice(content);
        }
        assert_eq!(joined, frame.bytes());
        let bytes = &pieces[2].1;
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Piece::carve(&changed), None, "bit {bit}");
        }
    }
}
