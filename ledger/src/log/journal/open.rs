//! Opening a journal: which segments there are, and where the last one ends.

use super::segment::{self, Seal, Segment};
use super::window::Window;
use super::{JournalLog, Tail, ZEROS, create, failed};
use crate::files;
use crate::id::Position;
use crate::limits::{
    FRAME_LENGTH_MAX_BYTES, SCAN_LENGTH_BYTES, SEGMENT_AHEAD_MIN_BYTES, SEGMENT_WAYPOINT_BYTES,
};
use crate::log::frame::{self, HEADER_LENGTH_BYTES, Header};
use crate::log::{Epoch, Frame, LogError, Opened, Opening, Stop, Torn};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

/// Opens the journal in a directory, making its first segment if there is none.
pub(super) fn open(directory: &Path, opening: Opening) -> Result<Opened, LogError> {
    let mut found = list(directory)?;
    let Some((first, path)) = found.pop() else {
        let segments = vec![create(directory, Position(1))?];
        return opened(directory, opening, segments, false, None);
    };
    let mut segments = Vec::with_capacity(found.len() + 1);
    let mut next = Position(1);
    for (first, path) in found {
        let segment = open_sealed(first, &path, next)?;
        next = segment.last().next();
        segments.push(segment);
    }
    check_first(first, next)?;
    let (last, sealed, torn) = open_last(first, &path, opening)?;
    segments.push(last);
    if opening.stop == Stop::Unclean {
        make_durable(directory, &segments)?;
    }
    opened(directory, opening, segments, sealed, torn)
}

fn opened(
    directory: &Path,
    opening: Opening,
    segments: Vec<Segment>,
    sealed: bool,
    torn: Option<Torn>,
) -> Result<Opened, LogError> {
    let segments: Vec<_> = segments.into_iter().map(Arc::new).collect();
    let Some(last) = segments.last().map(Arc::clone) else {
        let reason = "it has no segment".to_owned();
        return Err(LogError::Damaged {
            position: Position(1),
            reason,
        });
    };
    let length = last
        .file
        .metadata()
        .map_err(failed("reading a segment"))?
        .len();
    let tail = Tail {
        end: last.last(),
        epoch: Epoch(0),
        segment: last,
        sealed,
        zeroed_to: length,
        ahead: SEGMENT_AHEAD_MIN_BYTES,
    };
    let log = JournalLog {
        directory: directory.to_owned(),
        segment_length: opening.segment_length_bytes.min(u64::from(u32::MAX)),
        segments: RwLock::new(segments),
        tail: Mutex::new(tail),
    };
    let end = log.tail().end;
    let mut window = Window::default();
    if let Some((segment, first, offset)) = log.find(end, &mut window)? {
        let ahead = SEGMENT_WAYPOINT_BYTES as usize;
        log.tail().epoch = segment.header(first, offset, &mut window, ahead)?.epoch;
    }
    let log = Box::new(log);
    Ok(Opened { log, torn })
}

/// The segment files, by first position.
pub(super) fn list(directory: &Path) -> Result<Vec<(Position, PathBuf)>, LogError> {
    let named = list_named(directory)?.into_iter().map(|(first, path)| {
        let first = first.ok_or_else(|| LogError::Damaged {
            position: Position(0),
            reason: "a segment's name is no position".to_owned(),
        })?;
        Ok((first, path))
    });
    named.collect()
}

/// The segment files, by first position; `None` for a name that is none.
pub(super) fn list_named(directory: &Path) -> Result<Vec<(Option<Position>, PathBuf)>, LogError> {
    let doing = failed("listing the log's directory");
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(&doing)? {
        let path = entry.map_err(&doing)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == segment::EXTENSION)
        {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let first = stem.and_then(|stem| stem.parse().ok()).map(Position);
            found.push((first, path));
        }
    }
    found.sort();
    Ok(found)
}

fn check_first(first: Position, next: Position) -> Result<(), LogError> {
    if first == next {
        return Ok(());
    }
    let reason = format!("the segment that begins there is missing; the next begins at {first}");
    Err(LogError::Damaged {
        position: next,
        reason,
    })
}

fn open_file(path: &Path, first: Position) -> Result<File, LogError> {
    let file = files::open_private(path).map_err(failed("opening a segment"))?;
    let header = segment::header(first);
    let mut found = vec![0; header.len()];
    let read = file.read_exact_at(&mut found, 0);
    if read.is_err() || found != header {
        let reason = "the header of its segment is not what was written".to_owned();
        return Err(LogError::Damaged {
            position: first,
            reason,
        });
    }
    Ok(file)
}

/// A segment that others follow, which makes it whole. Where its seal does not hold, its frames are
/// walked over.
fn open_sealed(first: Position, path: &Path, next: Position) -> Result<Segment, LogError> {
    check_first(first, next)?;
    let file = open_file(path, first)?;
    let length = file.metadata().map_err(failed("reading a segment"))?.len();
    match Seal::read(&file, length)? {
        Some(seal) if seal.first == first => Ok(Segment::sealed(file, seal)),
        _ => {
            let segment = Segment::growing(file, first);
            walk(&segment, length)?;
            Ok(segment)
        }
    }
}

/// The last segment; whether it has to be cut to its frames before it grows; what was cut already.
fn open_last(
    first: Position,
    path: &Path,
    opening: Opening,
) -> Result<(Segment, bool, Option<Torn>), LogError> {
    let file = open_file(path, first)?;
    let length = file.metadata().map_err(failed("reading a segment"))?.len();
    if let Some(seal) = Seal::read(&file, length)?.filter(|seal| seal.first == first) {
        return Ok((Segment::sealed(file, seal), true, None));
    }
    let segment = Segment::growing(file, first);
    walk(&segment, length)?;
    match opening.stop {
        // Only the seal is not what was written: it is made again.
        Stop::Clean if segment.last() >= opening.reached => Ok((segment, true, None)),
        Stop::Clean => {
            let position = segment.last().next();
            let reason = "what is there is not what was written".to_owned();
            Err(LogError::Damaged { position, reason })
        }
        Stop::Unclean => {
            let torn = recover(&segment, length, opening.reached)?;
            Ok((segment, false, torn))
        }
    }
}

/// Finds the frames of a segment, each checked, up to what is no frame or does not follow.
fn walk(segment: &Segment, length: u64) -> Result<(), LogError> {
    let reading = failed("reading a segment");
    let mut window = Window::default();
    let mut next = segment.first;
    loop {
        let offset = segment.frames_end();
        let ahead = SCAN_LENGTH_BYTES;
        let file = &segment.file;
        let bytes = window.get(file, offset, HEADER_LENGTH_BYTES, length, ahead);
        let header = match Header::read(bytes.map_err(&reading)?) {
            Ok(header) if header.first == next => header,
            _ => return Ok(()),
        };
        let whole = window.get(file, offset, header.whole_length(), length, ahead);
        if Frame::check(whole.map_err(&reading)?).is_err() {
            return Ok(());
        }
        segment.grow(next, header.last(), header.whole_length());
        next = header.last().next();
    }
}

/// Looks at what stands after the frames of a segment whose writer was stopped. Zeros are as they
/// should be. A seal that was being written is cut. What else is there is a frame that was being
/// written and is cut, unless a whole frame follows it or the log had reached it: then it had been
/// acknowledged, and is damaged.
fn recover(segment: &Segment, length: u64, reached: Position) -> Result<Option<Torn>, LogError> {
    let first = segment.last().next();
    let offset = segment.frames_end();
    let mut rest = vec![0; usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX)];
    let file = &segment.file;
    file.read_exact_at(&mut rest, offset)
        .map_err(failed("reading a segment"))?;
    let Some(last) = rest.iter().rposition(|byte| *byte != 0) else {
        return Ok(None);
    };
    rest.truncate(last + 1);
    let damaged = |reason: String| {
        Err(LogError::Damaged {
            position: first,
            reason,
        })
    };
    if first <= reached {
        return damaged(format!("the log had durably reached position {reached}"));
    }
    if let Some(later) = frame_within(&rest, first) {
        return damaged(format!(
            "a frame that begins with position {later} follows it"
        ));
    }
    let cutting = failed("cutting the end of the log");
    if Seal::begins(&rest) {
        file.set_len(offset)
            .and_then(|()| file.sync_all())
            .map_err(cutting)?;
        return Ok(None);
    }
    if rest.len() > FRAME_LENGTH_MAX_BYTES * 2 {
        return damaged("there is more than a frame that was being written".to_owned());
    }
    let mut at = offset;
    for zeros in rest.chunks(ZEROS.len()) {
        let zeros = ZEROS.get(..zeros.len()).unwrap_or(&ZEROS);
        file.write_all_at(zeros, at).map_err(&cutting)?;
        at += zeros.len() as u64;
    }
    file.sync_data().map_err(cutting)?;
    Ok(Some(Torn { first, bytes: rest }))
}

/// The first position of a whole frame somewhere in some bytes that is not before a position.
fn frame_within(bytes: &[u8], not_before: Position) -> Option<Position> {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..) {
        let step = rest.iter().position(|byte| *byte == frame::MAGIC[0])?;
        at += step;
        let rest = bytes.get(at..)?;
        at += 1;
        let Ok(header) = Header::read(rest) else {
            continue;
        };
        let whole = rest.get(..header.whole_length());
        if header.first >= not_before && whole.is_some_and(|whole| Frame::check(whole).is_ok()) {
            return Some(header.first);
        }
    }
    None
}

/// Writes the last frame once more and syncs it, its file and its directory: the sync that failed
/// or never came may have left it in memory only.
fn make_durable(directory: &Path, segments: &[Segment]) -> Result<(), LogError> {
    let doing = failed("making the end of the log durable");
    let holding = segments
        .iter()
        .rev()
        .find(|segment| segment.last() >= segment.first);
    if let Some(segment) = holding {
        let last = segment.last();
        let ahead = SEGMENT_WAYPOINT_BYTES as usize;
        let mut window = Window::default();
        let (mut first, mut offset) = segment.nearest(last)?;
        loop {
            let (frame, end) = segment.read(first, offset, &mut window, ahead)?;
            if frame.last() >= last {
                segment
                    .file
                    .write_all_at(frame.bytes(), offset)
                    .map_err(&doing)?;
                break;
            }
            first = frame.last().next();
            offset = end;
        }
    }
    for segment in segments.iter().rev().take(2) {
        segment.file.sync_all().map_err(&doing)?;
    }
    let synced = files::sync_directory(directory);
    synced.map_err(|error| doing(error.error))
}
