//! Lists of values by name, derived from the log and kept as sorted runs (`crate::runs`).
//!
//! Whoever derives something of the events gathers values for it, in the order of positions: a value goes
//! to the end of one or several lists, and a list is found by its table and its name. A list is always
//! read whole. What is added can be read at once; it is in memory until it is written as part of a run,
//! and has to be added again from [`Lists::watermark`] on after opening. Names are kept whole. Nothing here
//! knows what a value means.

mod chunk;
mod gathering;
mod generations;
mod pass;
mod run;
#[cfg(test)]
mod tests;
mod write;

use crate::id::Position;
use crate::limits::{LISTS_FROZEN_MAX, LISTS_OVERLAY_MAX_BYTES, LISTS_WRITERS};
pub use crate::runs::RunError as ListsError;
use crate::runs::disk::{self, Form};
use crate::runs::filter::Kept;
use crate::runs::keep::{Chunks, MemoryShelf};
use crate::runs::tend::{self, Tenders};
use crate::runs::{Gathers, IsRun, Material, RunInfo, Target};
pub use crate::runs::{Rebuilt, RunSize};
pub use gathering::Gathering;
pub use generations::{Generations, Next};
pub use pass::ListValues;
use run::Run;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use twox_hash::XxHash3_64;

/// The number of a table of lists, from 0; below [`Table::COUNT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Table(pub u8);

impl Table {
    /// How many tables there are. Each is in every run, so that one that is lost is noticed.
    pub const COUNT: u8 = 8;

    fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }
}

impl From<Table> for u8 {
    fn from(table: Table) -> Self {
        table.0
    }
}

/// The table under which a run keeps its filter.
const FILTER: u8 = 0xff;

/// What a list is found by. No name of a table may be the beginning of another one of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListName<'a> {
    table: Table,
    bytes: &'a [u8],
    hash: u64,
}

impl<'a> ListName<'a> {
    /// The table.
    pub fn table(&self) -> Table {
        self.table
    }

    /// The name in it.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The name of a list of a table, at most [`LIST_NAME_MAX_BYTES`] long. Costs one hash.
    ///
    /// [`LIST_NAME_MAX_BYTES`]: crate::limits::LIST_NAME_MAX_BYTES
    pub fn new(table: Table, bytes: &'a [u8]) -> Self {
        Self {
            table,
            bytes,
            // Decides where to look, never what is found. Format of the filters.
            hash: XxHash3_64::oneshot_with_seed(u64::from(table.0), bytes),
        }
    }
}

/// The material of these runs.
pub(crate) struct Values;

impl Material for Values {
    type Overlay = Gathering;
    type Run = Run;
    const THREADS: [&'static str; 2] = ["ledger-lists", "ledger-lists-merge"];
    const WRITERS: usize = LISTS_WRITERS;
    const FROZEN_MAX: usize = LISTS_FROZEN_MAX;
    const OVERLAY_MAX_BYTES: usize = LISTS_OVERLAY_MAX_BYTES;

    fn run(store_id: [u8; 16], info: RunInfo, chunks: Arc<dyn Chunks>, kept: &Kept) -> Run {
        Run::new(store_id, info, chunks, kept)
    }

    fn write(to: Target<'_>, number: u64, overlay: &Gathering) -> Result<Option<Run>, ListsError> {
        write::write(to, number, overlay)
    }

    fn merge(
        to: Target<'_>,
        number: u64,
        runs: &[Arc<Run>],
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Run>, ListsError> {
        write::merge(to, number, runs, stop)
    }
}

impl Gathers for Gathering {
    fn events(&self) -> u64 {
        self.range().map_or(0, |(first, last)| last.0 - first.0 + 1)
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
        &self.chunks
    }
}

type Core = tend::Core<Values>;

/// Lists that are derived from one log. One thread adds to them; any number read.
pub struct Lists {
    core: Arc<Core>,
    tenders: Tenders,
    size: RunSize,
}

impl Lists {
    /// Empty lists in memory.
    pub fn in_memory(size: RunSize) -> Self {
        let shelf = Box::new(MemoryShelf);
        let core = Core::new(shelf, [0; 16], Vec::new(), size, Kept::default());
        Self::over(core, size)
    }

    /// The lists in a directory as far as they can be trusted, made by whoever calls himself `made_by`,
    /// which is one line: what was made by another is thrown away. What comes after the watermark has to
    /// be added again. Says why, if that is more than what was not in a run yet. Costs a look at each
    /// file, and reading those that are not as the last clean close left them.
    pub fn open(
        directory: &Path,
        store_id: [u8; 16],
        made_by: &str,
        size: RunSize,
    ) -> Result<(Self, Option<Rebuilt>), ListsError> {
        let form = form(made_by);
        let (core, rebuilt) = disk::open(directory, store_id, form, size)?;
        Ok((Self::over(core, size), rebuilt))
    }

    fn over(core: Core, size: RunSize) -> Self {
        Self {
            core: Arc::new(core),
            tenders: Tenders::default(),
            size,
        }
    }

    /// Up to where the runs reach.
    pub fn watermark(&self) -> Position {
        self.core.watermark()
    }

    /// Up to where values were added.
    pub fn end(&self) -> Position {
        let state = self.core.state();
        let overlays = state.overlays().filter_map(Gathering::range);
        let last = overlays.map(|(_, last)| last).max();
        let run = state.runs.last().map(|run| run.info.last);
        last.or(run).unwrap_or_default()
    }

    /// An empty gathering, with the memory of one that was written if there is one.
    pub fn fresh(&self) -> Gathering {
        self.core.fresh()
    }

    /// Adds what was gathered from the events that follow [`Lists::end`]. Blocks while too much waits to
    /// be written. The error is what stopped the threads that write: nothing more should be added then.
    pub fn add(&self, gathered: Gathering) -> Result<(), ListsError> {
        let Some((first, _)) = gathered.range() else {
            return Ok(());
        };
        let end = self.end();
        if first != end.next() {
            return Err(ListsError::Failed {
                doing: "adding to lists",
                reason: format!("they end at {end}, but what comes next begins at {first}"),
            });
        }
        match gathered.events() >= self.size.full / 2 {
            true => self.core.freeze_with(gathered),
            false => self.core.state_mut().overlay.absorb(&gathered),
        }
        self.core.freeze_if_full();
        if !self.core.state().frozen.is_empty() {
            self.tenders.start(&self.core)?;
        }
        self.core.wait_for_room()
    }

    /// Visits the values of a list in the order in which they were added. Costs a look at a filter for
    /// each run, and reading the list in those that hold some of it.
    pub fn read(&self, name: ListName<'_>, visit: &mut dyn FnMut(&[u8])) -> Result<(), ListsError> {
        let mut stream = Vec::new();
        self.read_stream(name, &mut stream)?;
        visit_values(&stream, visit)
    }

    /// Appends all values of a list to a buffer, to be taken apart by [`ListValues`]. Costs as
    /// [`Lists::read`].
    pub fn read_stream(&self, name: ListName<'_>, stream: &mut Vec<u8>) -> Result<(), ListsError> {
        let mut recent = Vec::new();
        let state = self.core.state();
        for overlay in state.overlays() {
            overlay.copy_list(name, &mut recent);
        }
        let runs = Arc::clone(&state.runs);
        drop(state);
        for run in runs.iter() {
            run.read(name, stream)?;
        }
        stream.extend_from_slice(&recent);
        Ok(())
    }

    /// The last value of a list. Costs as [`Lists::read`] does, but reads the newest run that holds some
    /// of it only.
    pub fn last(&self, name: ListName<'_>) -> Result<Option<Vec<u8>>, ListsError> {
        let state = self.core.state();
        let in_memory = state.overlays().rev().find_map(|overlay| {
            let value = overlay.last(name)?;
            Some(value.to_vec())
        });
        if in_memory.is_some() {
            return Ok(in_memory);
        }
        let runs = Arc::clone(&state.runs);
        drop(state);
        let mut stream = Vec::new();
        for run in runs.iter().rev() {
            run.read(name, &mut stream)?;
            let mut last = None;
            visit_values(&stream, &mut |value| last = Some(value.to_vec()))?;
            if last.is_some() {
                return Ok(last);
            }
        }
        Ok(None)
    }

    /// Which of some names may have a list: what is not said to have one has none. Costs a look at the
    /// filter of each run for each name, one part of a filter after the other, so that many names at once
    /// cost far less than one after the other.
    pub fn may_have<'n>(
        &self,
        names: impl Iterator<Item = ListName<'n>>,
    ) -> Result<Vec<bool>, ListsError> {
        let names: Vec<ListName<'n>> = names.collect();
        let mut found = vec![false; names.len()];
        let state = self.core.state();
        for overlay in state.overlays() {
            for (found, name) in found.iter_mut().zip(&names) {
                *found |= overlay.has(*name);
            }
        }
        let runs = Arc::clone(&state.runs);
        drop(state);
        let numbered = names.iter().enumerate();
        let mut by_hash: Vec<(u64, usize)> = numbered.map(|(at, name)| (name.hash, at)).collect();
        by_hash.sort_unstable();
        for run in runs.iter() {
            for (hash, at) in &by_hash {
                if let Some(found) = found.get_mut(*at).filter(|found| !**found) {
                    *found = run.may_have(*hash)?;
                }
            }
        }
        Ok(found)
    }

    /// Whether a table has any list. Costs a look-up in each run the first time.
    pub fn has_any(&self, table: Table) -> Result<bool, ListsError> {
        let state = self.core.state();
        if state.overlays().any(|overlay| overlay.has_any(table)) {
            return Ok(true);
        }
        let runs = Arc::clone(&state.runs);
        drop(state);
        for run in runs.iter() {
            if run.has_any(table)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The names of a table that begin with a prefix and come after a name, in order, the first `limit`
    /// of them. Costs by their number, the number of runs, and the names in memory.
    pub fn names(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, ListsError> {
        let mut names = FirstNames::new(limit);
        let state = self.core.state();
        for frozen in &state.frozen {
            frozen.names_in_order(table, prefix, after, |name| names.offer(name));
        }
        state.overlay.names(table, prefix, |name| {
            if after.is_none_or(|after| name > after) {
                let _ = names.offer(name);
            }
        });
        let runs = Arc::clone(&state.runs);
        drop(state);
        let from = after.unwrap_or(prefix).max(prefix);
        for run in runs.iter() {
            run.walk(table, from, |name, _| {
                if !name.starts_with(prefix) {
                    return match name > prefix {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    };
                }
                if after.is_some_and(|after| name <= after) {
                    return ControlFlow::Continue(());
                }
                names.offer(name)
            })?;
        }
        Ok(names.names.into_iter().collect())
    }

    /// Opens the runs, which the first look-up in each would do else.
    pub fn warm_up(&self) -> Result<(), ListsError> {
        let runs = Arc::clone(&self.core.state().runs);
        runs.iter().try_for_each(|run| run.chunks.open())
    }

    /// How many runs there are.
    pub fn runs(&self) -> usize {
        self.core.state().runs.len()
    }

    /// Writes everything that was added and merges what is due, and waits for that.
    pub fn settle(&self) -> Result<(), ListsError> {
        self.core.freeze_all();
        self.tenders.start(&self.core)?;
        self.core.wait_until_settled()
    }

    /// Stops writing, and removes what is on the medium once nobody reads it any more: other lists took
    /// their place.
    fn discard(&self) {
        self.tenders.stop(&self.core);
        let runs = Arc::clone(&self.core.state().runs);
        runs.iter().for_each(|run| run.chunks.discard());
    }

    /// Writes a last run if it is worth it. The lists can still be read.
    pub fn close(&self) -> Result<(), ListsError> {
        self.tenders.stop(&self.core);
        self.core.close()
    }
}

fn form(made_by: &str) -> Form<'_> {
    Form {
        what: "what views are folded from",
        title: "activation-ledger lists",
        seen_title: "activation-ledger lists files",
        format: 1,
        made_by: Some(made_by),
    }
}

/// Up to where the lists in a directory say that they are kept, whichever store they are of; or what is
/// wrong with what they say.
fn kept_until(directory: &Path, made_by: &str) -> Result<Position, String> {
    let runs = disk::read_manifest(directory, None, form(made_by))?;
    Ok(runs.last().map_or(Position(0), |run| run.last))
}

impl Drop for Lists {
    fn drop(&mut self) {
        self.tenders.stop(&self.core);
    }
}

/// The least of the names that are offered, so many of them.
struct FirstNames {
    names: BTreeSet<Vec<u8>>,
    limit: usize,
}

impl FirstNames {
    fn new(limit: usize) -> Self {
        let names = BTreeSet::new();
        Self { names, limit }
    }

    /// Takes a name if it is among the least; says whether a larger one could still be.
    fn offer(&mut self, name: &[u8]) -> ControlFlow<()> {
        let is_full = self.names.len() >= self.limit;
        let greatest = self.names.last().map(Vec::as_slice);
        if is_full && greatest.is_none_or(|greatest| name >= greatest) {
            return ControlFlow::Break(());
        }
        if !self.names.contains(name) {
            self.names.insert(name.to_vec());
            if is_full {
                self.names.pop_last();
            }
        }
        ControlFlow::Continue(())
    }
}

/// Visits the values of a stream: each has its length before it.
fn visit_values(stream: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<(), ListsError> {
    ListValues::of(stream).try_for_each(|value| {
        visit(value?);
        Ok(())
    })
}
