//! The memory engine: nothing outlives the process. For replays, and as the model of an engine.

use super::salvage::Nothing;
use super::{CommitLog, Engine, Frame, LogError, Opened, StoredFrame, check_append};
use crate::id::Position;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The line of this engine in the registry.
pub const ENGINE: Engine = Engine {
    name: "memory",
    persistent: false,
    open: |_, _| {
        Ok(Opened {
            log: Box::new(MemoryLog::default()),
            torn: None,
        })
    },
    salvage: |_, _| Ok(Box::new(Nothing)),
};

/// Frames in memory, by first position.
#[derive(Debug, Default)]
pub struct MemoryLog {
    frames: RwLock<BTreeMap<Position, StoredFrame>>,
}

impl MemoryLog {
    fn frames(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<Position, StoredFrame>> {
        self.frames.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CommitLog for MemoryLog {
    fn end(&self) -> Position {
        let frames = self.frames();
        let last = frames.last_key_value();
        last.map_or(Position(0), |(_, frame)| frame.last())
    }

    fn append(&self, frame: &Frame) -> Result<(), LogError> {
        let mut frames = self.frames.write().unwrap_or_else(PoisonError::into_inner);
        let last = frames.last_key_value().map(|(_, frame)| frame);
        let end = last.map_or(Position(0), |frame| frame.last());
        let epoch = last.map_or(frame.epoch(), |frame| frame.epoch());
        check_append(frame, end, epoch)?;
        frames.insert(frame.first(), Arc::new(frame.clone()));
        Ok(())
    }

    fn sync(&self) -> Result<(), LogError> {
        Ok(())
    }

    fn frame(&self, position: Position) -> Result<Option<StoredFrame>, LogError> {
        let frames = self.frames();
        let before = frames.range(..=position).next_back();
        let holding = before.filter(|(_, frame)| frame.last() >= position);
        Ok(holding.map(|(_, frame)| Arc::clone(frame)))
    }
}
