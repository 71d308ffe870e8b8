//! Reading: what every reader and the sequencer share.

use super::error::StoreError;
use super::{Description, Recovered, queue::Queue};
use crate::event::Event;
use crate::id::{EventId, Position};
use crate::index::{Index, Listing};
use crate::limits::{FRAME_CACHE_FRAMES_MAX, READ_PAGE_POSITIONS};
use crate::log::{CommitLog, LogError, StoredFrame};
use std::collections::VecDeque;
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// What readers and the sequencer share. It lives until the last reader is gone.
pub(crate) struct Shared {
    pub(crate) log: Box<dyn CommitLog>,
    pub(crate) index: Index,
    pub(crate) queue: Queue,
    /// How far the log is durable: nothing later is shown to anybody.
    pub(crate) durable: watch::Receiver<Position>,
    pub(crate) description: Description,
    pub(crate) recovered: Option<Recovered>,
    pub(crate) cache: FrameCache,
    /// Keeps others out while anybody reads. `None` for a store without a directory.
    pub(crate) _lock: Option<File>,
}

impl Shared {
    pub(crate) fn end(&self) -> Position {
        *self.durable.borrow()
    }

    /// The event at a position, `None` past the durable end.
    pub(crate) fn event(&self, position: Position) -> Result<Option<Event>, StoreError> {
        if position > self.end() || position.0 == 0 {
            return Ok(None);
        }
        let frame = self.cache.frame(&*self.log, position)?;
        event_of(&frame, position).map(Some)
    }

    /// The event of an id.
    pub(crate) fn find(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        let Some(position) = self.index.position(id)? else {
            return Ok(None);
        };
        match self.event(position)? {
            Some(event) if event.id == id => Ok(Some(event)),
            _ => {
                self.index.distrust();
                Err(StoreError::Disagree { position })
            }
        }
    }
}

/// Decodes the event at a position of the frame that holds it.
pub(crate) fn event_of(frame: &StoredFrame, position: Position) -> Result<Event, StoreError> {
    let bytes = frame.event(position).ok_or_else(|| LogError::Damaged {
        position,
        reason: "the frame does not reach it".to_owned(),
    })?;
    let event = Event::decode(bytes).map_err(|error| StoreError::Event { position, error })?;
    if event.position != position {
        let reason = format!(
            "the event there says that it is at position {}",
            event.position
        );
        return Err(LogError::Damaged { position, reason }.into());
    }
    Ok(event)
}

/// Frames that were read lately.
#[derive(Default)]
pub(crate) struct FrameCache(Mutex<VecDeque<StoredFrame>>);

impl FrameCache {
    /// The frame that holds a position of the log.
    fn frame(&self, log: &dyn CommitLog, position: Position) -> Result<StoredFrame, LogError> {
        let holds = |frame: &StoredFrame| frame.first() <= position && position <= frame.last();
        let mut frames = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frame) = frames.iter().find(|frame| holds(frame)) {
            return Ok(Arc::clone(frame));
        }
        drop(frames);
        let frame = log.frame(position)?.filter(holds);
        let frame = frame.ok_or_else(|| LogError::Damaged {
            position,
            reason: "no frame holds it".to_owned(),
        })?;
        frames = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if frames.len() >= FRAME_CACHE_FRAMES_MAX {
            frames.pop_front();
        }
        frames.push_back(Arc::clone(&frame));
        Ok(frame)
    }
}

/// Events in the order of their positions, up to where the log was durable when it was made.
///
/// Holds one frame and a page of positions at a time. Ends after an error.
pub struct Events {
    shared: Arc<Shared>,
    /// Which events; `None` for all.
    listing: Option<Listing>,
    after: Position,
    end: Position,
    page: VecDeque<Position>,
    done: bool,
}

impl Events {
    pub(crate) fn new(shared: Arc<Shared>, listing: Option<Listing>, after: Position) -> Self {
        let end = shared.end();
        Self {
            shared,
            listing,
            after,
            end,
            page: VecDeque::new(),
            done: false,
        }
    }

    fn next_position(&mut self) -> Result<Option<Position>, StoreError> {
        let Some(listing) = &self.listing else {
            let next = self.after.next();
            return Ok((next <= self.end && next > self.after).then_some(next));
        };
        if self.page.is_empty() {
            let index = &self.shared.index;
            self.page = index
                .positions(listing, self.after, READ_PAGE_POSITIONS)?
                .into();
        }
        Ok(self
            .page
            .pop_front()
            .filter(|position| *position <= self.end))
    }

    fn next_event(&mut self) -> Result<Option<Event>, StoreError> {
        let Some(position) = self.next_position()? else {
            return Ok(None);
        };
        let goes_on = position > self.after;
        self.after = position;
        let event = self.shared.event(position)?;
        let listed = |event: &Event| self.listing.as_ref().is_none_or(|l| l.lists(event));
        match event {
            Some(event) if goes_on && listed(&event) => Ok(Some(event)),
            _ => {
                self.shared.index.distrust();
                Err(StoreError::Disagree { position })
            }
        }
    }
}

impl Iterator for Events {
    type Item = Result<Event, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_event();
        self.done = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}
