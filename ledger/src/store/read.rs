//! Reading: what every reader and the sequencer share.

use super::error::StoreError;
use super::{Description, Recovered, desk::Desk, indexing::Indexing};
use crate::event::Event;
use crate::id::{EventId, Position};
use crate::index::Listing;
use crate::limits::{
    BLOCK_CACHE_BLOCKS_MAX, PREFETCH_POSITIONS, PREFETCH_POSITIONS_MIN, PREFETCH_THREADS,
    READ_PAGE_POSITIONS,
};
use crate::log::{CommitLog, LogError, Place, StoredBlock, StoredFrame};
use crate::tiles::TileKeeper;
use std::collections::VecDeque;
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// What readers and the sequencer share. It lives until the last reader is gone.
pub(crate) struct Shared {
    pub(crate) log: Arc<dyn CommitLog>,
    /// `None` for a store without a directory.
    pub(crate) tiles: Option<TileKeeper>,
    pub(crate) indexing: Indexing,
    pub(crate) desk: Desk,
    /// How far the log is durable: nothing later is shown to anybody.
    pub(crate) durable: watch::Receiver<Position>,
    pub(crate) description: Description,
    pub(crate) recovered: Option<Recovered>,
    pub(crate) cache: BlockCache,
    /// Keeps others out while anybody reads. `None` for a store without a directory.
    pub(crate) _lock: Option<File>,
}

impl Shared {
    pub(crate) fn end(&self) -> Position {
        *self.durable.borrow()
    }

    /// The event at a position, `None` past the durable end and for a lost one.
    pub(crate) fn event(&self, position: Position) -> Result<Option<Event>, StoreError> {
        if position > self.end() || position.0 == 0 {
            return Ok(None);
        }
        let block = self.cache.block(&*self.log, position)?;
        match block.is_lost() {
            true => Ok(None),
            false => decode(block.event(position), position).map(Some),
        }
    }

    /// Reads the blocks of several positions beside each other, so that a medium that is slow to answer
    /// is asked once for all of them. What cannot be read is reported when its turn comes.
    fn prefetch(&self, positions: &[Position]) {
        let absent = self.cache.absent(positions);
        if absent.len() < PREFETCH_POSITIONS_MIN {
            return;
        }
        let share = absent.len().div_ceil(PREFETCH_THREADS);
        std::thread::scope(|scope| {
            for positions in absent.chunks(share) {
                let read = move || {
                    for block in self.log.blocks(positions).into_iter().flatten().flatten() {
                        self.cache.keep(&block);
                    }
                };
                let thread = std::thread::Builder::new().name("ledger-prefetch".to_owned());
                // Without the thread they are read in turn.
                drop(thread.spawn_scoped(scope, read));
            }
        });
    }

    /// The event of an id.
    pub(crate) fn find(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        match self.indexing.get()?.position(id)? {
            Some(position) => self.event_of_id(id, position),
            None => Ok(None),
        }
    }

    /// The event of an id, which is where the index says that it is.
    pub(crate) fn event_of_id(
        &self,
        id: EventId,
        position: Position,
    ) -> Result<Option<Event>, StoreError> {
        // The index may be some moments ahead of what is shown.
        if position > self.end() {
            return Ok(None);
        }
        match self.event(position)? {
            Some(event) if event.id == id => Ok(Some(event)),
            _ => {
                self.indexing.get()?.distrust();
                Err(StoreError::Disagree { position })
            }
        }
    }
}

/// Decodes the event at a position of the frame that holds it.
pub(crate) fn event_of(frame: &StoredFrame, position: Position) -> Result<Event, StoreError> {
    decode(frame.event(position), position)
}

fn decode(bytes: Option<&[u8]>, position: Position) -> Result<Event, StoreError> {
    let bytes = bytes.ok_or_else(|| LogError::Damaged {
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

/// Blocks that were read lately.
#[derive(Default)]
pub(crate) struct BlockCache(Mutex<VecDeque<StoredBlock>>);

impl BlockCache {
    /// Those of some positions whose blocks it does not hold.
    fn absent(&self, positions: &[Position]) -> Vec<Position> {
        let blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_held = |position: Position| blocks.iter().any(|block| block.holds(position));
        let absent = positions.iter().copied();
        absent.filter(|position| !is_held(*position)).collect()
    }

    /// The block that holds a position of the log.
    fn block(&self, log: &dyn CommitLog, position: Position) -> Result<StoredBlock, LogError> {
        let blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = blocks.iter().find(|block| block.holds(position)) {
            return Ok(Arc::clone(block));
        }
        drop(blocks);
        let block = log.block(position)?.filter(|block| block.holds(position));
        let block = block.ok_or_else(|| no_frame(position))?;
        self.keep(&block);
        Ok(block)
    }

    fn keep(&self, block: &StoredBlock) {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if blocks.len() >= BLOCK_CACHE_BLOCKS_MAX {
            blocks.pop_front();
        }
        blocks.push_back(Arc::clone(block));
    }
}

/// Frames in order, up to where the log was durable when it was made. Holds one frame at a time, and
/// what the engine reads ahead. Ends after an error.
pub struct Frames {
    shared: Arc<Shared>,
    place: Place,
    after: Position,
    until: Position,
}

impl Frames {
    pub(crate) fn new(shared: Arc<Shared>, after: Position, until: Position) -> Self {
        let until = until.min(shared.end());
        Self {
            shared,
            place: Place::default(),
            after,
            until,
        }
    }

    fn read(&mut self) -> Result<StoredFrame, StoreError> {
        let position = self.after.next();
        let frame = self.shared.log.next_frame(position, &mut self.place)?;
        let frame = frame.filter(|frame| frame.holds(position));
        Ok(frame.ok_or_else(|| no_frame(position))?)
    }
}

impl Iterator for Frames {
    type Item = Result<StoredFrame, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.after >= self.until {
            return None;
        }
        let frame = self.read();
        self.after = match &frame {
            Ok(frame) => frame.last(),
            Err(_) => self.until,
        };
        Some(frame)
    }
}

fn no_frame(position: Position) -> LogError {
    LogError::Damaged {
        position,
        reason: "no frame holds it".to_owned(),
    }
}

/// Events in the order of their positions, up to where the log was durable when it was made. Events
/// that were lost are passed over: [`crate::store::Store::lost`] has them.
///
/// Holds one frame and a page of positions at a time. Ends after an error.
pub struct Events {
    source: Source,
    after: Position,
    until: Position,
    done: bool,
}

/// Where events come from.
enum Source {
    /// All of them, frame by frame.
    All {
        frames: Frames,
        frame: Option<StoredFrame>,
    },
    /// Those of a listing.
    Listed {
        shared: Arc<Shared>,
        listing: Listing,
        page: VecDeque<Position>,
        /// How many positions of the page have been read ahead.
        fetched: usize,
    },
}

impl Events {
    /// All events after one position and up to another.
    pub(crate) fn all(shared: Arc<Shared>, after: Position, until: Position) -> Self {
        let frames = Frames::new(shared, after, until);
        Self {
            after,
            until: frames.until,
            source: Source::All {
                frames,
                frame: None,
            },
            done: false,
        }
    }

    /// The events of a listing after a position.
    pub(crate) fn listed(shared: Arc<Shared>, listing: Listing, after: Position) -> Self {
        Self {
            after,
            until: shared.end(),
            source: Source::Listed {
                shared,
                listing,
                page: VecDeque::new(),
                fetched: 0,
            },
            done: false,
        }
    }

    fn next_event(&mut self) -> Result<Option<Event>, StoreError> {
        match &mut self.source {
            Source::All { frames, frame } => loop {
                let position = self.after.next();
                if self.after >= self.until {
                    return Ok(None);
                }
                let held = match frame.take().filter(|frame| frame.holds(position)) {
                    Some(frame) => frame,
                    None => match frames.next().transpose()? {
                        Some(next) => next,
                        None => return Ok(None),
                    },
                };
                if held.is_lost() {
                    self.after = held.last();
                    continue;
                }
                let event = event_of(&held, position);
                self.after = position;
                *frame = Some(held);
                return event.map(Some);
            },
            Source::Listed {
                shared,
                listing,
                page,
                fetched,
            } => {
                let index = shared.indexing.get()?;
                if page.is_empty() {
                    page.extend(index.positions(listing, self.after, READ_PAGE_POSITIONS)?);
                    *fetched = 0;
                }
                if *fetched == 0 {
                    let next: Vec<_> = page.iter().copied().take(PREFETCH_POSITIONS).collect();
                    *fetched = next.len();
                    shared.prefetch(&next);
                }
                *fetched = fetched.saturating_sub(1);
                let next = page.pop_front().filter(|position| *position <= self.until);
                let Some(position) = next else {
                    return Ok(None);
                };
                let goes_on = position > self.after;
                self.after = position;
                match shared.event(position)? {
                    Some(event) if goes_on && listing.lists(&event) => Ok(Some(event)),
                    _ => {
                        index.distrust();
                        Err(StoreError::Disagree { position })
                    }
                }
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
