//! The log as it is stored: what hashes and proofs are made of.

use super::Store;
use super::error::StoreError;
use super::read::Frames;
use crate::id::Position;
use crate::log::StoredFrame;
use crate::proof::TreeHash;
use crate::tiles::leaf_at;
use std::sync::Arc;

/// An event of the log in its stored form.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    frame: StoredFrame,
    position: Position,
}

impl StoredEvent {
    /// Its position.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Its stored bytes; `None` if it is lost and only its place is left.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.frame.event(self.position)
    }

    /// The hash of its leaf. Costs one hash of its bytes. Of a lost event it is the one that was kept
    /// in its place, or else [`crate::proof::lost_leaf_hash`].
    pub fn leaf(&self) -> TreeHash {
        leaf_at(&self.frame, self.position)
    }

    pub(super) fn frame(&self) -> &StoredFrame {
        &self.frame
    }
}

/// The stored events in order, read from the medium and not from any cache, each frame checked. Holds
/// one frame at a time. Ends after an error.
pub struct StoredEvents {
    frames: Frames,
    frame: Option<StoredFrame>,
    after: Position,
}

impl Store {
    /// The stored bytes of all events after a position, up to the present end.
    pub fn stored(&self, after: Position) -> StoredEvents {
        StoredEvents {
            frames: Frames::new(Arc::clone(&self.shared), after, self.end()),
            frame: None,
            after,
        }
    }
}

impl Iterator for StoredEvents {
    type Item = Result<StoredEvent, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let position = self.after.next();
        let frame = match self.frame.take().filter(|frame| frame.holds(position)) {
            Some(frame) => frame,
            None => match self.frames.next()? {
                Ok(frame) => frame,
                Err(error) => return Some(Err(error)),
            },
        };
        self.after = position;
        self.frame = Some(Arc::clone(&frame));
        Some(Ok(StoredEvent { frame, position }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Epoch, Frame};
    use crate::proof::{leaf_hash, lost_leaf_hash};

    #[test]
    fn a_lost_event_stands_in_the_tree_by_the_hash_that_was_kept_of_it() {
        let kept = leaf_hash(b"what was there");
        let hole = Frame::lost(Epoch(1), Position(4), &[Some(kept.0), None]).unwrap();
        let at = |position| StoredEvent {
            frame: Arc::new(hole.clone()),
            position: Position(position),
        };
        assert_eq!((at(4).bytes(), at(4).leaf()), (None, kept));
        assert_eq!(at(5).leaf(), lost_leaf_hash(Position(5)));
        assert_ne!(lost_leaf_hash(Position(5)), lost_leaf_hash(Position(6)));
        let whole = Frame::new(Epoch(1), Position(4), &[b"what was there"]).unwrap();
        let event = StoredEvent {
            frame: Arc::new(whole),
            position: Position(4),
        };
        assert_eq!(event.leaf(), kept);
    }
}
