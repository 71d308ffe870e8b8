//! The store: facts go in under conditions, events come out in order.
//!
//! A [`Store`] is a commit log, an index over it, and the one thread that writes both. It is opened
//! by one process at a time and shared between threads by cloning. Nothing is acknowledged, readable
//! or tailed before it is durable. The files are described in `FORMAT.md`.

mod admit;
mod answer;
mod append;
mod backup;
mod checkpoints;
mod copying;
mod desk;
mod directory;
mod draft;
mod error;
mod examine;
mod incarnation;
mod indexing;
mod integrity;
mod making;
mod manifest;
mod open;
mod prepare;
mod proofs;
mod read;
mod restore;
mod salvage;
mod sequencer;
mod stored;
mod stream;
mod tree;
mod verify;

use crate::event::{Event, Fact, KindId};
use crate::id::{EventId, Position, Revision};
use crate::index::{Index, Listing, Rebuilt, RunSize};
use crate::limits::INDEX_WATCHED_EVERY;
use crate::log::{CommitLog, Epoch, MemoryLog};
use crate::secret::PepperId;
use crate::subject::{Subject, SubjectKind};
use crate::tiles::{BlockSize, TileKeeper};
use crate::time::{Clock, Timestamp};
pub use append::{Answer, Condition, Known, Pending, Receipt};
pub use backup::{BackedUp, back_up};
pub use copying::{LostLeaf, Watch};
use desk::Desk;
use directory::Directory;
pub use error::{AppendError, PathDisplay, StoreError};
pub use examine::{Examination, IndexState, examine};
use futures_core::Stream;
pub use incarnation::{Identity, Incarnation, NewIncarnation};
use indexing::Indexing;
pub use integrity::IntegrityError;
pub use open::{DEFAULT_ENGINE, NewStore, Recovered, Sizes};
use prepare::Offer;
pub use read::{Events, Frames};
use read::{Shared, event_of};
pub use restore::restore;
pub use salvage::{Salvaged, salvage};
use sequencer::Sequencer;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
pub use stored::{StoredEvent, StoredEvents};
use tokio::sync::watch;
pub use verify::Verified;

/// The format of the store's directory. See the version history in `FORMAT.md`.
pub const FORMAT_VERSION: u32 = 1;

/// What a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Where it is; `None` for one in memory.
    pub path: Option<PathBuf>,
    /// Its identity, chosen when it was made; zeros for one in memory.
    pub store_id: [u8; 16],
    /// Counts how often it was made anew from a backup or from what was left of it; 1 at first.
    pub incarnation: u32,
    /// The positions whose events are lost: first and last of each range, in order.
    pub lost: Vec<(Position, Position)>,
    /// The pepper that its fingerprints and pseudonyms are keyed with; `None` for one in memory,
    /// which does not know.
    pub pepper: Option<PepperId>,
    /// The name of its engine.
    pub engine: String,
    /// The format of its directory.
    pub format_version: u32,
    /// The epoch of whoever wrote last before it was opened.
    pub epoch: Epoch,
    /// When it was made; `None` for one in memory.
    pub created_at: Option<Timestamp>,
}

/// A ledger's events. Cloning shares it; the last clone that goes closes it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    writer: Arc<Writer>,
}

/// The sequencer's thread.
struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
}

impl Writer {
    /// Lets the sequencer finish what was submitted, and waits for it.
    fn close(&self) -> Result<(), StoreError> {
        self.shared.desk.close();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        match thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(closed)) => closed,
            Some(Err(_)) => Err(StoreError::Thread {
                what: "that writes ended before its time",
            }),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the store was not closed cleanly");
        }
    }
}

/// The parts that a store is put together from.
struct Parts {
    log: Box<dyn CommitLog>,
    index: indexing::Source,
    description: Description,
    directory: Option<Directory>,
    recovered: Option<Recovered>,
    lock: Option<File>,
    tile_blocks: BlockSize,
}

impl Store {
    /// An empty store in memory, with the same sequencer and index as one on a disk.
    pub fn in_memory(clock: Box<dyn Clock>) -> Result<Self, StoreError> {
        Self::over(Box::new(MemoryLog::default()), clock, RunSize::default())
    }

    /// A store over any log, its index in memory: for tests of engines.
    pub fn over(
        log: Box<dyn CommitLog>,
        clock: Box<dyn Clock>,
        runs: RunSize,
    ) -> Result<Self, StoreError> {
        let description = Description {
            path: None,
            store_id: [0; 16],
            incarnation: 1,
            lost: Vec::new(),
            pepper: None,
            engine: "memory".to_owned(),
            format_version: FORMAT_VERSION,
            epoch: last_epoch(&*log)?,
            created_at: None,
        };
        let parts = Parts {
            log,
            index: indexing::Source::Memory(Index::in_memory(runs)),
            description,
            directory: None,
            recovered: None,
            lock: None,
            tile_blocks: BlockSize::default(),
        };
        Self::start(parts, clock)
    }

    /// Starts the sequencer, which brings the index up to the end of the log first.
    fn start(parts: Parts, clock: Box<dyn Clock>) -> Result<Self, StoreError> {
        let recorded_at = last_recorded_at(&*parts.log)?;
        let end = parts.log.end();
        let (durable, watched) = watch::channel(end);
        let desk = Desk::new(end, clock, recorded_at);
        let log: Arc<dyn CommitLog> = parts.log.into();
        let tiles = parts.directory.as_ref().map(|directory| {
            let store_id = parts.description.store_id;
            TileKeeper::open(
                &directory.path,
                store_id,
                parts.tile_blocks,
                Arc::clone(&log),
            )
        });
        let shared = Arc::new(Shared {
            log,
            tiles,
            indexing: Indexing::default(),
            desk,
            durable: watched,
            description: parts.description,
            recovered: parts.recovered,
            cache: read::BlockCache::default(),
            _lock: parts.lock,
        });
        let sequencer = Sequencer {
            shared: Arc::clone(&shared),
            durable,
            directory: parts.directory,
            epoch: None,
        };
        let index = parts.index;
        let thread = std::thread::Builder::new().name("ledger-sequencer".to_owned());
        let thread = thread.spawn(move || sequencer.run(index));
        let thread = thread.map_err(|_| StoreError::Thread {
            what: "could not be started",
        })?;
        let writer = Writer {
            shared: Arc::clone(&shared),
            thread: Mutex::new(Some(thread)),
        };
        let writer = Arc::new(writer);
        Ok(Self { shared, writer })
    }

    /// What the store is.
    pub fn description(&self) -> &Description {
        &self.shared.description
    }

    /// What had to be cut from the log when it was opened, because the process that was writing it
    /// was stopped: never anything that had been acknowledged.
    pub fn recovered(&self) -> Option<&Recovered> {
        self.shared.recovered.as_ref()
    }

    /// The positions whose events were lost before this incarnation of the store began: first and last of
    /// each range, in order. Readers pass over them.
    pub fn lost(&self) -> &[(Position, Position)] {
        &self.shared.description.lost
    }

    /// Blocks until subjects and ids can be looked up and appends are accepted: until the index is
    /// open and covers the whole log. `watch` is told now and then how far it is and how far it has to
    /// go. Reading by position needs no waiting. Says why the index, or the end of it, had to be built again.
    pub fn wait_for_index(
        &self,
        watch: &mut dyn FnMut(Position, Position),
    ) -> Result<Option<Rebuilt>, StoreError> {
        while let Some(done) = self.shared.indexing.progress() {
            watch(done, self.end());
            std::thread::sleep(INDEX_WATCHED_EVERY);
        }
        Ok(self.shared.indexing.rebuilt()?.cloned())
    }

    /// Opens what the first look-ups would have to open else, for somebody who stays. Blocks until the
    /// index is ready; costs some milliseconds for each of its runs, of which there are about twenty at
    /// 20 million events.
    pub fn warm_up(&self) -> Result<(), StoreError> {
        Ok(self.shared.indexing.get()?.open_runs()?)
    }

    /// The position of the last durable event, 0 for an empty store.
    pub fn end(&self) -> Position {
        self.shared.end()
    }

    /// Appends facts if all conditions hold; all of them or none. Blocks until they are durable:
    /// one sync of the medium, shared with everybody who appends at the same time. For asynchronous
    /// code there is [`Store::submit`].
    pub fn append(&self, facts: Vec<Fact>, conditions: &[Condition], known: Known) -> Answer {
        self.submit(facts, conditions.to_vec(), known).wait()
    }

    /// Encodes an append and has it admitted, after everything that was submitted before. Blocks until
    /// the index is open, and while the next frame and the queue before it are full. What cannot be
    /// stored is answered at once, everything else once what it was checked against is durable.
    pub fn submit(&self, facts: Vec<Fact>, conditions: Vec<Condition>, known: Known) -> Pending {
        let waiter = match Offer::new(facts, conditions, known) {
            Ok(offer) => self.shared.desk.submit(&self.shared, offer),
            Err(error) => answer::answered(Err(error)),
        };
        Pending(waiter)
    }

    /// How many events name a subject. Costs one look-up in each run of the index.
    pub fn revision(&self, subject: &Subject) -> Result<Revision, StoreError> {
        Ok(self
            .shared
            .indexing
            .get()?
            .count(&Listing::subject(subject))?)
    }

    /// The event of an id. Costs one look-up in each run of the index and one frame.
    pub fn find(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        self.shared.find(id)
    }

    /// The event at a position, `None` past the end and for a lost one. Costs one frame.
    pub fn event(&self, position: Position) -> Result<Option<Event>, StoreError> {
        self.shared.event(position)
    }

    /// The subjects of a kind that any event names, sorted. Holds them all in memory.
    pub fn subjects(&self, kind: SubjectKind) -> Result<Vec<Subject>, StoreError> {
        Ok(self.shared.indexing.get()?.subjects(kind)?)
    }

    /// All events after a position, up to the present end.
    pub fn read(&self, after: Position) -> Events {
        self.read_between(after, Position(u64::MAX))
    }

    /// All events after one position and up to another, at most up to the present end. Several of
    /// these read beside each other without waiting.
    pub fn read_between(&self, after: Position, until: Position) -> Events {
        Events::all(Arc::clone(&self.shared), after, until)
    }

    /// The frames from the one that holds the position after `after` to the one that holds `until`,
    /// checked: the stored bytes of events, and the places of lost ones.
    pub fn frames(&self, after: Position, until: Position) -> Frames {
        Frames::new(Arc::clone(&self.shared), after, until)
    }

    /// The events that name a subject, after a position. Costs by their number, not the log's.
    pub fn history(&self, subject: &Subject, after: Position) -> Events {
        let listing = Listing::subject(subject);
        Events::listed(Arc::clone(&self.shared), listing, after)
    }

    /// The events of a kind, after a position.
    pub fn of_kind(&self, kind: KindId, after: Position) -> Events {
        let listing = Listing::kind(kind);
        Events::listed(Arc::clone(&self.shared), listing, after)
    }

    /// [`Store::read`] for asynchronous code; reads on tokio's blocking threads.
    pub fn stream(
        &self,
        after: Position,
    ) -> impl Stream<Item = Result<Event, StoreError>> + Send + use<> {
        stream::stream(self.read(after))
    }

    /// [`Store::history`] for asynchronous code; reads on tokio's blocking threads.
    pub fn stream_history(
        &self,
        subject: &Subject,
        after: Position,
    ) -> impl Stream<Item = Result<Event, StoreError>> + Send + use<> {
        stream::stream(self.history(subject, after))
    }

    /// [`Store::of_kind`] for asynchronous code; reads on tokio's blocking threads.
    pub fn stream_of_kind(
        &self,
        kind: KindId,
        after: Position,
    ) -> impl Stream<Item = Result<Event, StoreError>> + Send + use<> {
        stream::stream(self.of_kind(kind, after))
    }

    /// Every event after a position, then each as soon as it is durable. Ends when the store is
    /// closed; it does not keep the store from closing, but its directory stays locked until the
    /// stream is dropped.
    pub fn tail(
        &self,
        after: Position,
    ) -> impl Stream<Item = Result<Event, StoreError>> + Send + use<> {
        stream::tail(Arc::clone(&self.shared), after)
    }

    /// Finishes what was submitted and closes the log, for every clone: they can still read. What
    /// is dropped without this is closed just the same, but cannot say what went wrong.
    pub fn close(self) -> Result<(), StoreError> {
        self.writer.close()
    }
}

/// The epoch of the last frame.
fn last_epoch(log: &dyn CommitLog) -> Result<Epoch, StoreError> {
    let frame = log.frame(log.end())?;
    Ok(frame.map_or(Epoch(0), |frame| frame.epoch()))
}

/// When the last event of a log was recorded: recorded time never goes back.
fn last_recorded_at(log: &dyn CommitLog) -> Result<Timestamp, StoreError> {
    let mut end = log.end();
    while let Some(frame) = log.frame(end)? {
        if !frame.is_lost() {
            return Ok(event_of(&frame, end)?.recorded_at);
        }
        end = frame.before();
    }
    Ok(Timestamp::from_micros(i64::MIN))
}
