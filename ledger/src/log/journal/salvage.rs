//! Salvaging a journal: every whole frame of its segment files, whatever is between them.
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
pub(super) fn salvage(directory: &Path) -> Result<Box<dyn Salvage>, LogError> {
    let segments = list_named(directory)?.into_iter();
    let segments = segments.filter_map(|(first, path)| Some((first?, path)));
    let mut segments: Vec<_> = segments.filter(|(first, _)| first.0 > 0).collect();
    segments.reverse();
    Ok(Box::new(JournalSalvage {
        segments,
        open: None,
        window: Window::patient(),
        next: Position(1),
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
                let Some(found) = segment.search(window, offset, self.next) else {
                    self.note(&segment.name, offset, rest);
                    return None;
                };
                found
            }
        };
        if found > offset {
            self.note(&segment.name, offset, found - offset);
        }
        segment.offset = found + frame.bytes().len() as u64;
        self.next = frame.last().next();
        Some(frame)
    }
}

impl Iterator for JournalSalvage {
    type Item = StoredFrame;

    fn next(&mut self) -> Option<Self::Item> {
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
