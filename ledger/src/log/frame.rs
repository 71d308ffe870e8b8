//! Frames: what the log takes in at once. The layout is in `FORMAT.md`.

use super::block::{self, Block, StoredBlock};
use crate::id::Position;
use crate::limits::{FRAME_COMPRESSED_LENGTH_MIN_BYTES, FRAME_EVENTS_MAX, FRAME_LENGTH_MAX_BYTES};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Counts the times that a store was opened for writing: a frame of an earlier one is refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What a frame begins with.
pub(crate) const MAGIC: [u8; 4] = *b"ALfr";
const VERSION: u16 = 2;
/// How long the part of a frame is that says how long all of it is.
pub(crate) const HEADER_LENGTH_BYTES: usize = 40;
const CHECKED_HEADER_LENGTH_BYTES: usize = 36;
const HASH_LENGTH_BYTES: usize = 32;
/// The frame's events are lost: it holds their leaf hashes.
const LOST: u16 = 1;

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
    /// Some byte of its header was changed.
    #[error("the check of its header does not match it")]
    Header,
    /// Some byte of its table of blocks was changed.
    #[error("the check of its table does not match it")]
    Table,
    /// Some byte of a block was changed.
    #[error("the check of a block does not match it")]
    Block,
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

/// What the beginning of a frame says, after its own check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) epoch: Epoch,
    pub(crate) first: Position,
    pub(crate) count: usize,
    pub(crate) is_lost: bool,
    blocks: usize,
    /// How long the table of blocks and the blocks are together.
    body_length: usize,
}

impl Header {
    /// Reads a header from the beginning of a frame. Costs one hash of 36 bytes.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, FrameError> {
        let found = bytes.len();
        let Some((checked, rest)) = bytes.split_first_chunk::<CHECKED_HEADER_LENGTH_BYTES>() else {
            let wanted = HEADER_LENGTH_BYTES;
            return Err(FrameError::Length { found, wanted });
        };
        if checked.first_chunk() != Some(&MAGIC) {
            return Err(FrameError::Magic);
        }
        let version = u16::from_le_bytes(array_at(checked, 4));
        if version != VERSION {
            return Err(FrameError::Version { found: version });
        }
        if rest.first_chunk() != Some(&check::<4>(checked)) {
            return Err(FrameError::Header);
        }
        let flags = u16::from_le_bytes(array_at(checked, 6));
        let header = Self {
            epoch: Epoch(u64_at(checked, 8)),
            first: Position(u64_at(checked, 16)),
            count: u32_at(checked, 24),
            is_lost: flags == LOST,
            blocks: u32_at(checked, 28),
            body_length: u32_at(checked, 32),
        };
        let Self { first, count, .. } = header;
        if flags & !LOST != 0 {
            return Err(FrameError::Impossible { what: "flags" });
        }
        if first.0 == 0 || !(1..=FRAME_EVENTS_MAX).contains(&count) {
            return Err(FrameError::Impossible { what: "count" });
        }
        if first.0.checked_add(count as u64).is_none() {
            return Err(FrameError::Impossible { what: "positions" });
        }
        if !(1..=count).contains(&header.blocks) {
            return Err(FrameError::Impossible { what: "blocks" });
        }
        let around = block::table_length(header.blocks) + 4 * count;
        let length = header.body_length.saturating_sub(around);
        if length > FRAME_LENGTH_MAX_BYTES {
            return Err(FrameError::TooLarge { length });
        }
        Ok(header)
    }

    /// How many bytes the whole frame has.
    pub(crate) fn whole_length(&self) -> usize {
        HEADER_LENGTH_BYTES + self.body_length + HASH_LENGTH_BYTES
    }

    /// How long the table of blocks is, which follows the header.
    pub(crate) fn table_length(&self) -> usize {
        block::table_length(self.blocks)
    }

    /// The position of the last event.
    pub(crate) fn last(&self) -> Position {
        Position(self.first.0 - 1 + self.count as u64)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LENGTH_BYTES);
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        let flags = if self.is_lost { LOST } else { 0 };
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&flags.to_le_bytes());
        out.extend_from_slice(&self.epoch.0.to_le_bytes());
        out.extend_from_slice(&self.first.0.to_le_bytes());
        out.extend_from_slice(&number(self.count));
        out.extend_from_slice(&number(self.blocks));
        out.extend_from_slice(&number(self.body_length));
        let check = check::<4>(&out);
        out.extend_from_slice(&check);
        out
    }
}

/// The first bytes of the BLAKE3 of some bytes.
pub(super) fn check<const N: usize>(bytes: &[u8]) -> [u8; N] {
    array_at(blake3::hash(bytes).as_bytes(), 0)
}

/// A frame whose bytes were checked, or were just made.
#[derive(Debug, Clone)]
pub struct Frame {
    header: Header,
    bytes: Vec<u8>,
    /// What is cut out of the bytes; of a frame that was just made only if somebody asks for it, since most are
    /// only written.
    blocks: OnceLock<Vec<StoredBlock>>,
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Frame {}

impl Frame {
    /// Frames the stored bytes of at least one event, the first of which has position `first`.
    /// Costs one compression and one hash of them.
    pub fn new<E: AsRef<[u8]>>(
        epoch: Epoch,
        first: Position,
        events: &[E],
    ) -> Result<Self, FrameError> {
        Self::make(epoch, first, false, events)
    }

    /// Frames the leaf hashes of lost events, so that the positions around them stay what they are.
    /// Where no tile has the hash it is `None`.
    pub fn lost(
        epoch: Epoch,
        first: Position,
        leaves: &[Option<[u8; 32]>],
    ) -> Result<Self, FrameError> {
        let leaves: Vec<&[u8]> = leaves
            .iter()
            .map(|leaf| leaf.as_ref().map_or(&[] as &[u8], |leaf| leaf.as_slice()))
            .collect();
        Self::make(epoch, first, true, &leaves)
    }

    fn make<E: AsRef<[u8]>>(
        epoch: Epoch,
        first: Position,
        is_lost: bool,
        events: &[E],
    ) -> Result<Self, FrameError> {
        let count = events.len();
        let length: usize = events.iter().map(|event| event.as_ref().len()).sum();
        if length > FRAME_LENGTH_MAX_BYTES {
            return Err(FrameError::TooLarge { length });
        }
        if count == 0 || count > FRAME_EVENTS_MAX || first.0 == 0 {
            return Err(FrameError::Impossible { what: "count" });
        }
        let compressed = length >= FRAME_COMPRESSED_LENGTH_MIN_BYTES;
        let most = HEADER_LENGTH_BYTES + block::length_max(count, length) + HASH_LENGTH_BYTES;
        let mut bytes = Vec::with_capacity(most);
        bytes.resize(HEADER_LENGTH_BYTES, 0);
        let blocks = block::write(events, compressed, &mut bytes);
        let header = Header {
            epoch,
            first,
            count,
            is_lost,
            blocks,
            body_length: bytes.len() - HEADER_LENGTH_BYTES,
        };
        if let Some(place) = bytes.get_mut(..HEADER_LENGTH_BYTES) {
            place.copy_from_slice(&header.encode());
        }
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        Ok(Self {
            header,
            bytes,
            blocks: OnceLock::new(),
        })
    }

    /// Reads a frame and checks all of it, the hash before anything that depends on it. Costs one
    /// hash and one decompression.
    pub fn read(bytes: Vec<u8>) -> Result<Self, FrameError> {
        let header = Self::check(&bytes)?;
        let blocks = OnceLock::from(Self::cut(&header, &bytes)?);
        Ok(Self {
            header,
            bytes,
            blocks,
        })
    }

    /// The blocks of a frame whose hash was checked. Costs a decompression.
    fn cut(header: &Header, bytes: &[u8]) -> Result<Vec<StoredBlock>, FrameError> {
        let end = HEADER_LENGTH_BYTES + header.body_length;
        let body = bytes.get(HEADER_LENGTH_BYTES..end).unwrap_or_default();
        let (table, mut rest) = body
            .split_at_checked(header.table_length())
            .ok_or(FrameError::Impossible { what: "table" })?;
        let mut blocks = Vec::with_capacity(header.blocks);
        for place in block::read_table(header, table)? {
            let split = rest.split_at_checked(place.length);
            let (stored, after) = split.ok_or(FrameError::Impossible { what: "table" })?;
            blocks.push(Arc::new(place.read(stored)?));
            rest = after;
        }
        match rest.is_empty() {
            true => Ok(blocks),
            false => Err(FrameError::Impossible { what: "table" }),
        }
    }

    fn blocks(&self) -> &[StoredBlock] {
        // A frame that was just made is cut as it was put together; what was read was cut already.
        let cut = || Self::cut(&self.header, &self.bytes).unwrap_or_default();
        self.blocks.get_or_init(cut)
    }

    /// What is whole of a frame that does not hold as a whole: its whole blocks, successive ones as one
    /// frame of the same epoch, at the same positions. None if its header or its table does not hold. Costs a hash
    /// and a decompression.
    pub(crate) fn remains(bytes: &[u8]) -> Vec<Self> {
        let Ok(header) = Header::read(bytes) else {
            return Vec::new();
        };
        let body = bytes.get(HEADER_LENGTH_BYTES..).unwrap_or_default();
        let split = body.split_at_checked(header.table_length());
        let Some((table, mut rest)) = split.filter(|_| !header.is_lost) else {
            return Vec::new();
        };
        let mut rows: Vec<Vec<Block>> = Vec::new();
        for place in block::read_table(&header, table).unwrap_or_default() {
            let stored = rest.get(..place.length);
            rest = rest.get(place.length..).unwrap_or_default();
            match stored.and_then(|stored| place.read_checked(stored).ok()) {
                None => rows.push(Vec::new()),
                Some(block) => match rows.last_mut() {
                    Some(row) => row.push(block),
                    None => rows.push(vec![block]),
                },
            }
        }
        let frame = |row: Vec<Block>| {
            let events: Vec<&[u8]> = row.iter().flat_map(Block::events).collect();
            Self::new(header.epoch, row.first()?.first(), &events).ok()
        };
        rows.into_iter().filter_map(frame).collect()
    }

    /// Checks the header and the hash of a frame, and nothing in it. Costs one hash.
    pub(crate) fn check(bytes: &[u8]) -> Result<Header, FrameError> {
        let header = Header::read(bytes)?;
        let (found, wanted) = (bytes.len(), header.whole_length());
        if found != wanted {
            return Err(FrameError::Length { found, wanted });
        }
        let (body, hash) = bytes.split_at(found - HASH_LENGTH_BYTES);
        if blake3::hash(body).as_bytes() != hash {
            return Err(FrameError::Hash);
        }
        Ok(header)
    }

    /// Under which epoch it was written.
    pub fn epoch(&self) -> Epoch {
        self.header.epoch
    }

    /// The position of its first event.
    pub fn first(&self) -> Position {
        self.header.first
    }

    /// The position of its last event.
    pub fn last(&self) -> Position {
        self.header.last()
    }

    /// The position that it follows.
    pub fn before(&self) -> Position {
        Position(self.header.first.0 - 1)
    }

    /// Whether it holds a position.
    pub fn holds(&self, position: Position) -> bool {
        (self.first()..=self.last()).contains(&position)
    }

    /// Its stored form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether its events are lost, and it only keeps their places and leaf hashes.
    pub fn is_lost(&self) -> bool {
        self.header.is_lost
    }

    /// The block that holds a position.
    pub fn block(&self, position: Position) -> Option<&StoredBlock> {
        let blocks = self.blocks();
        let after = blocks.partition_point(|block| block.first() <= position);
        let block = blocks.get(after.checked_sub(1)?);
        block.filter(|block| block.holds(position))
    }

    /// The stored bytes of the event at a position; `None` if it is not in this frame or is lost.
    pub fn event(&self, position: Position) -> Option<&[u8]> {
        self.block(position)?.event(position)
    }

    /// The leaf hash of a lost event, where a tile had it.
    pub fn lost_leaf(&self, position: Position) -> Option<[u8; 32]> {
        self.block(position)?.lost_leaf(position)
    }
}

pub(super) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let slice = bytes.get(at..).and_then(|rest| rest.first_chunk());
    slice.copied().unwrap_or([0; N])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u32::from_le_bytes(array_at(bytes, at))).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Frame {
        let events = [b"one".to_vec(), b"two two".to_vec(), vec![]];
        Frame::new(Epoch(3), Position(7), &events).unwrap()
    }

    fn compressed() -> Frame {
        let events: Vec<_> = (0..40_u8).map(|n| vec![n; 4_000]).collect();
        let frame = Frame::new(Epoch(3), Position(7), &events).unwrap();
        assert!(frame.bytes().len() < 4_000);
        assert!(frame.blocks().len() > 5);
        frame
    }

    #[test]
    fn a_frame_is_read_back_as_it_was_made() {
        let made = small();
        let read = Frame::read(made.bytes().to_vec()).unwrap();
        assert_eq!(read, made);
        assert_eq!((read.before(), read.last()), (Position(6), Position(9)));
        assert_eq!(read.event(Position(8)), Some(b"two two".as_slice()));
        assert_eq!(read.event(Position(9)), Some(b"".as_slice()));
        assert_eq!(read.event(Position(6)), None);
        assert_eq!(read.event(Position(10)), None);
        assert_eq!(read.lost_leaf(Position(8)), None);
    }

    #[test]
    fn a_compressed_frame_is_read_back_as_it_was_made() {
        let made = compressed();
        let read = Frame::read(made.bytes().to_vec()).unwrap();
        assert_eq!(read, made);
        assert_eq!(read.event(Position(8)), Some([1; 4_000].as_slice()));
        assert_eq!(read.event(Position(46)), Some([39; 4_000].as_slice()));
        assert_eq!(read.event(Position(47)), None);
    }

    #[test]
    fn lost_events_keep_their_places_and_their_leaves() {
        let made = Frame::lost(Epoch(3), Position(7), &[Some([5; 32]), None]).unwrap();
        let read = Frame::read(made.bytes().to_vec()).unwrap();
        assert_eq!(read, made);
        assert!(read.is_lost() && read.holds(Position(8)) && !read.holds(Position(9)));
        assert_eq!(read.event(Position(7)), None);
        assert_eq!(read.lost_leaf(Position(7)), Some([5; 32]));
        assert_eq!(read.lost_leaf(Position(8)), None);
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_noticed() {
        for frame in [small(), compressed()] {
            let read = Frame::read(frame.bytes().to_vec()).unwrap();
            assert_eq!(read.blocks(), frame.blocks());
            let bytes = frame.bytes().to_vec();
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
    }

    #[test]
    fn of_a_damaged_frame_every_whole_block_remains() {
        let whole = compressed();
        let header = Header::read(whole.bytes()).unwrap();
        let table = HEADER_LENGTH_BYTES + header.table_length();
        let hash = whole.bytes().len() - HASH_LENGTH_BYTES;
        for at in 0..whole.bytes().len() {
            let mut changed = whole.bytes().to_vec();
            changed[at] ^= 0x20;
            let remains = Frame::remains(&changed);
            let (mut events, mut next) = (0, whole.first());
            for frame in &remains {
                assert!(frame.first() >= next && frame.epoch() == whole.epoch());
                for position in (frame.first().0..=frame.last().0).map(Position) {
                    assert_eq!(frame.event(position), whole.event(position));
                    events += 1;
                }
                next = frame.last().next().next();
            }
            let lost = match at {
                at if at < table => 40,
                at if at >= hash => 0,
                _ => whole
                    .blocks()
                    .iter()
                    .map(|b| b.events().count())
                    .max()
                    .unwrap(),
            };
            assert!(
                events >= 40 - lost && (events == 40) == (at >= hash),
                "byte {at}"
            );
        }
        let lost = Frame::lost(Epoch(3), Position(7), &[Some([5; 32])]).unwrap();
        assert_eq!(Frame::remains(lost.bytes()), []);
        assert_eq!(Frame::remains(&whole.bytes()[..table - 1]), []);
    }

    #[test]
    fn a_frame_without_events_cannot_be_made() {
        assert!(Frame::new::<Vec<u8>>(Epoch(1), Position(1), &[]).is_err());
        assert!(Frame::new(Epoch(1), Position(0), &[vec![1]]).is_err());
    }
}
