//! Salvaging a journal: every whole frame of its segment files, whatever is between them, and the whole
//! blocks of damaged frames.
//!
//! Where there is no frame, the next one is looked for: after a damaged body at the place that its header
//! tells, else byte by byte. No event can be mistaken for frames: texts in it hold no zero bytes.

use super::open::list_named;
use super::segment::{self, FRAMES_OFFSET, Seal};
use super::window::Window;
use crate::id::Position;
use crate::limits::{DAMAGE_NOTES_MAX, SCAN_LENGTH_BYTES};
use crate::log::frame::{self, HEADER_LENGTH_BYTES, Header};
use crate::log::{Damage, Frame, LogError, Salvage, StoredFrame};
use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The frames of a journal.
struct JournalSalvage {
    /// The segments that are still to be read, the next one last.
    segments: Vec<(Position, PathBuf)>,
    open: Option<OpenSegment>,
    window: Window,
    /// The next frame begins here or later.
    next: Position,
    /// Frames up to here were acknowledged.
    reached: Position,
    /// What comes before the segment is read on.
    ready: VecDeque<Frame>,
    damage: Vec<Damage>,
}

/// The segment that is being read.
struct OpenSegment {
    name: String,
    file: File,
    length: u64,
    /// Up to where it was read.
    offset: u64,
    /// Its frames are before this position: the next segment begins with it.
    before: Position,
}

/// Reads what can be read of the journal in a directory.
pub(super) fn salvage(directory: &Path, reached: Position) -> Result<Box<dyn Salvage>, LogError> {
    let segments = list_named(directory)?.into_iter();
    let segments = segments.filter_map(|(first, path)| Some((first?, path)));
    let mut segments: Vec<_> = segments.filter(|(first, _)| first.0 > 0).collect();
    segments.reverse();
    Ok(Box::new(JournalSalvage {
        segments,
        open: None,
        window: Window::patient(),
        next: Position(1),
        reached,
        ready: VecDeque::new(),
        damage: Vec::new(),
    }))
}

impl OpenSegment {
    /// Bytes from an offset on, as many as there are.
    fn get<'w>(&self, window: &'w mut Window, offset: u64, length: usize) -> &'w [u8] {
        let bytes = window.get(&self.file, offset, length, self.length, SCAN_LENGTH_BYTES);
        // A patient window gives zeros for what cannot be read.
        bytes.unwrap_or_default()
    }

    fn header(&self, window: &mut Window, offset: u64, next: Position) -> Option<Header> {
        let header = Header::read(self.get(window, offset, HEADER_LENGTH_BYTES)).ok()?;
        let follows = header.first >= next && header.last() < self.before;
        follows.then_some(header)
    }

    /// The whole frame at an offset.
    fn frame(&self, window: &mut Window, offset: u64, next: Position) -> Option<Frame> {
        let header = self.header(window, offset, next)?;
        let bytes = self.get(window, offset, header.whole_length());
        Frame::read(bytes.to_vec()).ok()
    }

    /// What is whole of the damaged frame at an offset. Whoever calls this knows that it was acknowledged:
    /// what is left of a frame that never was is not to be shown.
    fn remains(&self, window: &mut Window, offset: u64, next: Position) -> Vec<Frame> {
        let Some(header) = self.header(window, offset, next) else {
            return Vec::new();
        };
        Frame::remains(self.get(window, offset, header.whole_length()))
    }

    /// Whether a seal that holds stands at an offset, with nothing behind it.
    fn is_seal(&self, offset: u64) -> bool {
        let seal = Seal::read(&self.file, self.length).ok().flatten();
        seal.is_some_and(|seal| seal.frames_end == offset)
    }

    /// The first offset after another one at which a whole frame may stand, and what stands there.
    fn search(&self, window: &mut Window, from: u64, next: Position) -> Option<(u64, Frame)> {
        if let Some(header) = self.header(window, from, next) {
            let behind = from + header.whole_length() as u64;
            let follows = self.frame(window, behind, header.last().next());
            if let Some(frame) = follows.filter(|frame| frame.before() == header.last()) {
                return Some((behind, frame));
            }
        }
        let mut offset = from + 1;
        while offset < self.length {
            let bytes = self.get(window, offset, SCAN_LENGTH_BYTES);
            let found = bytes
                .windows(frame::MAGIC.len())
                .position(|bytes| *bytes == frame::MAGIC);
            let Some(found) = found else {
                let passed = bytes.len().saturating_sub(frame::MAGIC.len() - 1).max(1);
                offset += passed as u64;
                continue;
            };
            offset += found as u64;
            if let Some(frame) = self.frame(window, offset, next) {
                return Some((offset, frame));
            }
            offset += 1;
        }
        None
    }

    /// How many bytes from an offset to the end are not the zeros that were written ahead.
    fn rest(&self, window: &mut Window, from: u64) -> u64 {
        let (mut offset, mut end) = (from, from);
        while offset < self.length {
            let bytes = self.get(window, offset, SCAN_LENGTH_BYTES);
            if bytes.is_empty() {
                break;
            }
            if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
                end = offset + last as u64 + 1;
            }
            offset += bytes.len() as u64;
        }
        end - from
    }
}

impl JournalSalvage {
    fn open_next(&mut self) -> Option<OpenSegment> {
        loop {
            let (first, path) = self.segments.pop()?;
            let name = path.file_name().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            let before = self.segments.last().map_or(u64::MAX, |(first, _)| first.0);
            let opened = File::open(&path).and_then(|file| {
                let length = file.metadata()?.len();
                Ok((file, length))
            });
            let Ok((file, length)) = opened else {
                self.note(&name, 0, 0);
                continue;
            };
            self.window.clear();
            self.next = self.next.max(first);
            let segment = OpenSegment {
                name,
                file,
                length,
                offset: FRAMES_OFFSET,
                before: Position(before),
            };
            let header = segment::header(first);
            if segment.get(&mut self.window, 0, header.len()) != header {
                self.note(&segment.name, 0, header.len() as u64);
            }
            return Some(segment);
        }
    }

    fn note(&mut self, file: &str, offset: u64, length_bytes: u64) {
        if self.damage.len() < DAMAGE_NOTES_MAX {
            self.damage.push(Damage {
                file: file.to_owned(),
                offset,
                length_bytes,
                after: Position(self.next.0 - 1),
            });
        }
    }

    /// The next frame of a segment; `None` at its end.
    fn step(&mut self, segment: &mut OpenSegment) -> Option<Frame> {
        let offset = segment.offset;
        let window = &mut self.window;
        let (found, frame) = match segment.frame(window, offset, self.next) {
            Some(frame) => (offset, frame),
            None if segment.is_seal(offset) => return None,
            None => {
                let rest = segment.rest(window, offset);
                if rest == 0 {
                    return None;
                }
                let header = segment.header(window, offset, self.next);
                let found = segment.search(window, offset, self.next);
                // Nothing is written after a frame before it is acknowledged.
                let was_acknowledged = found.is_some()
                    || segment.before != Position(u64::MAX)
                    || header.is_some_and(|header| header.last() <= self.reached);
                let mut remains = VecDeque::new();
                if was_acknowledged {
                    let before = found.as_ref().map(|(_, frame)| frame.first());
                    let is_before = |frame: &Frame| before.is_none_or(|b| frame.last() < b);
                    remains.extend(segment.remains(window, offset, self.next));
                    remains.retain(is_before);
                }
                let until = found.as_ref().map_or(offset + rest, |(found, _)| *found);
                self.note(&segment.name, offset, until - offset);
                if !remains.is_empty() {
                    segment.offset = until;
                    self.ready = remains;
                    return self.take_ready();
                }
                found?
            }
        };
        segment.offset = found + frame.bytes().len() as u64;
        self.next = frame.last().next();
        Some(frame)
    }

    /// The next of the frames that are there already.
    fn take_ready(&mut self) -> Option<Frame> {
        let frame = self.ready.pop_front()?;
        self.next = frame.last().next();
        Some(frame)
    }
}

impl Iterator for JournalSalvage {
    type Item = StoredFrame;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(frame) = self.take_ready() {
            return Some(Arc::new(frame));
        }
        loop {
            let mut segment = match self.open.take() {
                Some(segment) => segment,
                None => self.open_next()?,
            };
            if let Some(frame) = self.step(&mut segment) {
                self.open = Some(segment);
                return Some(Arc::new(frame));
            }
        }
    }
}

impl Salvage for JournalSalvage {
    fn damage(&self) -> &[Damage] {
        &self.damage
    }
}
