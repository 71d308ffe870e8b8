//! Finding out what is wrong with a store, without changing anything.

use super::checkpoints;
use super::copying::{Range, Watch};
use super::directory::{Directory, hold};
use super::error::StoreError;
use super::manifest::Manifest;
use super::open::persistent;
use crate::event::Event;
use crate::id::Position;
use crate::index::disk;
use crate::limits::DAMAGE_NOTES_MAX;
use crate::log::{Damage, StoredFrame};
use crate::proof::CheckpointFolder;
use crate::tiles;
use std::fs;
use std::path::{Path, PathBuf};

/// What was found of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// The engine that keeps its log.
    pub engine: String,
    /// Which incarnation it is.
    pub incarnation: u32,
    /// Whether it was closed: otherwise its writer was stopped, and opening it recovers its end.
    pub is_closed: bool,
    /// How far it is known to have durably reached.
    pub reached: Position,
    /// The last position of a frame that can be read.
    pub end: Position,
    /// How many frames can be read.
    pub frames: u64,
    /// How many events can be read and understood.
    pub events: u64,
    /// The positions whose events are not there, although they were: first and last of each range.
    pub missing: Vec<Range>,
    /// Positions whose events are there and cannot be understood; at most 256.
    pub unreadable: Vec<Position>,
    /// The positions whose events were lost before this incarnation began.
    pub lost: Vec<Range>,
    /// The bytes of the log that are not what was written.
    pub damage: Vec<Damage>,
    /// Whether the end of the log is a frame that was never acknowledged and will be cut.
    pub is_torn: bool,
    /// The index.
    pub index: IndexState,
    /// The files with what was cut earlier.
    pub torn: Vec<PathBuf>,
    /// How many checkpoints of this incarnation are kept.
    pub checkpoints: usize,
    /// What is wrong with the checkpoints, if they cannot be read.
    pub bad_checkpoints: Option<String>,
    /// Files and directories that others than their owner may use, with their modes.
    pub open_to_others: Vec<(PathBuf, u32)>,
}

/// What the index says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexState {
    /// There is none: it is built when the store is opened.
    Missing,
    /// It covers the log up to a position.
    Until(Position),
    /// It does not hold, or belongs to another log: it is built again when the store is opened.
    Doubtful {
        /// Why.
        reason: String,
    },
}

impl Examination {
    /// Whether anything that cannot be derived is not what it was.
    pub fn is_damaged(&self) -> bool {
        let log = self.missing.is_empty() && self.unreadable.is_empty();
        let bytes = self.damage.is_empty() || self.is_torn;
        !(log && bytes && self.bad_checkpoints.is_none())
    }
}

/// Examines the store at a path: every frame and every event of its log is read. Another process must not
/// have it open. Costs one pass over the log, two for the sled engine, and one decoding an event.
pub fn examine(path: &Path, watch: Watch<'_>) -> Result<Examination, StoreError> {
    let _lock = hold(path)?;
    let manifest = Manifest::read(path)?;
    let engine = persistent(path, &manifest.engine)?;
    let index = Directory::index(path);
    let watermark = disk::watermark(&index, manifest.store_id);
    let reached = manifest
        .reached
        .max(watermark)
        .max(checkpoints::reached(path)?)
        .max(tiles::watermark(path, manifest.store_id));
    let mut frames = (engine.salvage)(&Directory::log(path), reached)?;
    let mut log = Log::default();
    for frame in frames.by_ref() {
        log.take(&frame);
        watch(frame.last(), reached.max(frame.last()));
    }
    let end = log.end;
    if end < reached {
        log.missing.push((end.next(), reached));
    }
    let damage = frames.damage().to_vec();
    let at_end = |damage: &Damage| damage.after == end && end >= reached;
    let is_torn = manifest.is_open && !damage.is_empty() && damage.iter().all(at_end);
    let checkpoints = CheckpointFolder::of(path).checkpoints();
    let mut open_to_others = Vec::new();
    modes(path, &mut open_to_others);
    Ok(Examination {
        engine: manifest.engine.clone(),
        incarnation: manifest.incarnation,
        is_closed: !manifest.is_open,
        reached,
        end,
        frames: log.frames,
        events: log.events,
        missing: log.missing,
        unreadable: log.unreadable,
        lost: manifest.lost.clone(),
        damage,
        is_torn,
        index: index_state(&index, &manifest, end),
        torn: files_in(&path.join("torn")),
        checkpoints: checkpoints.as_ref().map_or(0, Vec::len),
        bad_checkpoints: checkpoints.err().map(|error| error.to_string()),
        open_to_others,
    })
}

/// What was read of the log so far.
#[derive(Default)]
struct Log {
    end: Position,
    frames: u64,
    events: u64,
    missing: Vec<Range>,
    unreadable: Vec<Position>,
}

impl Log {
    fn take(&mut self, frame: &StoredFrame) {
        if self.end < frame.before() {
            self.missing.push((self.end.next(), frame.before()));
        }
        self.end = frame.last();
        self.frames += 1;
        if frame.is_lost() {
            return;
        }
        for position in (frame.first().0..=frame.last().0).map(Position) {
            let event = frame.event(position).map(Event::decode);
            match event {
                Some(Ok(event)) if event.position == position => self.events += 1,
                _ if self.unreadable.len() < DAMAGE_NOTES_MAX => self.unreadable.push(position),
                _ => {}
            }
        }
    }
}

fn index_state(directory: &Path, manifest: &Manifest, end: Position) -> IndexState {
    if !directory.exists() {
        return IndexState::Missing;
    }
    let watermark = disk::watermark(directory, manifest.store_id);
    match disk::doubt(directory, manifest.store_id) {
        Some(reason) => IndexState::Doubtful { reason },
        None if watermark > end => IndexState::Doubtful {
            reason: format!("it covers position {watermark}, and the log ends at {end}"),
        },
        None => IndexState::Until(watermark),
    }
}

/// The files of a directory, by name.
fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<_> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// Finds what others than the owner may use. What is below a directory that is closed to others is too,
/// whatever its own mode: sled sets modes as it likes.
fn modes(path: &Path, found: &mut Vec<(PathBuf, u32)>) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let Ok(metadata) = fs::symlink_metadata(path) else {
            return;
        };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 == 0 {
            return;
        }
        found.push((path.to_owned(), mode));
        let entries = fs::read_dir(path).into_iter().flatten();
        for entry in entries.flatten() {
            modes(&entry.path(), found);
        }
    }
}
