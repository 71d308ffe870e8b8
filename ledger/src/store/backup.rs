//! Backing up: a copy of the log beside the store, which later backups go on with.
//!
//! A backup is always kept by the journal engine. Its manifest says up to where it is whole; what is behind
//! that was being copied when the process was stopped, and is cut the next time.

use super::Store;
use super::checkpoints;
use super::copying::Watch;
use super::directory::{Directory, lock};
use super::error::{PathDisplay, StoreError};
use super::making::make_beside;
use super::manifest::{Form, Manifest};
use super::open::make_log;
use crate::files;
use crate::id::Position;
use crate::limits::{COPY_SYNC_BYTES, SEGMENT_LENGTH_BYTES};
use crate::log::{CommitLog, Epoch, LogError, Opening, StoredFrame, journal};
use crate::time::{Clock, Timestamp};
use std::fs;
use std::path::Path;

/// What a backup has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    /// Up to where the backup reached before.
    pub before: Position,
    /// Up to where it reaches now.
    pub end: Position,
    /// The bytes of the frames that were copied.
    pub copied_bytes: u64,
}

/// Some frames, in order.
type Frames<'a> = Box<dyn Iterator<Item = Result<StoredFrame, StoreError>> + 'a>;

/// What is backed up.
struct Origin<'a> {
    path: &'a Path,
    /// What its manifest says, and how far it is durable.
    manifest: Manifest,
    /// The frames after a position, from the one that holds it or follows it.
    frames: &'a dyn Fn(Position) -> Result<Frames<'a>, StoreError>,
}

/// How much goes into one segment of a backup, and between two syncs of it.
#[derive(Clone, Copy)]
struct Steps {
    segment_length_bytes: u64,
    sync_bytes: u64,
}

impl Default for Steps {
    fn default() -> Self {
        Self {
            segment_length_bytes: SEGMENT_LENGTH_BYTES,
            sync_bytes: COPY_SYNC_BYTES,
        }
    }
}

/// Backs up the store at a path to a directory, which is made if nothing is there. A store of the journal
/// engine is read beside its writer, up to where its manifest says that it is durable; any other one
/// is opened, which another process must not have done. The first backup costs a pass over the log, a later
/// one what is new, and at most one segment of headers.
pub fn back_up(
    path: &Path,
    to: &Path,
    clock: Box<dyn Clock>,
    watch: Watch<'_>,
) -> Result<BackedUp, StoreError> {
    let manifest = Manifest::read(path)?;
    if manifest.engine != journal::ENGINE.name {
        let store = Store::open(path, clock)?;
        let backed_up = store.back_up(to, watch)?;
        store.close()?;
        return Ok(backed_up);
    }
    let reached = manifest.reached;
    let log = Directory::log(path);
    let frames = |after| {
        let frames = journal::read(&log, after, reached)?;
        let frames: Frames<'_> = Box::new(frames.map(|frame| Ok(frame?)));
        Ok(frames)
    };
    let origin = Origin {
        path,
        manifest,
        frames: &frames,
    };
    write(&origin, to, Steps::default(), watch)
}

impl Store {
    /// Backs up this store while it is in use, up to its present end. See [`back_up`].
    pub fn back_up(&self, to: &Path, watch: Watch<'_>) -> Result<BackedUp, StoreError> {
        let description = self.description();
        let (Some(path), Some(pepper)) = (&description.path, description.pepper) else {
            let path = PathDisplay::from(to);
            return Err(StoreError::NotAStore { path });
        };
        let end = self.end();
        let log = &*self.shared.log;
        let epoch = log.frame(end)?.map_or(Epoch(0), |frame| frame.epoch());
        let manifest = Manifest {
            form: Form::Store,
            store_id: description.store_id,
            incarnation: description.incarnation,
            engine: description.engine.clone(),
            pepper,
            created_at: description.created_at.unwrap_or(Timestamp::from_micros(0)),
            epoch,
            reached: end,
            is_open: true,
            lost: description.lost.clone(),
        };
        let frames = |after| {
            let frames: Frames<'_> = Box::new(self.frames(after, end));
            Ok(frames)
        };
        let origin = Origin {
            path,
            manifest,
            frames: &frames,
        };
        write(&origin, to, Steps::default(), watch)
    }
}

/// Brings a backup up to where its store is durable.
fn write(
    origin: &Origin<'_>,
    to: &Path,
    steps: Steps,
    watch: Watch<'_>,
) -> Result<BackedUp, StoreError> {
    if fs::symlink_metadata(to).is_err() {
        make_beside(to, origin.manifest.store_id, |making| {
            drop(make_log(making, journal::ENGINE.name)?);
            at(origin, Position(0)).write(making)
        })?;
    }
    // The lock is a file, and must not be left in a directory that is no backup.
    Manifest::read_form(to, Form::Backup)?;
    let _lock = lock(to)?;
    let found = Manifest::read_form(to, Form::Backup)?;
    let before = found.reached;
    let mut frames = follow(origin, to, &found)?;
    let directory = Directory::log(to);
    journal::cut_after(&directory, before)?;
    let opening = Opening {
        reached: before,
        segment_length_bytes: steps.segment_length_bytes,
        ..Opening::clean()
    };
    let log = (journal::ENGINE.open)(&directory, opening)?.log;
    if log.end() != before {
        let (end, reached) = (log.end(), before);
        return Err(StoreError::Shorter { end, reached });
    }
    let reached = origin.manifest.reached;
    let mut copied_bytes = 0;
    let mut unsynced_bytes = 0;
    for frame in &mut frames {
        let frame = frame?;
        log.append(&frame)?;
        let length = frame.bytes().len() as u64;
        copied_bytes += length;
        unsynced_bytes += length;
        if unsynced_bytes >= steps.sync_bytes {
            log.sync()?;
            at(origin, log.end()).write(to)?;
            unsynced_bytes = 0;
        }
        watch(frame.last(), reached);
    }
    finish(origin, to, &found, &*log)?;
    Ok(BackedUp {
        before,
        end: reached,
        copied_bytes,
    })
}

/// Makes the copy durable and says so.
fn finish(
    origin: &Origin<'_>,
    to: &Path,
    found: &Manifest,
    log: &dyn CommitLog,
) -> Result<(), StoreError> {
    let reached = origin.manifest.reached;
    let end = log.end();
    if end != reached {
        return Err(StoreError::Shorter { end, reached });
    }
    log.sync()?;
    log.close()?;
    files::sync_directory(&Directory::log(to))?;
    if found.incarnation != origin.manifest.incarnation {
        checkpoints::set_aside(to, found.incarnation)?;
    }
    checkpoints::copy(origin.path, to, reached)?;
    at(origin, reached).write(to)
}

/// The manifest of a backup that is whole up to a position.
fn at(origin: &Origin<'_>, reached: Position) -> Manifest {
    Manifest {
        form: Form::Backup,
        engine: journal::ENGINE.name.to_owned(),
        reached,
        is_open: false,
        ..origin.manifest.clone()
    }
}

/// The frames that follow what a backup has, after checking that what it has is what the store has: the same
/// store, the same last frame byte for byte, and no events that the store has lost.
fn follow<'a>(origin: &Origin<'a>, to: &Path, found: &Manifest) -> Result<Frames<'a>, StoreError> {
    let path = PathDisplay::from(to);
    let manifest = &origin.manifest;
    if found.store_id != manifest.store_id || found.pepper != manifest.pepper {
        return Err(StoreError::OtherStore { path });
    }
    let end = found.reached;
    if end > manifest.reached {
        let (backup, store) = (end, manifest.reached);
        return Err(StoreError::Ahead {
            path,
            backup,
            store,
        });
    }
    let lost = manifest.lost.iter().find(|range| {
        let is_known = found.lost.contains(range);
        range.0 <= end && !is_known
    });
    if let Some((position, _)) = lost {
        let position = *position;
        return Err(StoreError::Parted { path, position });
    }
    let Some(before) = end.0.checked_sub(1) else {
        return (origin.frames)(end);
    };
    let last = journal::read(&Directory::log(to), Position(before), end)?.next();
    let last = last.ok_or(LogError::Damaged {
        position: end,
        reason: "the backup does not hold it".to_owned(),
    })??;
    let mut frames = (origin.frames)(Position(before))?;
    match frames.next().transpose()? {
        Some(frame) if frame.bytes() == last.bytes() => Ok(frames),
        _ => {
            let position = end;
            Err(StoreError::Parted { path, position })
        }
    }
}

#[cfg(test)]
mod tests;
