//! What can be wrong with a log that is held against what was signed of it.

use super::error::StoreError;
use crate::id::Position;
use crate::proof::checkpoint::CheckpointError;
use crate::proof::file::ProofFileError;
use crate::proof::folder::FolderError;
use crate::proof::{Origin, TreeSize};
use crate::time::Timestamp;

/// Why a log is not what it should be, or why that cannot be found out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntegrityError {
    /// The log cannot be read, or what is there is damaged; it says where.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log ends before a checkpoint.
    #[error(
        "the log ends at position {end}, but a checkpoint of {size} events is known: it was rolled back"
    )]
    Shorter {
        /// How many events there are.
        end: TreeSize,
        /// How many there were.
        size: TreeSize,
    },
    /// The log leads to another root than that of a checkpoint.
    #[error(
        "the log is not the one whose {size} events a checkpoint states: the first event that differs is at one of the positions {} to {size}",
        agreed.0 + 1
    )]
    OtherRoot {
        /// Up to where the log agrees with a smaller checkpoint, 0 if there is none.
        agreed: TreeSize,
        /// The size of the checkpoint.
        size: TreeSize,
    },
    /// The checkpoint is of another log.
    #[error("the checkpoint is of {found}, and this store is {origin}")]
    OtherLog {
        /// The log of the checkpoint.
        found: Origin,
        /// The log of this store.
        origin: Origin,
    },
    /// An event was taken in before the one before it.
    #[error(
        "the event at position {position} says that it was recorded at {found}, before the event that precedes it, at {before}"
    )]
    Time {
        /// The position of the later event.
        position: Position,
        /// When it was recorded.
        found: Timestamp,
        /// When the one before it was recorded.
        before: Timestamp,
    },
    /// A frame was written under an earlier epoch than the one before it.
    #[error(
        "the frame with position {position} was written under an earlier epoch than the one before it"
    )]
    Epoch {
        /// Its first position.
        position: Position,
    },
    /// The event is not among those of the checkpoint.
    #[error("position {position} is not among the {size} events of the checkpoint")]
    NotIncluded {
        /// The position.
        position: Position,
        /// The size of the checkpoint.
        size: TreeSize,
    },
    /// The event is lost, so there is nothing to be proved.
    #[error("the event at position {position} is lost, and only its place is left")]
    Lost {
        /// The position.
        position: Position,
    },
    /// A checkpoint is not to be believed.
    #[error("a checkpoint does not hold: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoints that are kept cannot be read or written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The log does not lead to the roots of the checkpoints.
    #[error("the log is not the one that was signed: {error}")]
    NotProved {
        /// What does not hold.
        error: ProofFileError,
    },
}

impl IntegrityError {
    /// What to do about it, in one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Store(error) => error.hint(),
            Self::Shorter { .. } | Self::OtherRoot { .. } | Self::NotProved { .. } => {
                "copy the store before doing anything else, and compare it with a backup"
            }
            Self::Time { .. } | Self::Epoch { .. } | Self::Lost { .. } => {
                "copy the store before doing anything else; then `actl doctor` says what is lost"
            }
            Self::OtherLog { .. } => "give a checkpoint of this store, or another --store",
            Self::NotIncluded { .. } => {
                "`actl checkpoint` signs the present size; `actl log` lists the events"
            }
            Self::Checkpoint(_) => {
                "check that the key is that of this store, and compare the checkpoint with a copy"
            }
            Self::Folder(_) => "compare the store's folder `checkpoints` with a backup",
        }
    }

    /// Whether something is not what it was, as opposed to a wrong question or a busy medium.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Store(error) => error.is_damage(),
            Self::Folder(error) => error.is_damage(),
            Self::Shorter { .. }
            | Self::OtherRoot { .. }
            | Self::OtherLog { .. }
            | Self::Time { .. }
            | Self::Epoch { .. }
            | Self::Lost { .. }
            | Self::Checkpoint(_)
            | Self::NotProved { .. } => true,
            Self::NotIncluded { .. } => false,
        }
    }
}
