//! Copying frames into another log, at the same positions and with the same bytes.

use super::error::StoreError;
use crate::event::Event;
use crate::id::Position;
use crate::limits::{COPY_SYNC_BYTES, FRAME_EVENTS_TARGET};
use crate::log::{CommitLog, Epoch, Frame, LogError, StoredFrame};
use crate::time::Timestamp;

/// The first and the last of some positions.
pub(super) type Range = (Position, Position);

/// Tells the leaf hash of a lost event, where it is known.
pub type LostLeaf<'a> = &'a dyn Fn(Position) -> Option<[u8; 32]>;

/// Told how far a piece of work has come, and how far it goes, in positions.
pub type Watch<'a> = &'a mut dyn FnMut(Position, Position);

/// A log that frames are copied into.
pub(super) struct Copying<'a> {
    pub(super) log: Box<dyn CommitLog>,
    leaf: LostLeaf<'a>,
    /// The positions of lost events, in order.
    pub(super) lost: Vec<Range>,
    pub(super) epoch: Epoch,
    /// The last frame with events.
    last: Option<StoredFrame>,
    unsynced_bytes: u64,
}

impl<'a> Copying<'a> {
    /// A copy into an empty log.
    pub(super) fn into(log: Box<dyn CommitLog>, leaf: LostLeaf<'a>) -> Self {
        Self {
            log,
            leaf,
            lost: Vec::new(),
            epoch: Epoch(0),
            last: None,
            unsynced_bytes: 0,
        }
    }

    /// Copies a frame. What is missing before it is lost.
    pub(super) fn add(&mut self, frame: &StoredFrame) -> Result<(), StoreError> {
        self.lose_until(frame.before())?;
        if frame.is_lost() {
            self.lost_from_to(frame.first(), frame.last());
        } else {
            self.last = Some(StoredFrame::clone(frame));
        }
        self.append(frame)
    }

    /// Keeps the places of the events up to a position, which are lost.
    pub(super) fn lose_until(&mut self, until: Position) -> Result<(), StoreError> {
        while self.log.end() < until {
            let first = self.log.end().next();
            let most = FRAME_EVENTS_TARGET as u64;
            let last = Position(until.0.min(self.log.end().0 + most));
            let leaves: Vec<_> = (first.0..=last.0)
                .map(|position| (self.leaf)(Position(position)))
                .collect();
            let frame = Frame::lost(self.epoch, first, &leaves);
            self.lost_from_to(first, last);
            self.append(&frame.map_err(|error| LogError::Frame {
                position: first,
                error,
            })?)?;
        }
        Ok(())
    }

    fn lost_from_to(&mut self, first: Position, last: Position) {
        match self.lost.last_mut() {
            Some((_, end)) if end.next() == first => *end = last,
            _ => self.lost.push((first, last)),
        }
    }

    fn append(&mut self, frame: &Frame) -> Result<(), StoreError> {
        self.log.append(frame)?;
        self.epoch = frame.epoch();
        self.unsynced_bytes += frame.bytes().len() as u64;
        if self.unsynced_bytes >= COPY_SYNC_BYTES {
            self.log.sync()?;
            self.unsynced_bytes = 0;
        }
        Ok(())
    }

    /// When the last event that is not lost was recorded.
    pub(super) fn recorded_at(&self) -> Option<Timestamp> {
        let frame = self.last.as_ref()?;
        let event = Event::decode(frame.event(frame.last())?).ok()?;
        Some(event.recorded_at)
    }
}

/// How many positions some ranges hold.
pub(super) fn count(ranges: &[Range]) -> u64 {
    let lengths = ranges.iter().map(|(first, last)| last.0 + 1 - first.0);
    lengths.sum()
}
