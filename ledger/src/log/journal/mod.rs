//! The journal engine: frames in append-only segment files, at the speed of the disk.
//!
//! Frames go into the last segment, into zeros that were written ahead of them, so that a sync has
//! no file size and no extent to record. A full segment is sealed: its way points are written after its frames,
//! it is cut to its length and synced, and it never changes again. The layout and what follows from it
//! are in `FORMAT.md`.

mod cut;
mod open;
mod reader;
mod salvage;
mod segment;
pub(crate) mod window;

pub(crate) use cut::cut_after;
pub(crate) use reader::read;

use super::{
    CommitLog, Engine, Epoch, Frame, LogError, Place, StoredBlock, StoredFrame, check_append,
};
use crate::files;
use crate::id::Position;
use crate::limits::{SCAN_LENGTH_BYTES, SEGMENT_AHEAD_MAX_BYTES, SEGMENT_WAYPOINT_BYTES};
use segment::{BlockAt, Segment};
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use window::Window;

/// The line of this engine in the registry.
pub const ENGINE: Engine = Engine {
    name: "journal",
    persistent: true,
    open: open::open,
    salvage: salvage::salvage,
};

/// Zeros are written in pieces of this length.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// How much a look-up reads at once.
const LOOK_UP_BYTES: usize = SEGMENT_WAYPOINT_BYTES as usize;

/// How much of a frame is read to find one of its blocks, where the blocks are asked for afterwards.
const HEAD_BYTES: usize = 4 << 10;

/// Frames in segment files.
struct JournalLog {
    directory: PathBuf,
    segment_length: u64,
    segments: RwLock<Vec<Arc<Segment>>>,
    tail: Mutex<Tail>,
}

/// The end of the log.
struct Tail {
    end: Position,
    epoch: Epoch,
    segment: Arc<Segment>,
    /// Whether the segment has to be cut to its frames before anything is appended.
    sealed: bool,
    /// Up to where the segment's file is there, zeros after its frames.
    zeroed_to: u64,
    /// How many zeros are written ahead next time.
    ahead: u64,
}

/// An error of the operating system while doing something.
fn failed(doing: &'static str) -> impl Fn(io::Error) -> LogError {
    move |error| LogError::Failed {
        doing,
        reason: error.to_string(),
    }
}

/// The same where no frame has been touched yet.
fn not_written(error: &io::Error) -> LogError {
    let reason = error.to_string();
    LogError::NotWritten { reason }
}

/// Makes an empty segment, durable, in one step.
fn create(directory: &Path, first: Position) -> Result<Segment, LogError> {
    let path = directory.join(segment::file_name(first));
    let temporary = path.with_extension("new");
    let make = || {
        let file = files::open_private(&temporary)?;
        file.set_len(0)?;
        file.write_all_at(&segment::header(first), 0)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        Ok(file)
    };
    let file = make().map_err(|error| not_written(&error))?;
    let synced = files::sync_directory(directory);
    synced.map_err(|error| failed("syncing the log's directory")(error.error))?;
    Ok(Segment::growing(file, first))
}

impl Tail {
    /// Makes room for so many bytes after the frames. Nothing that matters is written.
    fn make_room(&mut self, length: u64) -> Result<(), LogError> {
        let file = &self.segment.file;
        let offset = self.segment.frames_end();
        if self.sealed {
            file.set_len(offset).map_err(|error| not_written(&error))?;
            self.sealed = false;
            self.zeroed_to = offset;
        }
        let needed = offset + length;
        if needed <= self.zeroed_to {
            return Ok(());
        }
        let wanted = needed + self.ahead;
        while self.zeroed_to < wanted {
            let left = usize::try_from(wanted - self.zeroed_to).unwrap_or(ZEROS.len());
            let zeros = ZEROS.get(..left).unwrap_or(&ZEROS);
            match file.write_all_at(zeros, self.zeroed_to) {
                Ok(()) => self.zeroed_to += zeros.len() as u64,
                Err(_) if self.zeroed_to >= needed => break,
                Err(error) => return Err(not_written(&error)),
            }
        }
        self.ahead = (self.ahead * 2).min(SEGMENT_AHEAD_MAX_BYTES);
        Ok(())
    }

    /// Writes the seal after the frames and cuts the file there, durably.
    fn seal(&mut self) -> Result<(), LogError> {
        if self.sealed {
            return Ok(());
        }
        let seal = self.segment.seal()?;
        let offset = self.segment.frames_end();
        let file = &self.segment.file;
        file.write_all_at(&seal, offset)
            .map_err(|error| not_written(&error))?;
        self.sealed = true;
        file.set_len(offset + seal.len() as u64)
            .and_then(|()| file.sync_all())
            .map_err(failed("sealing a segment"))
    }
}

impl JournalLog {
    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The segment that holds a position which is not after the end.
    fn segment_of(&self, position: Position) -> Option<Arc<Segment>> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let after = segments.partition_point(|segment| segment.first <= position);
        segments.get(after.checked_sub(1)?).map(Arc::clone)
    }

    /// Begins the next segment. If it cannot, the log is as before.
    fn rotate(&self, tail: &mut Tail) -> Result<(), LogError> {
        tail.seal()?;
        let next = Arc::new(create(&self.directory, tail.end.next())?);
        tail.segment = Arc::clone(&next);
        tail.sealed = false;
        tail.zeroed_to = next.frames_end();
        let mut segments = self
            .segments
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        segments.push(next);
        Ok(())
    }

    /// Where the frame begins that holds a position: its segment, first position and offset.
    fn find(
        &self,
        position: Position,
        window: &mut Window,
    ) -> Result<Option<(Arc<Segment>, Position, u64)>, LogError> {
        if position.0 == 0 || position > self.end() {
            return Ok(None);
        }
        let segment = self
            .segment_of(position)
            .filter(|segment| segment.last() >= position);
        let segment = segment.ok_or_else(|| LogError::Damaged {
            position,
            reason: "no segment holds it".to_owned(),
        })?;
        let (mut first, mut offset) = segment.nearest(position)?;
        loop {
            let header = segment.header(first, offset, window, LOOK_UP_BYTES)?;
            if header.last() >= position {
                return Ok(Some((segment, first, offset)));
            }
            first = header.last().next();
            offset += header.whole_length() as u64;
        }
    }
}

impl CommitLog for JournalLog {
    fn end(&self) -> Position {
        self.tail().end
    }

    fn append(&self, frame: &Frame) -> Result<(), LogError> {
        let mut tail = self.tail();
        check_append(frame, tail.end, tail.epoch)?;
        let is_empty = tail.segment.last() < tail.segment.first;
        if tail.segment.frames_end() >= self.segment_length && !is_empty {
            self.rotate(&mut tail)?;
        }
        tail.make_room(frame.bytes().len() as u64)?;
        let segment = Arc::clone(&tail.segment);
        segment
            .file
            .write_all_at(frame.bytes(), segment.frames_end())
            .map_err(failed("writing a frame"))?;
        segment.grow(frame.first(), frame.last(), frame.bytes().len());
        tail.end = frame.last();
        tail.epoch = frame.epoch();
        Ok(())
    }

    fn sync(&self) -> Result<(), LogError> {
        let segment = Arc::clone(&self.tail().segment);
        segment.file.sync_data().map_err(failed("syncing the log"))
    }

    fn frame(&self, position: Position) -> Result<Option<StoredFrame>, LogError> {
        let mut window = Window::default();
        let Some((segment, first, offset)) = self.find(position, &mut window)? else {
            return Ok(None);
        };
        let (frame, _) = segment.read(first, offset, &mut window, LOOK_UP_BYTES)?;
        Ok(Some(Arc::new(frame)))
    }

    fn block(&self, position: Position) -> Result<Option<StoredBlock>, LogError> {
        let mut window = Window::default();
        let Some((segment, first, offset)) = self.find(position, &mut window)? else {
            return Ok(None);
        };
        let place = (first, offset);
        let block = segment.find_block(position, place, &mut window, LOOK_UP_BYTES)?;
        let block = segment.read_block(&block, &mut window, LOOK_UP_BYTES)?;
        Ok(Some(Arc::new(block)))
    }

    fn blocks(&self, positions: &[Position]) -> Vec<Result<Option<StoredBlock>, LogError>> {
        // Two waves: the heads of the frames, which say where the blocks are, and then the blocks.
        for position in positions {
            let segment = self.segment_of(*position);
            let nearest = segment.and_then(|s| s.nearest(*position).ok().map(|n| (s, n.1)));
            if let Some((segment, offset)) = nearest {
                segment.will_read(offset, HEAD_BYTES);
            }
        }
        let places: Vec<_> = positions
            .iter()
            .map(|position| {
                let mut window = Window::default();
                let found = self.find(*position, &mut window)?;
                let Some((segment, first, offset)) = found else {
                    return Ok(None);
                };
                let place = (first, offset);
                let block = segment.find_block(*position, place, &mut window, HEAD_BYTES)?;
                segment.will_read(block.offset(), block.length());
                Ok(Some((segment, block)))
            })
            .collect();
        let read = |place: Result<Option<(Arc<Segment>, BlockAt)>, LogError>| {
            let Some((segment, block)) = place? else {
                return Ok(None);
            };
            let block = segment.read_block(&block, &mut Window::default(), 0)?;
            Ok(Some(Arc::new(block)))
        };
        places.into_iter().map(read).collect()
    }

    fn next_frame(
        &self,
        position: Position,
        place: &mut Place,
    ) -> Result<Option<StoredFrame>, LogError> {
        if position > self.end() {
            return Ok(None);
        }
        let segment = match self.segment_of(position) {
            Some(segment) if segment.first == place.segment && place.next == position => segment,
            _ => {
                place.window.clear();
                let Some((segment, first, offset)) = self.find(position, &mut Window::default())?
                else {
                    return Ok(None);
                };
                place.segment = segment.first;
                place.next = first;
                place.offset = offset;
                segment
            }
        };
        let Place {
            next,
            offset,
            window,
            ..
        } = place;
        let (frame, end) = segment.read(*next, *offset, window, SCAN_LENGTH_BYTES)?;
        *next = frame.last().next();
        *offset = end;
        Ok(Some(Arc::new(frame)))
    }

    fn close(&self) -> Result<(), LogError> {
        self.tail().seal()
    }
}
