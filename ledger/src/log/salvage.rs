//! What can still be read of a log that cannot be opened, or is not to be.

use super::StoredFrame;
use crate::id::Position;

/// The whole frames of a log, in the order of their positions, each once, and frames of the whole blocks of
/// damaged ones; what is between them is lost.
///
/// Nothing is changed, nothing is recovered, no lock is taken. Sectors that the medium does not give back
/// count as zeros. Memory is bounded.
pub trait Salvage: Iterator<Item = StoredFrame> {
    /// What was found so far that is neither a frame nor anything else that belongs there.
    fn damage(&self) -> &[Damage];
}

/// Some bytes of a log that are not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The name of the file, in the log's directory.
    pub file: String,
    /// Where in it they begin.
    pub offset: u64,
    /// How many there are.
    pub length_bytes: u64,
    /// The position of the last event that was read before them.
    pub after: Position,
}

/// The salvage of a log of which nothing is kept.
pub(super) struct Nothing;

impl Iterator for Nothing {
    type Item = StoredFrame;

    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}

impl Salvage for Nothing {
    fn damage(&self) -> &[Damage] {
        &[]
    }
}
