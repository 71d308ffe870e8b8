//! What can go wrong with a store, and what to do about it.

use crate::event::codec::CodecError;
use crate::files::FileError;
use crate::id::{EventId, Position, Revision};
use crate::index::IndexError;
use crate::log::LogError;
use crate::subject::Subject;
use crate::tiles::TileError;
use std::io;
use std::path::{Path, PathBuf};

/// Why a store cannot be made, opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Nothing is there.
    #[error("{path} does not exist")]
    Missing {
        /// The path that was given.
        path: PathDisplay,
    },
    /// A file is there.
    #[error("{path} is a file, and a store is a directory")]
    IsFile {
        /// The path that was given.
        path: PathDisplay,
    },
    /// A directory is there that is no store.
    #[error("{path} is a directory, but no store")]
    NotAStore {
        /// The path that was given.
        path: PathDisplay,
    },
    /// A backup is there, and a store was wanted.
    #[error("{path} is a backup, and no store")]
    IsBackup {
        /// The path that was given.
        path: PathDisplay,
    },
    /// A store is there, and a backup was wanted.
    #[error("{path} is a store, and no backup")]
    NotABackup {
        /// The path that was given.
        path: PathDisplay,
    },
    /// The backup is of another store.
    #[error("{path} is a backup of another store")]
    OtherStore {
        /// The backup.
        path: PathDisplay,
    },
    /// The backup and the store have not the same history.
    #[error("{path} holds another history than the store, at position {position} at the latest")]
    Parted {
        /// The backup.
        path: PathDisplay,
        /// A position up to which they are not the same.
        position: Position,
    },
    /// The backup goes further than the store.
    #[error("{path} reaches position {backup}, but the store only {store}")]
    Ahead {
        /// The backup.
        path: PathDisplay,
        /// How far the backup reaches.
        backup: Position,
        /// How far the store has durably reached.
        store: Position,
    },
    /// Something is already where a store was going to be made.
    #[error("{path} already exists")]
    Exists {
        /// The path that was given.
        path: PathDisplay,
    },
    /// Made by another version of this program.
    #[error("{path} has store format {found}, and this version reads format {known}")]
    OtherVersion {
        /// The store.
        path: PathDisplay,
        /// Its format.
        found: String,
        /// The format of this version.
        known: u32,
    },
    /// Kept by an engine that this version does not have.
    #[error("{path} is kept by the engine `{engine}`, which this version does not have")]
    UnknownEngine {
        /// The store.
        path: PathDisplay,
        /// The name of the engine.
        engine: String,
    },
    /// The manifest is not what was written.
    #[error("the manifest {path} is damaged: {reason}")]
    DamagedManifest {
        /// The manifest.
        path: PathDisplay,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process has it open.
    #[error("{path} is in use by {}", holder(*.pid))]
    InUse {
        /// The store.
        path: PathDisplay,
        /// The process that holds it, where it could be read.
        pid: Option<u32>,
    },
    /// The operating system does not allow it.
    #[error("{doing} {path} is not permitted")]
    Denied {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathDisplay,
    },
    /// The operating system could not do it.
    #[error("{doing} {path} failed: {error}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathDisplay,
        /// What it said.
        error: io::Error,
    },
    /// The log could not be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log does not reach as far as it did: acknowledged events are lost.
    #[error("the log ends at position {end}, but it had reached position {reached}")]
    Shorter {
        /// Where it ends now.
        end: Position,
        /// How far it had been durable.
        reached: Position,
    },
    /// The index could not be read or written.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The index could not be brought up to the end of the log.
    #[error("the index could not be made: {reason}")]
    NotIndexed {
        /// What went wrong.
        reason: String,
        /// Whether that is because what is stored is not what was stored.
        is_damage: bool,
    },
    /// The tiles could not be written.
    #[error(transparent)]
    Tiles(#[from] TileError),
    /// An event of the log cannot be read.
    #[error("the event at position {position} cannot be read: {error}")]
    Event {
        /// Its position.
        position: Position,
        /// What is wrong with it.
        error: CodecError,
    },
    /// The index names an event that is not there, or is not the one that it should be.
    #[error("the index and the log do not agree about position {position}")]
    Disagree {
        /// The position.
        position: Position,
    },
    /// A thread could not be started, or ended before its time.
    #[error("a thread of the store {what}")]
    Thread {
        /// What happened to it.
        what: &'static str,
    },
}

/// A path in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathDisplay(pub PathBuf);

impl std::fmt::Display for PathDisplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0.display(), f)
    }
}

impl From<&Path> for PathDisplay {
    fn from(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

fn holder(pid: Option<u32>) -> String {
    match pid {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    }
}

impl From<FileError> for StoreError {
    fn from(FileError { doing, path, error }: FileError) -> Self {
        Self::io(doing, &path, error)
    }
}

impl StoreError {
    /// An error of the operating system, told apart as far as it says.
    pub(crate) fn io(doing: &'static str, path: &Path, error: io::Error) -> Self {
        let path = PathDisplay::from(path);
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::PermissionDenied => Self::Denied { doing, path },
            _ => Self::Io { doing, path, error },
        }
    }

    /// What to do about it, in one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "check the path; `actl init` makes a store",
            Self::IsFile { .. } => {
                "give the directory of the store; event files are read with `actl import FILE`"
            }
            Self::NotAStore { .. } => {
                "check the path; a store is a directory that holds a file named `manifest`"
            }
            Self::IsBackup { .. } => "`actl restore` makes a store of a backup",
            Self::NotABackup { .. } => {
                "give the directory of a backup, or a path where nothing is yet"
            }
            Self::OtherStore { .. } => {
                "give the backup of this store, or a path where nothing is yet"
            }
            Self::Parted { .. } => {
                "keep that backup: it has events that this store has not; give a path where nothing is yet"
            }
            Self::Ahead { .. } => {
                "keep that backup: this store may be an old copy; `actl restore` makes a store of the backup"
            }
            Self::Exists { .. } => "give a path where nothing is yet, or open the store there",
            Self::OtherVersion { .. } | Self::UnknownEngine { .. } => {
                "use the version of `actl` that made the store"
            }
            Self::DamagedManifest { .. } => {
                "put the manifest back from a copy, or see what `actl doctor` says"
            }
            Self::InUse { .. } => {
                "wait until that process ends; if it is `actl serve`, ask it over HTTP"
            }
            Self::Denied { .. } => "check the owner and the mode of the path",
            Self::Io { .. } => "check the medium and its free space",
            Self::Log(_) | Self::Event { .. } | Self::Shorter { .. } => {
                "copy the store before doing anything else; then `actl doctor` says what is lost"
            }
            Self::Index(_) | Self::Disagree { .. } => {
                "open the store again: the index is derived, and is built again from the log"
            }
            Self::Tiles(_) => {
                "make room for them, or go on without: tiles are derived, and only save time"
            }
            Self::NotIndexed {
                is_damage: true, ..
            } => "copy the store before doing anything else; then `actl doctor` says what is lost",
            Self::NotIndexed { .. } | Self::Thread { .. } => "open the store again",
        }
    }

    /// Whether what was asked contradicts what is recorded: nothing was done, and nothing is wrong.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::OtherStore { .. } | Self::Parted { .. } | Self::Ahead { .. }
        )
    }

    /// Whether what is stored is not what was written, as opposed to a wrong path or a busy store.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::DamagedManifest { .. }
            | Self::Shorter { .. }
            | Self::Event { .. }
            | Self::Disagree { .. }
            | Self::Log(LogError::Damaged { .. } | LogError::Frame { .. })
            | Self::Index(IndexError::Damaged { .. })
            | Self::NotIndexed {
                is_damage: true, ..
            } => true,
            Self::Missing { .. }
            | Self::IsFile { .. }
            | Self::NotAStore { .. }
            | Self::IsBackup { .. }
            | Self::NotABackup { .. }
            | Self::OtherStore { .. }
            | Self::Parted { .. }
            | Self::Ahead { .. }
            | Self::Exists { .. }
            | Self::OtherVersion { .. }
            | Self::UnknownEngine { .. }
            | Self::InUse { .. }
            | Self::Denied { .. }
            | Self::Io { .. }
            | Self::Log(_)
            | Self::Index(_)
            | Self::Tiles(_)
            | Self::NotIndexed { .. }
            | Self::Thread { .. } => false,
        }
    }
}

/// Why an append did not happen, or may not have happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// An id is known with other content. Nothing was appended.
    #[error("event {id} is known with other content, at position {position}")]
    OtherContent {
        /// The id.
        id: EventId,
        /// Where the known event is.
        position: Position,
    },
    /// Some of the events are known and others are not. Nothing was appended.
    #[error("{known} of {offered} events are already known, the first at position {position}")]
    PartlyKnown {
        /// How many are known.
        known: usize,
        /// How many were offered.
        offered: usize,
        /// Where the first of the known ones is.
        position: Position,
    },
    /// One id stands twice in the append. Nothing was appended.
    #[error("event {id} stands more than once in the append")]
    Repeated {
        /// The id.
        id: EventId,
    },
    /// A subject is not at the revision that was expected. Nothing was appended.
    #[error("{subject} is at revision {found}, not {expected}")]
    WrongRevision {
        /// The subject.
        subject: Subject,
        /// What was expected; 0 for absent.
        expected: Revision,
        /// What it is at.
        found: Revision,
    },
    /// A subject was named after the position that was expected. Nothing was appended.
    #[error("{subject} has changed since position {since}, at position {changed}")]
    Changed {
        /// The subject.
        subject: Subject,
        /// The position it was known at.
        since: Position,
        /// The first position that names it since.
        changed: Position,
    },
    /// More than one append may hold. Nothing was appended.
    #[error("the append has {found} {what}; the most is {most}")]
    TooLarge {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// An event cannot be stored. Nothing was appended.
    #[error("event {id} cannot be stored: {error}")]
    Codec {
        /// The id.
        id: EventId,
        /// Why.
        error: CodecError,
    },
    /// The store could not be read or written. Nothing was appended.
    #[error("nothing was appended: {0}")]
    NotAppended(#[source] StoreError),
    /// Writing or syncing failed: whether the events are in the log is known after opening it
    /// again. Appending them again then is safe, because ids are checked.
    #[error("whether the events were appended is not known: {reason}")]
    Ambiguous {
        /// What failed.
        reason: String,
    },
    /// An earlier append was ambiguous, so nothing is accepted any more. Nothing was appended.
    #[error("the store accepts nothing since an earlier write failed")]
    Stopped,
    /// The store is closed. Nothing was appended.
    #[error("the store is closed")]
    Closed,
}

impl AppendError {
    /// What to do about it, in one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::OtherContent { .. } => {
                "compare both with `actl show`; a revised record needs another id"
            }
            Self::PartlyKnown { .. } => "`actl import` passes over what is known",
            Self::Repeated { .. } => "leave out the repetition; `actl import` does so",
            Self::WrongRevision { .. } | Self::Changed { .. } => {
                "read the subject again, decide again, and append with its new revision"
            }
            Self::TooLarge { .. } => "split it into several appends",
            Self::Codec { .. } => "shorten the event, or report the mistake",
            Self::NotAppended(error) => error.hint(),
            Self::Ambiguous { .. } | Self::Stopped => {
                "check the medium, open the store again, and append again: nothing is stored twice"
            }
            Self::Closed => "open the store again",
        }
    }

    /// Whether the append was refused because of what is in the log: the answer is the caller's to
    /// act on, and nothing is wrong with the store.
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::OtherContent { .. }
            | Self::PartlyKnown { .. }
            | Self::Repeated { .. }
            | Self::WrongRevision { .. }
            | Self::Changed { .. } => true,
            Self::TooLarge { .. }
            | Self::Codec { .. }
            | Self::NotAppended(_)
            | Self::Ambiguous { .. }
            | Self::Stopped
            | Self::Closed => false,
        }
    }
}
