//! Salvaging the sled engine's log: the pieces of frames are found in sled's file `db` as they are, without
//! sled, which gives up on a damaged file.
//!
//! Sled 0.34.7 writes values uncompressed and in one piece, into segments of its file that it writes over
//! only after it has written what they held elsewhere. So every piece is there at least once; that it may
//! be there several times is in no way.

use super::frame::Header;
use super::journal::window::Window;
use super::sled_kept;
use super::sled_piece::{self, Piece};
use super::{Damage, Epoch, Frame, LogError, Salvage, StoredFrame};
use crate::id::Position;
use crate::limits::{SALVAGE_PIECES_MAX, SLED_VALUE_MAX_BYTES};
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// What sled calls its file.
const FILE: &str = "db";

/// The file is searched in blocks of this length, and again only in those that hold what is wanted.
const BLOCK_BYTES: u64 = 512 << 10;

/// Orders pieces: by the first position of their frame, by its epoch, by their number.
type Key = (Position, Epoch, u16);

/// Where a piece is, and how many its frame has.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    count: u16,
}

/// Frames out of sled's file.
struct SledSalvage {
    file: Option<File>,
    length: u64,
    window: Window,
    /// The lowest and the highest first position of the pieces in each block.
    blocks: Vec<Option<(Position, Position)>>,
    /// The next pieces, in order.
    pieces: BTreeMap<Key, Place>,
    /// All pieces of frames that begin before this position and from `next` on are in `pieces`.
    known_before: Position,
    /// The next frame begins here or later.
    next: Position,
    /// The latest epoch that was seen before that.
    epoch: Epoch,
    /// Frames up to here were acknowledged.
    reached: Position,
    /// What was found of a damaged frame and comes next.
    ready: VecDeque<Frame>,
    /// Says so if there is no file.
    missing: Option<Damage>,
}

/// Reads what can be read of the sled log in a directory.
pub(super) fn salvage(directory: &Path, reached: Position) -> Result<Box<dyn Salvage>, LogError> {
    let failed = |error: std::io::Error| LogError::Failed {
        doing: "reading sled's file",
        reason: error.to_string(),
    };
    let directory = sled_kept::as_they_were(directory);
    let file = match File::open(directory.join(FILE)) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    let length = match &file {
        Some(file) => file.metadata().map_err(failed)?.len(),
        None => 0,
    };
    let missing = file.is_none().then(|| Damage {
        file: FILE.to_owned(),
        offset: 0,
        length_bytes: 0,
        after: Position(0),
    });
    let mut salvage = SledSalvage {
        file,
        length,
        window: Window::patient(),
        blocks: Vec::new(),
        pieces: BTreeMap::new(),
        known_before: Position(1),
        next: Position(1),
        epoch: Epoch(0),
        reached,
        ready: VecDeque::new(),
        missing,
    };
    salvage.survey();
    Ok(Box::new(salvage))
}

impl SledSalvage {
    fn get(&mut self, offset: u64, length: usize) -> &[u8] {
        let Some(file) = &self.file else {
            return &[];
        };
        let bytes = self.window.get(file, offset, length, self.length, length);
        // A patient window gives zeros for what cannot be read.
        bytes.unwrap_or_default()
    }

    /// The pieces that begin in a block, each with its offset.
    fn block(&mut self, number: u64) -> Vec<(u64, Piece)> {
        let start = number * BLOCK_BYTES;
        let block = usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX);
        let bytes = self.get(start, block + SLED_VALUE_MAX_BYTES);
        let mut found = Vec::new();
        let mut at = 0;
        while at < block {
            let Some(rest) = bytes.get(at..) else {
                break;
            };
            let mark = rest
                .windows(sled_piece::MAGIC.len())
                .position(|bytes| *bytes == sled_piece::MAGIC);
            let Some(mark) = mark.filter(|mark| at + mark < block) else {
                break;
            };
            at += mark;
            match Piece::carve(bytes.get(at..).unwrap_or_default()) {
                Some((piece, content)) => {
                    found.push((start + at as u64, piece));
                    at += sled_piece::HEADER_LENGTH_BYTES + content.len();
                }
                None => at += 1,
            }
        }
        found
    }

    /// Finds out which block holds what.
    fn survey(&mut self) {
        for number in 0..self.length.div_ceil(BLOCK_BYTES) {
            let pieces = self.block(number);
            let firsts = pieces.iter().map(|(_, piece)| piece.first);
            let range = firsts.clone().min().zip(firsts.max());
            self.blocks.push(range);
        }
    }

    /// Takes in the next pieces, as many as may be held.
    fn fill(&mut self) {
        self.pieces.clear();
        self.known_before = Position(u64::MAX);
        for number in 0..self.blocks.len() {
            let range = self.blocks.get(number).copied().flatten();
            let wanted =
                |(low, high): (Position, Position)| high >= self.next && low < self.known_before;
            if !range.is_some_and(wanted) {
                continue;
            }
            for (offset, piece) in self.block(number as u64) {
                if piece.first < self.next || piece.first >= self.known_before {
                    continue;
                }
                let key = (piece.first, piece.epoch, piece.number);
                let count = piece.count;
                self.pieces.insert(key, Place { offset, count });
                if self.pieces.len() > SALVAGE_PIECES_MAX {
                    self.drop_last_frame();
                }
            }
        }
    }

    /// Forgets what is held of the frames that begin last: there would be too many pieces.
    fn drop_last_frame(&mut self) {
        if let Some(((first, ..), _)) = self.pieces.pop_last() {
            self.known_before = first;
            self.pieces.split_off(&(first, Epoch(0), 0));
        }
    }

    /// The pieces that there are of the frame of a first position and an epoch, by their numbers.
    fn places(&self, first: Position, epoch: Epoch) -> Vec<(u16, Place)> {
        let range = (first, epoch, 0)..=(first, epoch, u16::MAX);
        let pieces = self.pieces.range(range);
        pieces
            .map(|((_, _, number), place)| (*number, *place))
            .collect()
    }

    /// The frame of a first position and an epoch, if all of its pieces are there.
    fn join(&mut self, first: Position, epoch: Epoch) -> Option<Frame> {
        let places = self.places(first, epoch);
        let count = places.first()?.1.count;
        if !places.iter().map(|(number, _)| *number).eq(0..count) {
            return None;
        }
        let mut bytes = Vec::new();
        for (_, place) in places {
            let stored = self.get(place.offset, SLED_VALUE_MAX_BYTES);
            bytes.extend_from_slice(Piece::carve(stored)?.1);
        }
        let frame = Frame::read(bytes).ok()?;
        (frame.first() == first && frame.epoch() == epoch).then_some(frame)
    }

    /// What is whole of the frame of a first position and an epoch of which pieces are missing, if it was
    /// acknowledged: what is left of one that never was is not to be shown.
    fn remains(&mut self, first: Position, epoch: Epoch) -> Vec<Frame> {
        let places = self.places(first, epoch);
        let mut bytes = Vec::new();
        for (number, place) in places {
            // Zeros stand for the pieces that are missing.
            bytes.resize(usize::from(number) * sled_piece::CONTENT_MAX_BYTES, 0);
            let stored = self.get(place.offset, SLED_VALUE_MAX_BYTES);
            match Piece::carve(stored) {
                Some((_, content)) => bytes.extend_from_slice(content),
                None => return Vec::new(),
            }
        }
        let Ok(header) = Header::read(&bytes) else {
            return Vec::new();
        };
        let later = (header.last().next(), Epoch(0), 0)..;
        let mut later = self.pieces.range(later);
        let is_followed = later.any(|((_, other, _), _)| *other >= epoch);
        match header.first == first && (is_followed || header.last() <= self.reached) {
            true => Frame::remains(&bytes),
            false => Vec::new(),
        }
    }

    /// Whether the log went on under a later epoch from a position within a frame: then that frame was
    /// never acknowledged, and was cut.
    fn was_cut(&self, frame: &Frame) -> bool {
        let within = (frame.first(), Epoch(frame.epoch().0 + 1), 0)
            ..=(frame.last(), Epoch(u64::MAX), u16::MAX);
        let mut within = self.pieces.range(within);
        within.any(|((_, epoch, _), _)| *epoch > frame.epoch())
    }
}

impl SledSalvage {
    fn take_ready(&mut self) -> Option<StoredFrame> {
        let frame = self.ready.pop_front()?;
        self.next = frame.last().next();
        Some(Arc::new(frame))
    }
}

impl Iterator for SledSalvage {
    type Item = StoredFrame;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(frame) = self.take_ready() {
            return Some(frame);
        }
        loop {
            let held = self.pieces.range((self.next, Epoch(0), 0)..).next();
            let Some(((first, ..), _)) = held else {
                if self.known_before == Position(u64::MAX) {
                    return None;
                }
                self.next = self.next.max(self.known_before);
                self.fill();
                if self.pieces.is_empty() && self.known_before == self.next {
                    // More pieces than any frame can have claim to begin here.
                    self.next = self.next.next();
                }
                continue;
            };
            let first = *first;
            let of_first = (first, Epoch(0), 0)..=(first, Epoch(u64::MAX), u16::MAX);
            let last = self.pieces.range(of_first).next_back();
            let epoch = last.map_or(Epoch(0), |((_, epoch, _), _)| *epoch);
            let frame = match epoch >= self.epoch {
                true => self.join(first, epoch),
                false => None,
            };
            if let Some(frame) = &frame
                && frame.last() >= self.known_before
                && self.next < first
            {
                // What may have taken its place is not known yet.
                self.next = first;
                self.fill();
                continue;
            }
            self.epoch = self.epoch.max(epoch);
            if frame.is_none() && epoch >= self.epoch {
                let remains = self.remains(first, epoch);
                self.ready = remains.into_iter().filter(|f| !self.was_cut(f)).collect();
                if let Some(frame) = self.take_ready() {
                    return Some(frame);
                }
            }
            let whole = frame.filter(|frame| !self.was_cut(frame));
            self.next = whole.as_ref().map_or(first, Frame::last).next();
            if let Some(frame) = whole {
                return Some(Arc::new(frame));
            }
        }
    }
}

impl Salvage for SledSalvage {
    /// Sled's file has no order of its own, so all that can be told is that it is missing.
    fn damage(&self) -> &[Damage] {
        self.missing.as_slice()
    }
}
