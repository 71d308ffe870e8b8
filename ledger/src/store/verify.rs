//! Verification: the whole log is read again and held against what was signed.

use super::error::StoreError;
use super::integrity::IntegrityError;
use super::read::event_of;
use super::{Store, StoredEvent};
use crate::id::Position;
use crate::log::{Epoch, LogError};
use crate::proof::{Checkpoint, Tree, TreeHash, TreeSize};
use crate::tiles::{Comparison, TilesCompared};
use crate::time::Timestamp;

/// A log that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many events it has.
    pub size: TreeSize,
    /// The root of the tree over them.
    pub root: TreeHash,
    /// How many of the events are lost, so that only their places and hashes are left.
    pub lost: u64,
    /// How many checkpoints it was held against.
    pub checkpoints: usize,
    /// How the tiles that are kept compare with it. They are derived: if they are wrong, the log still
    /// holds, and [`Store::write_tiles`] writes them again.
    pub tiles: TilesCompared,
}

impl Store {
    /// Reads every frame of the log again, from the medium and not from any cache, and checks: the
    /// hash of each frame, that each event can be read and is where it says, that times and epochs
    /// never go backwards, and that the tree over the events has the root of every checkpoint. Stops
    /// at the first thing that does not hold. `progress` is called with the position of every event.
    ///
    /// Checkpoints are believed: whoever calls this has checked their signatures. What came after the
    /// last of them is covered by the frames' own hashes only, which everybody can compute. The index
    /// is not looked at: it is derived. The tiles are compared with what comes out, and decide nothing.
    ///
    /// Costs one pass over the log and the tiles, and for each event a decoding and two hashes.
    pub fn verify(
        &self,
        checkpoints: &[Checkpoint],
        mut progress: impl FnMut(Position),
    ) -> Result<Verified, IntegrityError> {
        let mut known: Vec<&Checkpoint> = checkpoints.iter().collect();
        known.sort_by_key(|checkpoint| checkpoint.size);
        for checkpoint in &known {
            self.check_origin(checkpoint)?;
        }
        if let Some(last) = known.last() {
            self.check_reaches(last.size)?;
        }
        let mut known = known.into_iter().peekable();
        let mut agreed = TreeSize(0);
        let mut compare = |tree: &Tree| {
            while let Some(checkpoint) = known.next_if(|known| known.size == tree.size()) {
                let size = checkpoint.size;
                if checkpoint.root != tree.root() {
                    return Err(IntegrityError::OtherRoot { agreed, size });
                }
                agreed = size;
            }
            Ok(())
        };
        let mut tree = Tree::default();
        let mut order = Order::default();
        let mut tiles = Comparison::new(self.shared.tiles.as_ref());
        let mut lost = 0;
        compare(&tree)?;
        for stored in self.stored(Position(0)) {
            let stored = stored?;
            lost += u64::from(stored.bytes().is_none());
            order.check(&stored)?;
            tree.push(stored.leaf(), |id, hashes| tiles.tile(id, hashes));
            compare(&tree)?;
            progress(stored.position());
        }
        Ok(Verified {
            size: tree.size(),
            root: tree.root(),
            lost,
            checkpoints: checkpoints.len(),
            tiles: tiles.finish(),
        })
    }
}

/// What every event is held against: the one before it.
#[derive(Default)]
struct Order {
    frame_end: Position,
    epoch: Epoch,
    recorded_at: Option<Timestamp>,
}

impl Order {
    fn check(&mut self, stored: &StoredEvent) -> Result<(), IntegrityError> {
        let position = stored.position();
        let frame = stored.frame();
        if position > self.frame_end && position != frame.first() {
            let first = frame.first();
            let reason = format!("the frame that holds it begins at position {first}");
            return Err(StoreError::from(LogError::Damaged { position, reason }).into());
        }
        self.frame_end = frame.last();
        if frame.epoch() < self.epoch {
            let position = frame.first();
            return Err(IntegrityError::Epoch { position });
        }
        self.epoch = frame.epoch();
        if stored.bytes().is_none() {
            return Ok(());
        }
        let event = event_of(frame, position)?;
        let found = event.recorded_at;
        match self.recorded_at.replace(found) {
            Some(before) if found < before => Err(IntegrityError::Time {
                position,
                found,
                before,
            }),
            _ => Ok(()),
        }
    }
}
