//! Tiles that are kept: the hashes of the leaves of the log's tree and of the nodes above them, so that
//! a root or a proof costs by the height of the tree and not by the length of the log. Derived from the
//! log.
//!
//! A thread follows the durable end of the log and reads it itself, so that appending waits for nothing.
//! It takes a *block* of leaves at a time, writes its tiles into a sled database of their own, and then
//! lists the block, with the roots of its parts, in a manifest. Whatever is read from a database has to
//! lead to those roots, and the levels above are computed from them. Leaves after the last block are
//! hashed from the log by whoever asks, which are fewer than one block has once the thread has caught up.
//!
//! A block that is missing, odd, or of another log is dropped when that is noticed, and written again by
//! the next process that appends. Who only reads writes nothing. If tiles cannot be written the store
//! goes on without them: they are never needed.

mod block;
mod compare;
mod keeper;
mod kept;
mod leaves;
mod manifest;
mod shelf;
#[cfg(test)]
mod tests;
mod write;

use crate::files::FileError;
use crate::id::Position;
use crate::limits::{TILE_BLOCK_EVENTS, TILE_HASHES};
use crate::log::{Frame, LogError};
use crate::proof::{TreeHash, leaf_hash, lost_leaf_hash};
use crate::sealed::SealedError;
pub(crate) use compare::Comparison;
pub use compare::{TilesCompared, WrongTiles};
pub(crate) use keeper::TileKeeper;
pub(crate) use kept::{BlockError, Kept};
pub use leaves::KeptLeaves;
pub(crate) use manifest::watermark;
pub(crate) use shelf::folder;
use std::ops::RangeInclusive;

/// Why tiles could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TileError {
    /// What is kept is not what was written, or is of another log.
    #[error("{reason}")]
    Odd {
        /// What is wrong, and where.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("{doing} failed: {reason}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// What sled, the log or the operating system said.
        reason: String,
    },
}

impl TileError {
    fn odd(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Odd { reason }
    }

    fn failed(error: impl ToString) -> Self {
        Self::Failed {
            doing: "keeping tiles",
            reason: error.to_string(),
        }
    }
}

impl From<SealedError> for TileError {
    fn from(error: SealedError) -> Self {
        Self::failed(error)
    }
}

impl From<FileError> for TileError {
    fn from(error: FileError) -> Self {
        Self::failed(error)
    }
}

impl From<LogError> for TileError {
    fn from(error: LogError) -> Self {
        Self::failed(error)
    }
}

/// What a store keeps of its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TilesState {
    /// Up to where tiles are kept without a gap.
    pub kept: Position,
    /// Why some were dropped and are written again: the first thing that was found in this process.
    pub doubt: Option<String>,
}

/// How many leaves a block has: a power of two, so that a block is a subtree, and at least one tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSize(u64);

impl BlockSize {
    /// The size of at least so many leaves.
    pub const fn at_least(leaves: u64) -> Self {
        let tile = TILE_HASHES as u64;
        match leaves.checked_next_power_of_two() {
            Some(leaves) if leaves > tile => Self(leaves),
            _ => Self(tile),
        }
    }

    fn leaves(self) -> u64 {
        self.0
    }

    /// How many leaves are under each root of the manifest: those of a tile at level 1, or the whole
    /// block if that is smaller.
    fn part_leaves(self) -> u64 {
        self.0.min((TILE_HASHES * TILE_HASHES) as u64)
    }

    /// How many parts a block has.
    fn parts(self) -> u64 {
        self.0 / self.part_leaves()
    }

    /// The positions of the block of a number, from 0.
    fn positions(self, number: u64) -> RangeInclusive<Position> {
        let before = number.saturating_mul(self.0);
        Position(before.saturating_add(1))..=Position(before.saturating_add(self.0))
    }

    /// The number of the block that holds a leaf, counted from 0.
    fn block_of(self, leaf: u64) -> u64 {
        leaf / self.0
    }
}

impl Default for BlockSize {
    fn default() -> Self {
        Self::at_least(TILE_BLOCK_EVENTS)
    }
}

/// The hash of the leaf at a position of the frame that holds it. Of a lost event it is the one that was
/// kept in its place, or else [`lost_leaf_hash`]. Costs one hash of the event's bytes.
pub(crate) fn leaf_at(frame: &Frame, position: Position) -> TreeHash {
    match (frame.event(position), frame.lost_leaf(position)) {
        (Some(bytes), _) => leaf_hash(bytes),
        (None, Some(kept)) => TreeHash(kept),
        (None, None) => lost_leaf_hash(position),
    }
}
