//! Sorted runs: how what is derived from the log is kept, whatever it is.
//!
//! What is derived of the events up to the *watermark* is in immutable runs, of later ones in overlays in
//! memory, the last of which grows. Threads write full overlays as runs, and another merges runs, all of
//! them behind whoever adds. Runs tile the positions from 1 to the watermark; each is a sled database that
//! is written once, and a manifest lists those that count. Runs that are missing, doubtful or made in
//! another way are made again of the log, which is why nothing here is ever repaired.
//!
//! What a run holds is told by a [`Material`]: the index keeps positions by name (`crate::index`), and
//! [`crate::lists`] keep whatever values by name.

pub(crate) mod disk;
pub(crate) mod filter;
pub(crate) mod keep;
pub(crate) mod place;
pub(crate) mod tend;
pub(crate) mod varint;

use crate::id::Position;
use crate::limits::{RUN_EVENTS, RUN_EVENTS_MIN_AT_CLOSE, RUN_FAN_OUT};
use filter::Kept;
use keep::{Chunks, RunHash, Shelf};
use std::sync::Arc;

/// Why what is kept in runs could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// What is in a run is not what was written.
    #[error("what is kept in sorted runs is damaged: {reason}")]
    Damaged {
        /// What is wrong, and where.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("{doing} failed: {reason}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// What sled or the operating system said.
        reason: String,
    },
}

impl RunError {
    /// What was found is not what was written.
    pub(crate) fn damaged(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Damaged { reason }
    }
}

/// Why runs, or the last of them, are made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// What was found.
    pub reason: String,
    /// The last position that they did not have to be made again for.
    pub kept: Position,
}

/// How many events go into a run, and how runs are merged.
#[derive(Debug, Clone, Copy)]
pub struct RunSize {
    /// A run is written as soon as the overlay holds this many events.
    pub full: u64,
    /// At a clean close one is written for at least this many.
    pub at_close: u64,
    /// So many successive runs of one size are merged; at least 2.
    pub fan_out: usize,
}

impl Default for RunSize {
    fn default() -> Self {
        Self {
            full: RUN_EVENTS,
            at_close: RUN_EVENTS_MIN_AT_CLOSE,
            fan_out: RUN_FAN_OUT,
        }
    }
}

/// What the manifest says of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunInfo {
    /// Its number: no two runs of a folder ever have the same.
    pub(crate) number: u64,
    /// The position of its first event.
    pub(crate) first: Position,
    /// The position of its last event.
    pub(crate) last: Position,
    /// How many names it has that a filter is made of: subjects, in the index.
    pub(crate) subjects: u64,
    /// How many names its filter was made for: at least as many.
    pub(crate) filter_subjects: u64,
    /// The hash of what it is kept in.
    pub(crate) hash: RunHash,
}

impl RunInfo {
    /// How many events it has.
    pub(crate) fn events(&self) -> u64 {
        self.last.0 - self.first.0 + 1
    }
}

/// Where runs are written to.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) shelf: &'a dyn Shelf,
    pub(crate) store_id: [u8; 16],
    pub(crate) kept: &'a Kept,
}

/// What is kept in runs: how it is gathered in memory, written and merged.
pub(crate) trait Material: Send + Sync + 'static {
    /// What gathers it in memory.
    type Overlay: Gathers;
    /// A run of it.
    type Run: IsRun;
    /// The names of the threads that write and that merge runs.
    const THREADS: [&'static str; 2];
    /// How many threads write runs beside each other.
    const WRITERS: usize;
    /// So many full overlays may wait to be written.
    const FROZEN_MAX: usize;
    /// An overlay that takes so many bytes is full, however few its events.
    const OVERLAY_MAX_BYTES: usize;

    /// A run that was written before; nothing of it is read yet.
    fn run(store_id: [u8; 16], info: RunInfo, chunks: Arc<dyn Chunks>, kept: &Kept) -> Self::Run;

    /// Writes an overlay as a run; `None` if it covers no position.
    fn write(
        to: Target<'_>,
        number: u64,
        overlay: &Self::Overlay,
    ) -> Result<Option<Self::Run>, RunError>;

    /// Writes successive runs as one; `None` if `stop` said so meanwhile.
    fn merge(
        to: Target<'_>,
        number: u64,
        runs: &[Arc<Self::Run>],
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Self::Run>, RunError>;
}

/// What gathers what is not in a run yet.
pub(crate) trait Gathers: Default + Send + Sync {
    /// How many events it has.
    fn events(&self) -> u64;
    /// How many bytes it takes, about.
    fn length_bytes(&self) -> usize;
    /// Forgets everything, and keeps the memory.
    fn clear(&mut self);
}

/// A run that is whole.
pub(crate) trait IsRun: Send + Sync {
    /// What the manifest says of it.
    fn info(&self) -> &RunInfo;
    /// What it is kept in.
    fn chunks(&self) -> &Arc<dyn Chunks>;
}
