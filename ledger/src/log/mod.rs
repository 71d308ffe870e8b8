//! The commit log: the truth, behind a small trait.
//!
//! A commit log keeps frames, in order, without holes. What it holds is never changed. Engines
//! differ in where frames live; [`ENGINES`] lists them and one conformance suite runs over the list.

pub mod block;
pub mod frame;
pub mod journal;
pub mod memory;
pub mod salvage;
pub mod sled;
pub(crate) mod sled_file;
mod sled_kept;
mod sled_piece;
mod sled_salvage;

use crate::id::Position;
use crate::limits::SEGMENT_LENGTH_BYTES;
pub use block::{Block, StoredBlock};
use frame::FrameError;
pub use frame::{Epoch, Frame};
pub use memory::MemoryLog;
pub use salvage::{Damage, Salvage};
use std::path::Path;
use std::sync::Arc;

/// Why a commit log could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Somebody else appended in the meantime. Nothing was written.
    #[error("the log ends at position {end}, but the frame follows position {expected}")]
    WrongEnd {
        /// What the frame follows.
        expected: Position,
        /// Where the log ends.
        end: Position,
    },
    /// The log has been written under a later epoch. Nothing was written.
    #[error("the log is in epoch {current}, but the frame was made in epoch {offered}")]
    WrongEpoch {
        /// The epoch of the frame.
        offered: Epoch,
        /// The latest epoch of the log.
        current: Epoch,
    },
    /// The engine knows that nothing was written.
    #[error("nothing was written: {reason}")]
    NotWritten {
        /// What the engine said.
        reason: String,
    },
    /// Reading, writing or syncing failed; after a write, what is on the medium is not known.
    #[error("{doing} failed: {reason}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// What the engine or the operating system said.
        reason: String,
    },
    /// What is in the log is not what was written.
    #[error("the log is damaged at position {position}: {reason}")]
    Damaged {
        /// The first position that is concerned.
        position: Position,
        /// What is wrong.
        reason: String,
    },
    /// A frame does not hold.
    #[error("the frame at position {position} is damaged: {error}")]
    Frame {
        /// Its first position.
        position: Position,
        /// What is wrong with it.
        error: FrameError,
    },
}

impl LogError {
    /// Whether it is certain that nothing was written.
    pub fn nothing_written(&self) -> bool {
        match self {
            Self::WrongEnd { .. } | Self::WrongEpoch { .. } | Self::NotWritten { .. } => true,
            Self::Failed { .. } | Self::Damaged { .. } | Self::Frame { .. } => false,
        }
    }
}

/// A frame in its stored form, checked.
pub type StoredFrame = Arc<Frame>;

/// Keeps frames in order.
///
/// There is one writer at a time; readers may run beside it. What was appended and not synced may
/// be readable: the store shows nothing before it is durable.
pub trait CommitLog: Send + Sync {
    /// The position of the last event that was appended, 0 for an empty log. Cheap.
    fn end(&self) -> Position;

    /// Appends a frame. It has to start right after the end, and its epoch must not be before that
    /// of the last frame. After an error for which [`LogError::nothing_written`] is false, the log
    /// has to be opened again before anything is appended.
    fn append(&self, frame: &Frame) -> Result<(), LogError>;

    /// Makes everything that was appended survive a loss of power. After an error it is not known
    /// what of it does.
    fn sync(&self) -> Result<(), LogError>;

    /// The frame that holds a position, checked; `None` past the end and for position 0.
    /// Costs one look-up and the length of the frame.
    fn frame(&self, position: Position) -> Result<Option<StoredFrame>, LogError>;

    /// The block that holds a position, checked; `None` past the end and for position 0. An engine
    /// that can read part of a frame does so.
    fn block(&self, position: Position) -> Result<Option<StoredBlock>, LogError> {
        let frame = self.frame(position)?;
        Ok(frame.and_then(|frame| frame.block(position).cloned()))
    }

    /// [`CommitLog::block`] of several positions. An engine whose medium can be asked for much at once
    /// does so, and waits for all of it together.
    fn blocks(&self, positions: &[Position]) -> Vec<Result<Option<StoredBlock>, LogError>> {
        let blocks = positions.iter().map(|position| self.block(*position));
        blocks.collect()
    }

    /// [`CommitLog::frame`] for a reader that goes on to the frames after it: what is in `place`
    /// spares it the look-up. Start with [`Place::default`].
    fn next_frame(
        &self,
        position: Position,
        _place: &mut Place,
    ) -> Result<Option<StoredFrame>, LogError> {
        self.frame(position)
    }

    /// Leaves the log as it should be found after a clean stop, durable. Nothing is appended
    /// afterwards.
    fn close(&self) -> Result<(), LogError> {
        Ok(())
    }
}

/// What a sequential reader keeps between frames. An engine that needs nothing leaves it alone.
#[derive(Debug, Default)]
pub struct Place {
    /// The first position of the segment that is being read.
    pub(crate) segment: Position,
    /// The position that the next frame begins with.
    pub(crate) next: Position,
    /// Where in the segment the next frame begins.
    pub(crate) offset: u64,
    /// What was read ahead.
    pub(crate) window: journal::window::Window,
}

/// How the last user of a log left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Closed: whatever is there has to be whole.
    Clean,
    /// Killed, or the power went: the last frame may be torn, and may not be durable yet.
    Unclean,
}

/// What was left of a frame that was being written when the writer was stopped. It was never
/// acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The first position that it would have had.
    pub first: Position,
    /// What there is of it, as the engine found it.
    pub bytes: Vec<u8>,
}

/// What is known of a log before it is opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// How it was left.
    pub stop: Stop,
    /// A position that it had durably reached: nothing up to it is ever cut.
    pub reached: Position,
    /// How long its segments become, for an engine that has them.
    pub segment_length_bytes: u64,
}

impl Opening {
    /// A log that was closed cleanly, or is new.
    pub fn clean() -> Self {
        Self {
            stop: Stop::Clean,
            reached: Position(0),
            segment_length_bytes: SEGMENT_LENGTH_BYTES,
        }
    }

    /// A log whose writer was stopped.
    pub fn unclean(reached: Position) -> Self {
        let stop = Stop::Unclean;
        Self {
            stop,
            reached,
            ..Self::clean()
        }
    }
}

/// A log that was opened, recovered and is durable up to its end.
pub struct Opened {
    /// The log.
    pub log: Box<dyn CommitLog>,
    /// What was cut from its end; only ever after [`Stop::Unclean`].
    pub torn: Option<Torn>,
}

/// Begins to read what can be read of the log in a directory, which had been acknowledged up to a position.
pub type BeginSalvage = fn(&Path, Position) -> Result<Box<dyn Salvage>, LogError>;

/// One engine.
pub struct Engine {
    /// Its name in the store's manifest.
    pub name: &'static str,
    /// Whether what was synced is there after opening again.
    pub persistent: bool,
    /// Opens the log in a directory of its own, making it if it is empty.
    pub open: fn(&Path, Opening) -> Result<Opened, LogError>,
    /// Reads what can be read of a log that cannot be opened.
    pub salvage: BeginSalvage,
}

/// Every engine.
pub const ENGINES: &[Engine] = &[memory::ENGINE, sled::ENGINE, journal::ENGINE];

impl Engine {
    /// The engine of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ENGINES.iter().find(|engine| engine.name == name)
    }
}

/// The checks that every engine makes before it appends.
pub(crate) fn check_append(frame: &Frame, end: Position, current: Epoch) -> Result<(), LogError> {
    let expected = frame.before();
    if expected != end {
        return Err(LogError::WrongEnd { expected, end });
    }
    if frame.epoch() < current {
        let offered = frame.epoch();
        return Err(LogError::WrongEpoch { offered, current });
    }
    Ok(())
}
