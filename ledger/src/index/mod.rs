//! The index: where the events of a subject, of a kind, and of an id are. Derived from the log.
//!
//! Events up to the *watermark* are in immutable sorted runs, later ones in overlays in memory, the
//! last of which grows. A thread writes full overlays as runs, and another merges runs, both behind the
//! acknowledgement of appends. Runs tile the positions from 1 to the watermark. Names are kept whole,
//! not hashed, so that no two subjects are ever mistaken for each other, and every look-up in a run
//! proves an absence by the bounds that its chunks carry: a chunk that got lost is noticed, not passed
//! over. Runs that are missing, doubtful or ahead of their log are built again.

#[cfg(test)]
mod bench;
mod chunk;
mod cursor;
pub(crate) mod disk;
pub(crate) mod entry;
pub(crate) mod overlay;
mod run;
#[cfg(test)]
mod tests;
mod write;

use crate::event::{Event, KindId};
use crate::id::{EventId, Position, Revision};
use crate::limits::{
    LOOK_UPS_AT_ONCE, LOOK_UPS_AT_ONCE_MIN, OVERLAY_LENGTH_MAX_BYTES, OVERLAYS_FROZEN_MAX,
};
pub use crate::runs::RunError as IndexError;
pub use crate::runs::RunSize;
use crate::runs::filter::Kept;
use crate::runs::keep::{Chunks, MemoryShelf};
use crate::runs::tend::{self, Tenders};
use crate::runs::{Gathers, IsRun, Material, RunInfo, Target};
use crate::subject::{Subject, SubjectKind};
pub use disk::Rebuilt;
use entry::{EntryRef, HashedId, Name, hash_of};
use overlay::Overlay;
use run::Run;
use std::collections::BTreeSet;
use std::sync::Arc;

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
    /// The filter of the ids.
    IdFilter = 4,
    /// The filter of the subjects.
    SubjectFilter = 5,
}

impl Table {
    /// The tables that have entries, in the order of their numbers.
    const OF_ENTRIES: [Self; 3] = [Self::Ids, Self::Subjects, Self::Kinds];
}

impl From<Table> for u8 {
    fn from(table: Table) -> Self {
        table as Self
    }
}

impl Listing {
    /// The events that name a subject.
    pub fn subject(subject: &Subject) -> Self {
        let mut name = Vec::with_capacity(subject.id.len() + 2);
        Self::write_subject(subject.kind, subject.id.as_bytes(), &mut name);
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
    fn write_subject(kind: SubjectKind, id: &[u8], name: &mut Vec<u8>) {
        name.push(kind as u8);
        name.extend_from_slice(id);
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
            Table::Ids | Table::IdFilter | Table::SubjectFilter => false,
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

/// What the index keeps in runs: the positions of names.
pub(crate) struct Postings;

impl Material for Postings {
    type Overlay = Overlay;
    type Run = Run;
    const THREADS: [&'static str; 2] = ["ledger-index", "ledger-merge"];
    const WRITERS: usize = 1;
    const FROZEN_MAX: usize = OVERLAYS_FROZEN_MAX;
    const OVERLAY_MAX_BYTES: usize = OVERLAY_LENGTH_MAX_BYTES;

    fn run(store_id: [u8; 16], info: RunInfo, chunks: Arc<dyn Chunks>, kept: &Kept) -> Run {
        Run::new(store_id, info, chunks, kept)
    }

    fn write(to: Target<'_>, number: u64, overlay: &Overlay) -> Result<Option<Run>, IndexError> {
        write::write_overlay(to, number, overlay)
    }

    fn merge(
        to: Target<'_>,
        number: u64,
        runs: &[Arc<Run>],
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Run>, IndexError> {
        write::merge(to, number, runs, stop)
    }
}

impl Gathers for Overlay {
    fn events(&self) -> u64 {
        self.events()
    }

    fn length_bytes(&self) -> usize {
        self.length_bytes()
    }

    fn clear(&mut self) {
        self.clear();
    }
}

impl IsRun for Run {
    fn info(&self) -> &RunInfo {
        &self.info
    }

    fn chunks(&self) -> &Arc<dyn Chunks> {
        self.chunks()
    }
}

type Core = tend::Core<Postings>;

/// The index of one log. One thread adds to it; any number read.
pub struct Index {
    core: Arc<Core>,
    tenders: Tenders,
}

impl Index {
    /// An empty index in memory.
    pub fn in_memory(size: RunSize) -> Self {
        let shelf = Box::new(MemoryShelf);
        Self::over(Core::new(shelf, [0; 16], Vec::new(), size, Kept::default()))
    }

    fn over(core: Core) -> Self {
        Self {
            core: Arc::new(core),
            tenders: Tenders::default(),
        }
    }

    /// Up to where the runs reach: later events are added again after opening.
    pub fn watermark(&self) -> Position {
        self.core.watermark()
    }

    /// Where the event of an id is. Costs a look at a filter for each run, and a look-up in the one
    /// that holds it.
    pub fn position(&self, id: EventId) -> Result<Option<Position>, IndexError> {
        let found = self.positions_of_ids([HashedId::new(id)].into_iter())?;
        Ok(found.first().copied().flatten())
    }

    /// Where the events of some ids are: [`Index::position`] of each, but one run after the other, so that
    /// memory is asked for the filters of all of them at once.
    pub(crate) fn positions_of_ids(
        &self,
        ids: impl ExactSizeIterator<Item = HashedId> + Clone,
    ) -> Result<Vec<Option<Position>>, IndexError> {
        let mut found = vec![None; ids.len()];
        let state = self.core.state();
        for overlay in state.overlays() {
            for (found, id) in found.iter_mut().zip(ids.clone()) {
                *found = found.or_else(|| overlay.position(id));
            }
        }
        let runs = Arc::clone(&state.runs);
        drop(state);
        for run in runs.iter().rev() {
            for (found, id) in found.iter_mut().zip(ids.clone()) {
                if found.is_none() {
                    *found = run.position(id)?;
                }
            }
        }
        Ok(found)
    }

    /// How many events a listing has. Costs a look at a filter for each run, and a look-up in those
    /// that hold some.
    pub fn count(&self, listing: &Listing) -> Result<Revision, IndexError> {
        let name = listing.name();
        let state = self.core.state();
        let counts = state.overlays().map(|overlay| overlay.count(name));
        let mut count: u64 = counts.sum();
        let runs = Arc::clone(&state.runs);
        drop(state);
        for run in runs.iter() {
            count += run.count(name)?;
        }
        Ok(Revision(count))
    }

    /// The first positions of a listing after a position, at most `limit`, in order. Runs that have to be
    /// read are read beside each other.
    pub fn positions(
        &self,
        listing: &Listing,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Position>, IndexError> {
        let name = listing.name();
        let state = self.core.state();
        let overlays = state.overlays();
        let later = overlays.flat_map(|overlay| overlay.positions(name, after));
        let later: Vec<_> = later.take(limit).collect();
        let runs = Arc::clone(&state.runs);
        drop(state);
        let mut found = Vec::new();
        let from = runs.partition_point(|run| run.info.last <= after);
        let later_runs = runs.get(from..).unwrap_or_default().iter();
        let runs: Vec<_> = later_runs.filter(|run| !run.surely_lacks(name)).collect();
        for some in runs.chunks(LOOK_UPS_AT_ONCE) {
            for of_run in positions_of_runs(some, name, after, limit) {
                found.extend(of_run?);
            }
            if found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
        found.extend(later.into_iter().take(limit - found.len()));
        Ok(found)
    }

    /// The subjects of a kind, sorted, each once. Costs one pass over the names of that kind in
    /// every run, and holds the answer in memory.
    pub fn subjects(&self, kind: SubjectKind) -> Result<Vec<Subject>, IndexError> {
        let prefix = subjects_of_kind(kind);
        let mut names = BTreeSet::new();
        let state = self.core.state();
        for overlay in state.overlays() {
            overlay.names(Table::Subjects, &prefix, &mut names);
        }
        let runs = Arc::clone(&state.runs);
        drop(state);
        for run in runs.iter() {
            run.names(Table::Subjects, &prefix, &mut names)?;
        }
        let ids = names.into_iter().map(|name| {
            let id = name.get(prefix.len()..name.len().saturating_sub(1));
            let id = String::from_utf8(id.unwrap_or_default().to_vec());
            let id = id.map_err(|_| IndexError::damaged("the name of a subject is no text"))?;
            Ok(Subject { kind, id })
        });
        ids.collect()
    }

    /// Opens the runs. Costs some milliseconds a run, by which else the first look-up in it takes longer.
    pub(crate) fn open_runs(&self) -> Result<(), IndexError> {
        let runs = Arc::clone(&self.core.state().runs);
        runs.iter().try_for_each(|run| run.open())
    }

    /// Adds events that are durable, in order, the first of which is at a position. Costs about a
    /// microsecond an event; nothing is written.
    pub(crate) fn add<'e>(
        &self,
        first: Position,
        entries: impl IntoIterator<Item = impl Into<EntryRef<'e>>>,
    ) {
        let mut state = self.core.state_mut();
        let mut position = first;
        for entry in entries {
            state.overlay.add(position, entry);
            position = position.next();
        }
    }

    /// Passes over positions up to one, whose events are lost.
    pub(crate) fn pass(&self, until: Position) {
        let mut state = self.core.state_mut();
        let frozen = state.frozen.back().and_then(|overlay| overlay.range());
        let run = state.runs.last().map(|run| run.info.last);
        let after = frozen.map(|(_, last)| last).or(run);
        let after = after.unwrap_or(Position(0));
        if until > after {
            state.overlay.pass(after.next(), until);
        }
    }

    /// Hands the overlay to the thread that writes runs once it is full. Blocks while too many wait
    /// there. The error is what stopped that thread: nothing more should be added then, since
    /// nothing would bound the memory that it takes.
    pub(crate) fn make_room(&self) -> Result<(), IndexError> {
        if self.core.freeze_if_full() {
            self.tenders.start(&self.core)?;
        }
        self.core.wait_for_room()
    }

    /// Writes a last run if it is worth it. The index can still be read.
    pub(crate) fn close(&self) -> Result<(), IndexError> {
        self.tenders.stop(&self.core);
        self.core.close()
    }

    /// Makes the next opening build the index again.
    pub(crate) fn distrust(&self) {
        self.core.shelf.distrust();
    }
}

/// The positions of a listing in each of some runs, read beside each other if there are enough of them to
/// make up for the threads.
fn positions_of_runs(
    runs: &[&Arc<Run>],
    name: Name<'_>,
    after: Position,
    limit: usize,
) -> Vec<Result<Vec<Position>, IndexError>> {
    let look = |run: &Run| {
        let mut found = Vec::new();
        run.positions(name, after, limit, &mut found)?;
        Ok(found)
    };
    if runs.len() < LOOK_UPS_AT_ONCE_MIN {
        return runs.iter().map(|run| look(run)).collect();
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = runs
            .iter()
            .map(|run| {
                let thread = std::thread::Builder::new().name("ledger-look-up".to_owned());
                (*run, thread.spawn_scoped(scope, move || look(run)))
            })
            .collect();
        let joined = threads.into_iter().map(|(run, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|_| {
                Err(IndexError::Failed {
                    doing: "looking up a subject",
                    reason: "its thread ended before its time".to_owned(),
                })
            }),
            Err(_) => look(run),
        });
        joined.collect()
    })
}

impl Drop for Index {
    fn drop(&mut self) {
        self.tenders.stop(&self.core);
    }
}
