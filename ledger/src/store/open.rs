//! Making and opening stores in directories.

use super::directory::{Directory, lock};
use super::error::{PathDisplay, StoreError};
use super::indexing::Source;
use super::making::make_beside;
use super::manifest::{Form, Manifest};
use super::{Description, FORMAT_VERSION, Parts, Store};
use crate::files::{self, FileError};
use crate::id::Position;
use crate::index::{RunSize, disk};
use crate::limits::SEGMENT_LENGTH_BYTES;
use crate::log::{CommitLog, Engine, Epoch, LogError, Opened, Opening, Torn};
use crate::proof::CheckpointFolder;
use crate::secret::PepperId;
use crate::tiles::{self, BlockSize};
use crate::time::{Clock, Timestamp};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The engine of new stores, unless another is asked for.
pub const DEFAULT_ENGINE: &str = "journal";

/// What a new store is to be.
#[derive(Debug, Clone, Copy)]
pub struct NewStore {
    /// The pepper that its facts are protected with.
    pub pepper: PepperId,
    /// Its identity: random, or fixed in a test.
    pub store_id: [u8; 16],
    /// When it is made.
    pub created_at: Timestamp,
    /// The name of the engine that keeps its log: one of [`crate::log::ENGINES`] that is persistent.
    pub engine: &'static str,
}

/// How much a store keeps in one piece.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// How many events go into a run of the index.
    pub runs: RunSize,
    /// How long the segments of the log become, for an engine that has them.
    pub segment_length_bytes: u64,
    /// How many leaves go into a block of tiles.
    pub tile_blocks: BlockSize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            runs: RunSize::default(),
            segment_length_bytes: SEGMENT_LENGTH_BYTES,
            tile_blocks: BlockSize::default(),
        }
    }
}

/// What was cut from the end of a log when it was opened after an unclean stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The position that the first event of the cut frame would have had.
    pub first: Position,
    /// The file in which its bytes are kept.
    pub kept_at: PathBuf,
}

impl Store {
    /// Makes a store at a path where nothing is, and opens it. The directory above has to exist.
    /// It is made beside its place and moved there, so that nothing half-made is ever found.
    pub fn create(path: &Path, new: NewStore, clock: Box<dyn Clock>) -> Result<Self, StoreError> {
        make_beside(path, new.store_id, |making| make(making, new))?;
        Self::open(path, clock)
    }

    /// Opens the store at a path. After a clean close this costs opening the log, after a kill
    /// recovering its end. The index is opened meanwhile: whatever needs it waits for it.
    pub fn open(path: &Path, clock: Box<dyn Clock>) -> Result<Self, StoreError> {
        Self::open_with(path, clock, Sizes::default())
    }

    /// [`Store::open`] after taking away the index, so that it is built again. Tiles stay: if the log turns
    /// out to be damaged they are what is left of the hashes of its events. [`Store::write_tiles`] mends them.
    pub fn rebuild(path: &Path, clock: Box<dyn Clock>) -> Result<Self, StoreError> {
        Manifest::read(path)?;
        let held = lock(path)?;
        let index = Directory::index(path);
        match fs::remove_dir_all(&index) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(FileError::new("removing", &index, error).into());
            }
            _ => files::sync_directory(path)?,
        }
        drop(held);
        Self::open(path, clock)
    }

    /// [`Store::open`] with other sizes of runs and segments: for tests.
    pub fn open_with(path: &Path, clock: Box<dyn Clock>, sizes: Sizes) -> Result<Self, StoreError> {
        // The lock is a file, and must not be left in a directory that is no store.
        Manifest::read(path)?;
        let lock = lock(path)?;
        let manifest = Manifest::read(path)?;
        let engine = persistent(path, &manifest.engine)?;
        let index = Directory::index(path);
        let signed = Position(CheckpointFolder::of(path).reached()?.0);
        let watermark = disk::watermark(&index, manifest.store_id);
        let tiled = tiles::watermark(path, manifest.store_id);
        let reached = watermark.max(manifest.reached).max(signed).max(tiled);
        let left = match manifest.is_open {
            true => Opening::unclean(reached),
            false => Opening::clean(),
        };
        let opening = Opening {
            reached,
            segment_length_bytes: sizes.segment_length_bytes,
            ..left
        };
        let Opened { log, torn } = open_log(path, engine, opening)?;
        let recovered = torn.map(|torn| keep(path, &torn, &manifest)).transpose()?;
        let end = log.end();
        if end < reached {
            return Err(StoreError::Shorter { end, reached });
        }
        if !manifest.is_open && end > manifest.reached {
            let closed_at = manifest.reached;
            return Err(older(
                path,
                &format!("it says that the log was closed at {closed_at}, but it ends at {end}"),
            ));
        }
        if super::last_epoch(&*log)? > manifest.epoch {
            return Err(older(path, "the log was written under a later epoch"));
        }
        let index = Source::Disk {
            directory: index,
            store_id: manifest.store_id,
            runs: sizes.runs,
        };
        let parts = Parts {
            log,
            index,
            description: describe(path, &manifest),
            directory: Some(Directory {
                path: path.to_owned(),
                manifest,
            }),
            recovered,
            lock: Some(lock),
            tile_blocks: sizes.tile_blocks,
        };
        Self::start(parts, clock)
    }
}

pub(super) fn persistent(path: &Path, name: &str) -> Result<&'static Engine, StoreError> {
    let engine = Engine::named(name).filter(|engine| engine.persistent);
    engine.ok_or_else(|| StoreError::UnknownEngine {
        path: PathDisplay::from(path),
        engine: name.to_owned(),
    })
}

fn older(path: &Path, reason: &str) -> StoreError {
    StoreError::DamagedManifest {
        path: PathDisplay(path.join(super::manifest::FILE)),
        reason: reason.to_owned(),
    }
}

fn describe(path: &Path, manifest: &Manifest) -> Description {
    Description {
        path: Some(path.to_owned()),
        store_id: manifest.store_id,
        incarnation: manifest.incarnation,
        lost: manifest.lost.clone(),
        pepper: Some(manifest.pepper),
        engine: manifest.engine.clone(),
        format_version: FORMAT_VERSION,
        epoch: manifest.epoch,
        created_at: Some(manifest.created_at),
    }
}

/// Makes everything that a store has, durable, at a path of its own.
fn make(path: &Path, new: NewStore) -> Result<(), StoreError> {
    let manifest = Manifest {
        form: Form::Store,
        store_id: new.store_id,
        incarnation: 1,
        engine: new.engine.to_owned(),
        pepper: new.pepper,
        created_at: new.created_at,
        epoch: Epoch(0),
        reached: Position(0),
        is_open: false,
        lost: Vec::new(),
    };
    drop(make_log(path, new.engine)?);
    manifest.write(path)
}

/// Makes an empty log in a directory that is being made.
pub(super) fn make_log(path: &Path, engine: &str) -> Result<Box<dyn CommitLog>, StoreError> {
    let engine = persistent(path, engine)?;
    let directory = Directory::log(path);
    files::make_directory(&directory)?;
    let opened = (engine.open)(&directory, Opening::clean())?;
    files::sync_everything(&directory)?;
    Ok(opened.log)
}

fn open_log(path: &Path, engine: &Engine, opening: Opening) -> Result<Opened, StoreError> {
    let log = Directory::log(path);
    let is_empty = fs::read_dir(&log).map_or(true, |mut entries| entries.next().is_none());
    if is_empty {
        // An engine would begin anew there, and what was acknowledged would be gone silently.
        let reason = format!("there is nothing in {}", log.display());
        let position = Position(0);
        return Err(LogError::Damaged { position, reason }.into());
    }
    Ok((engine.open)(&log, opening)?)
}

/// Keeps what was cut in a file of its own, under the epoch that wrote it.
fn keep(path: &Path, torn: &Torn, manifest: &Manifest) -> Result<Recovered, StoreError> {
    let directory = path.join("torn");
    if !directory.is_dir() {
        files::make_directory(&directory)?;
        files::sync_directory(path)?;
    }
    let name = format!("position-{}-epoch-{}", torn.first, manifest.epoch);
    let kept_at = directory.join(name);
    files::replace(&kept_at, &torn.bytes)?;
    tracing::warn!(first = %torn.first, "a frame that was never acknowledged was cut");
    Ok(Recovered {
        first: torn.first,
        kept_at,
    })
}
