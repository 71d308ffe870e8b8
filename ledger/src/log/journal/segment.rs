//! One segment file: its header, its frames, and, once it is sealed, its seal.
//!
//! The layout is in `FORMAT.md`.

use super::failed;
use super::window::Window;
use crate::id::Position;
use crate::limits::SEGMENT_WAYPOINT_BYTES;
use crate::log::block::{self, Block, BlockPlace};
use crate::log::frame::{HEADER_LENGTH_BYTES, Header};
use crate::log::{Frame, LogError};
use rustix::fs::Advice;
use std::fs::File;
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a segment file's name ends.
pub(super) const EXTENSION: &str = "seg";
/// Where the first frame begins.
pub(super) const FRAMES_OFFSET: u64 = 32;
const SEGMENT_MAGIC: [u8; 4] = *b"ALsg";
const SEAL_MAGIC: [u8; 4] = *b"ALse";
const VERSION: u16 = 1;
const SEAL_HEAD_LENGTH_BYTES: u64 = 16;
const WAYPOINT_LENGTH_BYTES: usize = 8;
const TRAILER_LENGTH_BYTES: usize = 48;

/// A frame whose place is known: how far its first position is from the segment's, and its offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waypoint {
    distance: u32,
    offset: u32,
}

/// Up to where a segment has frames, and the way to some of them.
#[derive(Debug)]
struct Extent {
    last: Position,
    frames_end: u64,
    /// `None` for a sealed segment of which nobody has asked yet.
    waypoints: Option<Vec<Waypoint>>,
}

/// A segment that can be read. The last one also grows.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) first: Position,
    pub(super) file: File,
    extent: Mutex<Extent>,
}

/// A block that holds a position, and where it is.
#[derive(Debug)]
pub(super) struct BlockAt {
    position: Position,
    offset: u64,
    place: BlockPlace,
}

impl BlockAt {
    /// Where in the file it begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// How long it is as it is stored.
    pub(super) fn length(&self) -> usize {
        self.place.length
    }
}

/// What the trailer of a sealed segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) first: Position,
    pub(super) last: Position,
    pub(super) frames_end: u64,
    waypoints: usize,
    check: [u8; 8],
}

/// The name of the segment that begins with a position.
pub(super) fn file_name(first: Position) -> String {
    format!("{:020}.{EXTENSION}", first.0)
}

/// What a segment begins with.
pub(super) fn header(first: Position) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32);
    bytes.extend_from_slice(&SEGMENT_MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&first.0.to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    let check = blake3::hash(&bytes);
    bytes.extend(check.as_bytes().iter().take(8));
    bytes
}

impl Seal {
    /// Reads the seal of a file that has one and is as long as it says.
    pub(super) fn read(file: &File, length: u64) -> Result<Option<Self>, LogError> {
        let Some(offset) = length.checked_sub(TRAILER_LENGTH_BYTES as u64) else {
            return Ok(None);
        };
        let mut bytes = [0; TRAILER_LENGTH_BYTES];
        file.read_exact_at(&mut bytes, offset)
            .map_err(failed("reading a seal"))?;
        let seal = Self::decode(&bytes);
        Ok(seal.filter(|seal| seal.file_length() == length))
    }

    fn decode(bytes: &[u8; TRAILER_LENGTH_BYTES]) -> Option<Self> {
        let (body, check) = bytes.split_last_chunk::<4>()?;
        let begins = body.starts_with(&SEAL_MAGIC) && body.get(4..6)? == VERSION.to_le_bytes();
        if !begins || blake3::hash(body).as_bytes().first_chunk() != Some(check) {
            return None;
        }
        let number = |at: usize| {
            let bytes = body.get(at..)?.first_chunk()?;
            Some(u64::from_le_bytes(*bytes))
        };
        Some(Self {
            first: Position(number(8)?),
            last: Position(number(16)?),
            frames_end: number(24)?,
            waypoints: usize::try_from(u32::from_le_bytes(*body.get(32..)?.first_chunk()?)).ok()?,
            check: *body.get(36..)?.first_chunk()?,
        })
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(TRAILER_LENGTH_BYTES);
        bytes.extend_from_slice(&SEAL_MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&self.first.0.to_le_bytes());
        bytes.extend_from_slice(&self.last.0.to_le_bytes());
        bytes.extend_from_slice(&self.frames_end.to_le_bytes());
        let waypoints = u32::try_from(self.waypoints).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&waypoints.to_le_bytes());
        bytes.extend_from_slice(&self.check);
        let check = blake3::hash(&bytes);
        bytes.extend(check.as_bytes().iter().take(4));
        bytes
    }

    /// How long a file with this seal is.
    fn file_length(&self) -> u64 {
        let waypoints = (self.waypoints * WAYPOINT_LENGTH_BYTES + TRAILER_LENGTH_BYTES) as u64;
        (self.frames_end + SEAL_HEAD_LENGTH_BYTES).saturating_add(waypoints)
    }

    /// Whether what stands after the frames may be a seal that was being written.
    pub(super) fn begins(bytes: &[u8]) -> bool {
        bytes.starts_with(&SEAL_MAGIC)
    }
}

fn check_of(waypoints: &[u8]) -> [u8; 8] {
    let hash = blake3::hash(waypoints);
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

impl Segment {
    /// A segment of which it is known how far it goes.
    pub(super) fn sealed(file: File, seal: Seal) -> Self {
        let extent = Extent {
            last: seal.last,
            frames_end: seal.frames_end,
            waypoints: None,
        };
        Self::with(file, seal.first, extent)
    }

    /// A segment without frames, to which frames are added as they are found or appended.
    pub(super) fn growing(file: File, first: Position) -> Self {
        let extent = Extent {
            last: Position(first.0.saturating_sub(1)),
            frames_end: FRAMES_OFFSET,
            waypoints: Some(Vec::new()),
        };
        Self::with(file, first, extent)
    }

    fn with(file: File, first: Position, extent: Extent) -> Self {
        Self {
            first,
            file,
            extent: Mutex::new(extent),
        }
    }

    fn extent(&self) -> MutexGuard<'_, Extent> {
        self.extent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position of its last event; the one before its first if it has none.
    pub(super) fn last(&self) -> Position {
        self.extent().last
    }

    /// Where its frames end.
    pub(super) fn frames_end(&self) -> u64 {
        self.extent().frames_end
    }

    /// Takes in the frame that follows the last one.
    pub(super) fn grow(&self, first: Position, last: Position, length: usize) {
        let mut extent = self.extent();
        let offset = extent.frames_end;
        if let Some(waypoints) = &mut extent.waypoints {
            self.mark(waypoints, first, offset);
        }
        extent.frames_end = offset + length as u64;
        extent.last = last;
    }

    /// Adds a waypoint if the last one is far enough back.
    fn mark(&self, waypoints: &mut Vec<Waypoint>, first: Position, offset: u64) {
        let before = waypoints.last().map(|waypoint| u64::from(waypoint.offset));
        if before.is_some_and(|before| offset - before < SEGMENT_WAYPOINT_BYTES) {
            return;
        }
        let distance = u32::try_from(first.0 - self.first.0);
        if let (Ok(distance), Ok(offset)) = (distance, u32::try_from(offset)) {
            waypoints.push(Waypoint { distance, offset });
        }
    }

    /// What follows the frames of a sealed segment.
    pub(super) fn seal(&self) -> Result<Vec<u8>, LogError> {
        self.load_waypoints()?;
        let extent = self.extent();
        let waypoints = extent.waypoints.as_deref().unwrap_or_default();
        let mut list = Vec::with_capacity(waypoints.len() * WAYPOINT_LENGTH_BYTES);
        for waypoint in waypoints {
            list.extend_from_slice(&waypoint.distance.to_le_bytes());
            list.extend_from_slice(&waypoint.offset.to_le_bytes());
        }
        let seal = Seal {
            first: self.first,
            last: extent.last,
            frames_end: extent.frames_end,
            waypoints: waypoints.len(),
            check: check_of(&list),
        };
        let mut bytes = SEAL_MAGIC.to_vec();
        bytes.resize(usize::try_from(SEAL_HEAD_LENGTH_BYTES).unwrap_or(16), 0);
        bytes.extend_from_slice(&list);
        bytes.extend_from_slice(&seal.encode());
        Ok(bytes)
    }

    /// Reads the waypoints of a sealed segment, or walks over its frames if they do not hold.
    pub(super) fn load_waypoints(&self) -> Result<(), LogError> {
        let (last, frames_end) = {
            let extent = self.extent();
            if extent.waypoints.is_some() {
                return Ok(());
            }
            (extent.last, extent.frames_end)
        };
        let length = self
            .file
            .metadata()
            .map_err(failed("reading a segment"))?
            .len();
        let waypoints = match self.read_waypoints(length)? {
            Some(waypoints) => waypoints,
            None => {
                tracing::warn!(segment = %self.first, "the way through a segment is found again");
                self.walk(last, frames_end)?
            }
        };
        self.extent().waypoints = Some(waypoints);
        Ok(())
    }

    fn read_waypoints(&self, length: u64) -> Result<Option<Vec<Waypoint>>, LogError> {
        let Some(seal) = Seal::read(&self.file, length)? else {
            return Ok(None);
        };
        let mut bytes = vec![0; seal.waypoints * WAYPOINT_LENGTH_BYTES];
        self.file
            .read_exact_at(&mut bytes, seal.frames_end + SEAL_HEAD_LENGTH_BYTES)
            .map_err(failed("reading a seal"))?;
        if check_of(&bytes) != seal.check {
            return Ok(None);
        }
        let waypoints = bytes.as_chunks::<4>().0.as_chunks::<2>().0.iter();
        let waypoints = waypoints.map(|[distance, offset]| Waypoint {
            distance: u32::from_le_bytes(*distance),
            offset: u32::from_le_bytes(*offset),
        });
        Ok(Some(waypoints.collect()))
    }

    /// Finds waypoints by walking over the headers of all frames, as far as they hold.
    fn walk(&self, last: Position, frames_end: u64) -> Result<Vec<Waypoint>, LogError> {
        let mut waypoints = Vec::new();
        let mut window = Window::default();
        let (mut next, mut offset) = (self.first, FRAMES_OFFSET);
        while next <= last {
            let bytes = window
                .get(&self.file, offset, HEADER_LENGTH_BYTES, frames_end, 1 << 16)
                .map_err(failed("reading a segment"))?;
            match Header::read(bytes) {
                Ok(header) if header.first == next => {
                    self.mark(&mut waypoints, next, offset);
                    next = header.last().next();
                    offset += header.whole_length() as u64;
                }
                _ => break,
            }
        }
        Ok(waypoints)
    }

    /// The position and the offset of the last frame whose place is known and that is not after a
    /// position.
    pub(super) fn nearest(&self, position: Position) -> Result<(Position, u64), LogError> {
        self.load_waypoints()?;
        let extent = self.extent();
        let waypoints = extent.waypoints.as_deref().unwrap_or_default();
        let distance = position.0.saturating_sub(self.first.0);
        let after = waypoints.partition_point(|waypoint| u64::from(waypoint.distance) <= distance);
        let nearest = after
            .checked_sub(1)
            .and_then(|number| waypoints.get(number));
        Ok(nearest.map_or((self.first, FRAMES_OFFSET), |waypoint| {
            let first = self.first.0 + u64::from(waypoint.distance);
            (Position(first), u64::from(waypoint.offset))
        }))
    }

    /// The frame at an offset, which has to begin with a position, checked.
    pub(super) fn read(
        &self,
        position: Position,
        offset: u64,
        window: &mut Window,
        ahead: usize,
    ) -> Result<(Frame, u64), LogError> {
        let header = self.header(position, offset, window, ahead)?;
        let length = header.whole_length();
        let bytes = window
            .get(&self.file, offset, length, self.frames_end(), ahead)
            .map_err(failed("reading a frame"))?;
        let frame = Frame::read(bytes.to_vec());
        let frame = frame.map_err(|error| LogError::Frame { position, error })?;
        Ok((frame, offset + length as u64))
    }

    /// Tells the system that some bytes are going to be read, so that it begins with it. If it does not,
    /// they are read when their turn comes.
    pub(super) fn will_read(&self, offset: u64, length: usize) {
        let length = NonZeroU64::new(length as u64);
        // A hint: nothing depends on whether it was taken.
        let _taken = rustix::fs::fadvise(&self.file, offset, length, Advice::WillNeed);
    }

    /// Where the block is that holds a position, of the frame at an offset.
    pub(super) fn find_block(
        &self,
        position: Position,
        (first, offset): (Position, u64),
        window: &mut Window,
        ahead: usize,
    ) -> Result<BlockAt, LogError> {
        let damaged = |error| LogError::Frame { position, error };
        let header = self.header(first, offset, window, ahead)?;
        let mut offset = offset + HEADER_LENGTH_BYTES as u64;
        let table = header.table_length();
        let table = window.get(&self.file, offset, table, self.frames_end(), ahead);
        let table = table.map_err(failed("reading a block"))?;
        offset += header.table_length() as u64;
        for place in block::read_table(&header, table).map_err(damaged)? {
            if place.holds(position) {
                return Ok(BlockAt {
                    position,
                    offset,
                    place,
                });
            }
            offset += place.length as u64;
        }
        let reason = "the frame there does not reach it".to_owned();
        Err(LogError::Damaged { position, reason })
    }

    /// A block, checked.
    pub(super) fn read_block(
        &self,
        at: &BlockAt,
        window: &mut Window,
        ahead: usize,
    ) -> Result<Block, LogError> {
        let limit = self.frames_end();
        let stored = window.get(&self.file, at.offset, at.place.length, limit, ahead);
        let stored = stored.map_err(failed("reading a block"))?;
        let block = at.place.read_checked(stored);
        let position = at.position;
        block.map_err(|error| LogError::Frame { position, error })
    }

    /// The header of the frame at an offset, which has to begin with a position.
    pub(super) fn header(
        &self,
        position: Position,
        offset: u64,
        window: &mut Window,
        ahead: usize,
    ) -> Result<Header, LogError> {
        let bytes = window
            .get(
                &self.file,
                offset,
                HEADER_LENGTH_BYTES,
                self.frames_end(),
                ahead,
            )
            .map_err(failed("reading a frame"))?;
        let header = Header::read(bytes).map_err(|error| LogError::Frame { position, error })?;
        if header.first != position {
            let reason = format!("a frame is there that begins with {}", header.first);
            return Err(LogError::Damaged { position, reason });
        }
        Ok(header)
    }
}
