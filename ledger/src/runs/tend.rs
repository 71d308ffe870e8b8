//! Tending the runs: writing full overlays and merging runs, in threads of their own.
//!
//! The threads end when the runs are closed or when one of them fails; what is not in a run by then is in
//! the log, and is added again at the next opening.

use super::filter::Kept;
use super::keep::Shelf;
use super::{Gathers, IsRun, Material, RunError, RunSize, Target};
use crate::id::Position;
use crate::limits::{RUN_MERGED_EVENTS_MAX, RUNS_MAX};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::thread::JoinHandle;

/// What readers see.
pub(crate) struct State<M: Material> {
    /// Oldest first; they tile the positions from 1.
    pub(crate) runs: Arc<Vec<Arc<M::Run>>>,
    /// Full overlays after the runs, oldest first.
    pub(crate) frozen: VecDeque<Arc<M::Overlay>>,
    /// How many of them, from the oldest on, threads are writing.
    claimed: usize,
    /// The overlay that grows.
    pub(crate) overlay: M::Overlay,
    /// Empty ones with the memory of those that were written, for the next.
    spare: Vec<M::Overlay>,
}

impl<M: Material> State<M> {
    /// All overlays, oldest first.
    pub(crate) fn overlays(&self) -> impl DoubleEndedIterator<Item = &M::Overlay> {
        let frozen = self.frozen.iter().map(Arc::as_ref);
        frozen.chain(std::iter::once(&self.overlay))
    }
}

#[derive(Default)]
struct Work {
    closing: bool,
    failed: Option<RunError>,
}

/// What readers, the thread that adds, and the threads that tend the runs share.
pub(crate) struct Core<M: Material> {
    state: RwLock<State<M>>,
    pub(crate) shelf: Box<dyn Shelf>,
    store_id: [u8; 16],
    size: RunSize,
    /// The number of the next run. Held while the list of runs is replaced.
    next_number: Mutex<u64>,
    kept: Kept,
    work: Mutex<Work>,
    /// Something that a thread may wait for has changed.
    changed: Condvar,
}

impl<M: Material> Core<M> {
    /// Over runs that were written before; they have to tile the positions from 1.
    pub(crate) fn new(
        shelf: Box<dyn Shelf>,
        store_id: [u8; 16],
        runs: Vec<Arc<M::Run>>,
        size: RunSize,
        kept: Kept,
    ) -> Self {
        let greatest = runs.iter().map(|run| run.info().number).max();
        Self {
            state: RwLock::new(State {
                runs: Arc::new(runs),
                frozen: VecDeque::new(),
                claimed: 0,
                overlay: M::Overlay::default(),
                spare: Vec::new(),
            }),
            shelf,
            store_id,
            size,
            next_number: Mutex::new(greatest.unwrap_or(0) + 1),
            kept,
            work: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State<M>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State<M>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits for a change; after the change was made.
    fn tell(&self) {
        drop(self.work());
        self.changed.notify_all();
    }

    /// Waits until something comes of `look`, which is called again after each change.
    fn wait_for<T>(&self, look: impl Fn(&Work) -> Option<T>) -> T {
        let mut work = self.work();
        loop {
            if let Some(found) = look(&work) {
                return found;
            }
            let woken = self.changed.wait(work);
            work = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Up to where the runs reach.
    pub(crate) fn watermark(&self) -> Position {
        let state = self.state();
        state.runs.last().map_or(Position(0), |run| run.info().last)
    }

    /// An empty overlay, with the memory of one that was written if there is one.
    pub(crate) fn fresh(&self) -> M::Overlay {
        self.state_mut().spare.pop().unwrap_or_default()
    }

    /// Sets the overlay aside for the thread that writes runs, if it is full.
    pub(crate) fn freeze_if_full(&self) -> bool {
        let state = self.state();
        let is_full = state.overlay.events() >= self.size.full.max(1)
            || state.overlay.length_bytes() >= M::OVERLAY_MAX_BYTES;
        drop(state);
        if is_full {
            self.freeze();
        }
        is_full
    }

    /// Sets aside what is in the overlay, and then another one that follows it.
    pub(crate) fn freeze_with(&self, next: M::Overlay) {
        self.freeze_all();
        self.state_mut().frozen.push_back(Arc::new(next));
        self.tell();
    }

    /// Sets the overlay aside, unless it is empty.
    pub(crate) fn freeze_all(&self) {
        let events = self.state().overlay.events();
        if events > 0 {
            self.freeze();
        }
    }

    /// Waits until nothing is left to be written or merged. The error is what ended a thread.
    pub(crate) fn wait_until_settled(&self) -> Result<(), RunError> {
        self.wait_for(|work| match &work.failed {
            Some(error) => Some(Err(error.clone())),
            None => {
                let state = self.state();
                let is_settled = state.frozen.is_empty() && self.pick(&state.runs).is_none();
                is_settled.then_some(Ok(()))
            }
        })
    }

    fn freeze(&self) {
        let mut state = self.state_mut();
        let next = state.spare.pop().unwrap_or_default();
        let full = std::mem::replace(&mut state.overlay, next);
        state.frozen.push_back(Arc::new(full));
        drop(state);
        self.tell();
    }

    /// Blocks while too many overlays wait. The error is what ended a thread.
    pub(crate) fn wait_for_room(&self) -> Result<(), RunError> {
        self.wait_for(|work| match &work.failed {
            Some(error) => Some(Err(error.clone())),
            None if work.closing => Some(Err(RunError::Failed {
                doing: "adding to what is derived from the log",
                reason: "it is closed".to_owned(),
            })),
            None => (self.state().frozen.len() <= M::FROZEN_MAX).then_some(Ok(())),
        })
    }

    fn target(&self) -> Target<'_> {
        Target {
            shelf: &*self.shelf,
            store_id: self.store_id,
            kept: &self.kept,
        }
    }

    fn take_number(&self) -> u64 {
        let mut next = self.next_number();
        *next += 1;
        *next - 1
    }

    fn next_number(&self) -> MutexGuard<'_, u64> {
        let next = self.next_number.lock();
        next.unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes another list of runs the one that counts, on the medium first.
    fn publish(
        &self,
        change: impl FnOnce(&mut Vec<Arc<M::Run>>),
        also: impl FnOnce(&mut State<M>),
    ) -> Result<(), RunError> {
        // One change at a time.
        let held = self.next_number();
        let mut runs = self.state().runs.to_vec();
        change(&mut runs);
        let listed: Vec<_> = runs.iter().map(|run| *run.info()).collect();
        self.shelf.commit(&listed)?;
        let mut state = self.state_mut();
        state.runs = Arc::new(runs);
        also(&mut state);
        drop(state);
        drop(held);
        self.tell();
        Ok(())
    }

    /// The oldest overlay that waits and that nobody is writing.
    fn claim(&self) -> Option<Arc<M::Overlay>> {
        let mut state = self.state_mut();
        let next = state.frozen.get(state.claimed).map(Arc::clone)?;
        state.claimed += 1;
        Some(next)
    }

    /// Waits until all overlays before one are in runs. The error is what ended a thread.
    fn wait_for_turn(&self, overlay: &Arc<M::Overlay>) -> Result<(), RunError> {
        self.wait_for(|work| match &work.failed {
            Some(error) => Some(Err(error.clone())),
            None => {
                let state = self.state();
                let oldest = state.frozen.front();
                oldest
                    .is_some_and(|oldest| Arc::ptr_eq(oldest, overlay))
                    .then_some(Ok(()))
            }
        })
    }

    /// Writes the oldest overlay that waits and that nobody else is writing, if any, and lists it after
    /// those before it.
    pub(crate) fn write_frozen(&self) -> Result<(), RunError> {
        let Some(overlay) = self.claim() else {
            return Ok(());
        };
        let run = M::write(self.target(), self.take_number(), &overlay)?;
        self.wait_for_turn(&overlay)?;
        self.publish(
            |runs| runs.extend(run.map(Arc::new)),
            |state| {
                state.frozen.pop_front();
                state.claimed = state.claimed.saturating_sub(1);
            },
        )?;
        // If somebody is reading it, its memory is not worth waiting for.
        if let Ok(mut written) = Arc::try_unwrap(overlay) {
            written.clear();
            let mut state = self.state_mut();
            if state.spare.len() <= M::FROZEN_MAX {
                state.spare.push(written);
            }
        }
        Ok(())
    }

    /// Merges runs if there are enough of one size; `false` if there are not, or if `stop` said so
    /// meanwhile.
    pub(crate) fn merge_some(&self, stop: &dyn Fn() -> bool) -> Result<bool, RunError> {
        let runs = Arc::clone(&self.state().runs);
        let Some(range) = self.pick(&runs) else {
            return Ok(false);
        };
        let old = runs.get(range.clone()).unwrap_or_default();
        let Some(run) = M::merge(self.target(), self.take_number(), old, stop)? else {
            return Ok(false);
        };
        // Only here runs are taken out of the list, so they are still where they were.
        self.publish(
            |runs| {
                runs.splice(range, [Arc::new(run)]);
            },
            |_| {},
        )?;
        old.iter().for_each(|run| run.chunks().discard());
        Ok(true)
    }

    /// Which runs to merge: the newest ones of a class and the smaller ones between them, once there are
    /// as many of the class as the fan-out. The smallest class that has so many comes first.
    fn pick(&self, runs: &[Arc<M::Run>]) -> Option<Range<usize>> {
        let greatest = runs.iter().map(|run| self.class(run)).max()?;
        (0..=greatest).find_map(|class| {
            let end = runs.iter().rposition(|run| self.class(run) == class)? + 1;
            let older = runs.get(..end)?;
            let larger = older.iter().rposition(|run| self.class(run) > class);
            let start = larger.map_or(0, |larger| larger + 1);
            let row = older.get(start..)?;
            let of_class = row.iter().filter(|run| self.class(run) == class);
            let is_enough = of_class.count() >= self.fan_out();
            let events: u64 = row.iter().map(|run| run.info().events()).sum();
            (is_enough && events <= RUN_MERGED_EVENTS_MAX).then_some(start..end)
        })
    }

    /// How often runs had to be merged to become so large: each class is larger by the fan-out.
    fn class(&self, run: &M::Run) -> u32 {
        // An overlay is set aside when it holds a frame more than it should.
        let mut events_max = self.size.full.max(1).saturating_mul(2);
        let mut class = 0;
        while run.info().events() > events_max {
            events_max = events_max.saturating_mul(self.fan_out() as u64);
            class += 1;
        }
        class
    }

    fn fan_out(&self) -> usize {
        self.size.fan_out.max(2)
    }

    /// Writes what is worth it, after the threads have ended.
    pub(crate) fn close(&self) -> Result<(), RunError> {
        if let Some(error) = self.work().failed.clone() {
            return Err(error);
        }
        let events = self.state().overlay.events();
        if events >= self.size.at_close.max(1) {
            self.freeze();
        }
        while !self.state().frozen.is_empty() {
            self.write_frozen()?;
        }
        while self.state().runs.len() > RUNS_MAX && self.merge_some(&|| false)? {}
        let runs = Arc::clone(&self.state().runs);
        let stamps: Vec<_> = runs
            .iter()
            .map(|run| (run.info().number, run.chunks().let_go()))
            .collect();
        self.shelf.close(&stamps);
        Ok(())
    }

    fn closing(&self) -> bool {
        let work = self.work();
        work.closing || work.failed.is_some()
    }

    /// The thread that writes runs.
    fn write_runs(&self) -> Result<(), RunError> {
        loop {
            let goes_on = self.wait_for(|work| {
                let state = self.state();
                let waits = state.frozen.len() > state.claimed;
                let room = state.runs.len() <= RUNS_MAX || self.pick(&state.runs).is_none();
                if work.closing || work.failed.is_some() {
                    return Some(false);
                }
                (waits && room).then_some(true)
            });
            match goes_on {
                true => self.write_frozen()?,
                false => return Ok(()),
            }
        }
    }

    /// The thread that merges runs.
    fn merge_runs(&self) -> Result<(), RunError> {
        loop {
            let goes_on = self.wait_for(|work| {
                if work.closing || work.failed.is_some() {
                    return Some(false);
                }
                self.pick(&self.state().runs).map(|_| true)
            });
            match goes_on {
                true => self.merge_some(&|| self.closing())?,
                false => return Ok(()),
            };
        }
    }

    fn ended(&self, result: Result<(), RunError>) {
        if let Err(error) = result {
            tracing::error!(%error, "what is derived from the log could not be written");
            self.work().failed.get_or_insert(error);
            self.tell();
        }
    }
}

/// The threads, once there is something to write: who only reads has none.
#[derive(Default)]
pub(crate) struct Tenders(Mutex<Vec<JoinHandle<()>>>);

impl Tenders {
    /// Starts them, if they do not run yet.
    pub(crate) fn start<M: Material>(&self, core: &Arc<Core<M>>) -> Result<(), RunError> {
        type Task<M> = fn(&Core<M>) -> Result<(), RunError>;
        let [writing, merging] = M::THREADS;
        let writers = std::iter::repeat_n((writing, Core::write_runs as Task<M>), M::WRITERS);
        let tasks = writers.chain([(merging, Core::merge_runs as Task<M>)]);
        let mut threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !threads.is_empty() {
            return Ok(());
        }
        for (name, task) in tasks {
            let core = Arc::clone(core);
            let thread = std::thread::Builder::new().name(name.to_owned());
            let thread = thread.spawn(move || core.ended(task(&core)));
            threads.push(thread.map_err(|error| RunError::Failed {
                doing: "starting a thread that writes runs",
                reason: error.to_string(),
            })?);
        }
        Ok(())
    }

    /// Ends them and waits for that. A merge is given up; what is lost of it is done again.
    pub(crate) fn stop<M: Material>(&self, core: &Core<M>) {
        core.work().closing = true;
        core.tell();
        let mut threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // A thread that panicked has said so, and left nothing that counts.
            drop(thread.join());
        }
    }
}
