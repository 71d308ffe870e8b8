//! Reading a journal beside its writer: without its lock, without recovering or changing anything.
//!
//! What is durable never changes, so a reader that keeps to positions up to which the log is durable
//! needs nothing of the writer. It trusts no seal: the last one may be written or taken off meanwhile.

use super::failed;
use super::open::list;
use super::segment::{self, FRAMES_OFFSET};
use super::window::Window;
use crate::id::Position;
use crate::limits::SCAN_LENGTH_BYTES;
use crate::log::frame::{HEADER_LENGTH_BYTES, Header};
use crate::log::{Frame, LogError, StoredFrame};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Frames in order, each checked. Has one segment open and one frame in memory. Ends after an error.
pub(crate) struct Reader {
    /// The segments that are still to be read, the next one last.
    segments: Vec<(Position, PathBuf)>,
    file: Option<(File, u64)>,
    window: Window,
    offset: u64,
    next: Position,
    from: Position,
    until: Position,
}

/// The frames of the journal in a directory from the one that holds the position after `after` to the one
/// that holds `until`, up to which the log has to be durable. Costs in addition reading the headers of the
/// frames before, in the first of the segments.
pub(crate) fn read(directory: &Path, after: Position, until: Position) -> Result<Reader, LogError> {
    let from = after.next();
    let mut segments = list(directory)?;
    segments.retain(|(first, _)| *first <= until);
    let start = segments.partition_point(|(first, _)| *first <= from);
    segments.drain(..start.saturating_sub(1));
    segments.reverse();
    let next = segments.last().map_or(from, |(first, _)| *first);
    Ok(Reader {
        segments,
        file: None,
        window: Window::default(),
        offset: 0,
        next,
        from,
        until,
    })
}

impl Reader {
    /// The file that the next frame is in.
    fn open_next(&mut self) -> Result<(), LogError> {
        if self
            .segments
            .last()
            .is_none_or(|(first, _)| *first != self.next)
        {
            return Ok(());
        }
        let Some((first, path)) = self.segments.pop() else {
            return Ok(());
        };
        let doing = failed("reading a segment");
        let file = File::open(path).map_err(&doing)?;
        let length = file.metadata().map_err(&doing)?.len();
        let header = segment::header(first);
        let mut found = vec![0; header.len()];
        if file.read_exact_at(&mut found, 0).is_err() || found != header {
            let reason = "the header of its segment is not what was written".to_owned();
            return Err(LogError::Damaged {
                position: first,
                reason,
            });
        }
        self.file = Some((file, length));
        self.window.clear();
        self.offset = FRAMES_OFFSET;
        Ok(())
    }

    /// The next frame, or `None` if it is before the first that is wanted.
    fn step(&mut self) -> Result<Option<StoredFrame>, LogError> {
        self.open_next()?;
        let position = self.next;
        let Some((file, length)) = &self.file else {
            let reason = "no segment holds it".to_owned();
            return Err(LogError::Damaged { position, reason });
        };
        let reading = failed("reading a frame");
        let ahead = SCAN_LENGTH_BYTES;
        let window = &mut self.window;
        let bytes = window.get(file, self.offset, HEADER_LENGTH_BYTES, *length, ahead);
        let header = Header::read(bytes.map_err(&reading)?);
        let header = header.map_err(|error| LogError::Frame { position, error })?;
        if header.first != position {
            let reason = format!("a frame is there that begins with {}", header.first);
            return Err(LogError::Damaged { position, reason });
        }
        let whole = header.whole_length();
        let frame = match header.last() < self.from {
            true => None,
            false => {
                let bytes = window.get(file, self.offset, whole, *length, ahead);
                let frame = Frame::read(bytes.map_err(&reading)?.to_vec());
                let frame = frame.map_err(|error| LogError::Frame { position, error })?;
                Some(Arc::new(frame))
            }
        };
        self.offset += whole as u64;
        self.next = header.last().next();
        Ok(frame)
    }
}

impl Iterator for Reader {
    type Item = Result<StoredFrame, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.next <= self.until && self.from <= self.until {
            match self.step() {
                Ok(None) => {}
                Ok(Some(frame)) => return Some(Ok(frame)),
                Err(error) => {
                    self.until = Position(0);
                    return Some(Err(error));
                }
            }
        }
        None
    }
}
