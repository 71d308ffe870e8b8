//! The index: where the events of a subject, of a kind, and of an id are. Derived from the log.
//!
//! Events up to the *watermark* are in immutable sorted runs, later ones in an overlay in memory.
//! Runs tile the positions from 1 to the watermark. Names are kept whole, not hashed, so that no
//! two subjects are ever mistaken for each other, and every look-up in a run proves an absence by
//! the bounds that its chunks carry: a chunk that got lost is noticed, not passed over.
//! An index that is missing, doubtful or ahead of its log is built again.

pub(crate) mod chunks;
pub(crate) mod disk;
pub(crate) mod entry;
mod filter;
pub(crate) mod overlay;
pub(crate) mod run;

use crate::event::{Event, KindId};
use crate::id::{EventId, Position, Revision};
use crate::limits::{RUN_EVENTS, RUN_EVENTS_MIN_AT_CLOSE};
use crate::subject::{Subject, SubjectKind};
use chunks::{ChunkStore, MemoryChunks};
use entry::{Entry, Name, hash_of};
use filter::IdFilter;
use overlay::Overlay;
use run::Run;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// Why the index could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// What is in the index is not what was written.
    #[error("the index is damaged: {reason}")]
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

impl IndexError {
    /// What was found is not what was written.
    pub(crate) fn damaged(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Damaged { reason }
    }
}

/// A list of positions: that of a subject or of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    table: Table,
    name: Vec<u8>,
    hash: u64,
}

/// The tables of a run. Format of the index: the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Table {
    /// Event id to position.
    Ids = 1,
    /// Subject to positions.
    Subjects = 2,
    /// Kind to positions.
    Kinds = 3,
}

impl Listing {
    /// The events that name a subject.
    pub fn subject(subject: &Subject) -> Self {
        let mut name = Vec::with_capacity(subject.id.len() + 2);
        Self::write_subject(subject, &mut name);
        Self::new(Table::Subjects, name)
    }

    /// The events of a kind.
    pub fn kind(kind: KindId) -> Self {
        let mut name = Vec::with_capacity(2);
        Self::write_kind(kind, &mut name);
        Self::new(Table::Kinds, name)
    }

    fn new(table: Table, name: Vec<u8>) -> Self {
        let hash = hash_of(table, &name);
        Self { table, name, hash }
    }

    /// Appends the name of a subject's listing. Format of the index.
    fn write_subject(subject: &Subject, name: &mut Vec<u8>) {
        name.push(subject.kind as u8);
        name.extend_from_slice(subject.id.as_bytes());
        name.push(0);
    }

    /// Appends the name of a kind's listing. Format of the index.
    fn write_kind(kind: KindId, name: &mut Vec<u8>) {
        name.extend_from_slice(&kind.0.to_be_bytes());
    }

    /// Its name, for looking it up.
    pub(crate) fn name(&self) -> Name<'_> {
        Name {
            table: self.table,
            bytes: &self.name,
            hash: self.hash,
        }
    }

    /// Whether an event belongs to it: checked on every event that an index led to.
    pub(crate) fn lists(&self, event: &Event) -> bool {
        match self.table {
            Table::Ids => false,
            Table::Subjects => {
                let mut subjects = event.subjects().into_iter();
                subjects.any(|subject| Self::subject(&subject) == *self)
            }
            Table::Kinds => Self::kind(event.kind().id) == *self,
        }
    }
}

/// What the names of all subjects of a kind begin with.
fn subjects_of_kind(kind: SubjectKind) -> Vec<u8> {
    vec![kind as u8]
}

/// How many events go into a run.
#[derive(Debug, Clone, Copy)]
pub struct RunSize {
    /// A run is written as soon as the overlay holds this many events.
    pub full: u64,
    /// At a clean close one is written for at least this many.
    pub at_close: u64,
}

impl Default for RunSize {
    fn default() -> Self {
        Self {
            full: RUN_EVENTS,
            at_close: RUN_EVENTS_MIN_AT_CLOSE,
        }
    }
}

/// The index of one log. One thread adds to it; any number read.
pub struct Index {
    state: RwLock<State>,
    chunks: Box<dyn ChunkStore>,
    size: RunSize,
}

struct State {
    runs: Vec<Held>,
    overlay: Overlay,
}

/// A run, and its filter if this process wrote it.
#[derive(Clone)]
struct Held {
    run: Run,
    filter: Option<Arc<IdFilter>>,
}

impl Held {
    fn may_hold(&self, id: EventId) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|filter| filter.may_hold(id))
    }
}

impl Index {
    /// An empty index in memory.
    pub fn in_memory(size: RunSize) -> Self {
        Self::over(Box::new(MemoryChunks::default()), Vec::new(), size)
    }

    /// An index over runs that were written before; they have to tile the positions from 1.
    pub(crate) fn over(chunks: Box<dyn ChunkStore>, runs: Vec<Run>, size: RunSize) -> Self {
        let overlay = Overlay::default();
        let runs = runs.into_iter().map(|run| Held { run, filter: None });
        let runs = runs.collect();
        Self {
            state: RwLock::new(State { runs, overlay }),
            chunks,
            size,
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Up to where the runs reach: later events are added again after opening.
    pub fn watermark(&self) -> Position {
        let state = self.state();
        state.runs.last().map_or(Position(0), |held| held.run.last)
    }

    /// Where the event of an id is. Costs a look-up in each run that may hold it.
    pub fn position(&self, id: EventId) -> Result<Option<Position>, IndexError> {
        let state = self.state();
        if let Some(position) = state.overlay.position(id) {
            return Ok(Some(position));
        }
        for held in state.runs.iter().rev().filter(|held| held.may_hold(id)) {
            if let Some(position) = held.run.position(&*self.chunks, id)? {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// How many events a listing has. Costs a look-up a run and a step every 512 positions.
    pub fn count(&self, listing: &Listing) -> Result<Revision, IndexError> {
        let state = self.state();
        let mut count = state.overlay.count(listing.name()) as u64;
        for held in &state.runs {
            count += held.run.count(&*self.chunks, listing)?;
        }
        Ok(Revision(count))
    }

    /// The first positions of a listing after a position, at most `limit`, in order.
    pub fn positions(
        &self,
        listing: &Listing,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Position>, IndexError> {
        let state = self.state();
        let mut found = Vec::new();
        let from = state.runs.partition_point(|held| held.run.last <= after);
        for held in state.runs.get(from..).unwrap_or_default() {
            held.run
                .positions(&*self.chunks, listing, after, limit, &mut found)?;
            if found.len() >= limit {
                return Ok(found);
            }
        }
        let wanted = limit - found.len();
        found.extend(state.overlay.positions(listing.name(), after).take(wanted));
        Ok(found)
    }

    /// The subjects of a kind, sorted, each once. Costs one pass over the names of that kind in
    /// every run, and holds the answer in memory.
    pub fn subjects(&self, kind: SubjectKind) -> Result<Vec<Subject>, IndexError> {
        let prefix = subjects_of_kind(kind);
        let state = self.state();
        let mut names = BTreeSet::new();
        for held in &state.runs {
            held.run
                .names(&*self.chunks, Table::Subjects, &prefix, &mut names)?;
        }
        let overlay = &state.overlay;
        overlay.names(Table::Subjects, &prefix, &mut names);
        let ids = names.into_iter().map(|name| {
            let id = name.get(prefix.len()..name.len().saturating_sub(1));
            let id = String::from_utf8(id.unwrap_or_default().to_vec());
            let id = id.map_err(|_| IndexError::damaged("the name of a subject is no text"))?;
            Ok(Subject { kind, id })
        });
        ids.collect()
    }

    /// Adds events that are durable, in order, the first of which is at a position.
    pub(crate) fn add(&self, first: Position, entries: &[Entry]) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut position = first;
        for entry in entries {
            state.overlay.add(position, entry);
            position = position.next();
        }
    }

    /// Passes over positions up to one, whose events are lost.
    pub(crate) fn pass(&self, until: Position) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let after = state.runs.last().map_or(Position(0), |held| held.run.last);
        state.overlay.pass(after.next(), until);
    }

    /// Writes the overlay as a run once it holds enough events; else does nothing.
    pub(crate) fn write_run_if_full(&self) -> Result<(), IndexError> {
        self.write_run_of(self.size.full)
    }

    /// Writes a last run if it is worth it.
    pub(crate) fn close(&self) -> Result<(), IndexError> {
        self.write_run_of(self.size.at_close)
    }

    /// Writes the overlay as a run if it holds at least so many events. Readers go on meanwhile.
    fn write_run_of(&self, events_min: u64) -> Result<(), IndexError> {
        let state = self.state();
        let Some((first, last)) = state.overlay.range() else {
            return Ok(());
        };
        if last.0 - first.0 + 1 < events_min.max(1) {
            return Ok(());
        }
        let run = Run { first, last };
        self.chunks.put(run.chunks(&state.overlay))?;
        let filter = Some(Arc::new(IdFilter::of(state.overlay.ids())));
        let mut runs = state.runs.clone();
        drop(state);
        runs.push(Held { run, filter });
        let listed: Vec<Run> = runs.iter().map(|held| held.run).collect();
        self.chunks.commit(&listed)?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = State {
            runs,
            overlay: Overlay::default(),
        };
        Ok(())
    }

    /// Makes the next opening build the index again.
    pub(crate) fn distrust(&self) {
        self.chunks.distrust();
    }
}
