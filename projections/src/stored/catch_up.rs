//! Following the log: reading what was recorded since, in order, and exactly once.

use super::extract::{Extract, extract};
use super::replaced::find;
use super::{Shared, Views, ViewsError};
use ledger::id::Position;
use ledger::limits::LISTS_OVERLAY_MAX_BYTES;
use ledger::lists::{Gathering, Lists};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

impl Views {
    /// Takes in everything that is durable when this is called. `progress` is told now and then how far
    /// they are and how far they have to go. Returns up to where they reach then. Costs some
    /// microseconds an event; one call works at a time, others wait.
    pub fn catch_up(
        &self,
        progress: &(dyn Fn(Position, Position) + Sync),
    ) -> Result<Position, ViewsError> {
        let _adding = self.shared.adding();
        let lists = self.lists();
        let until = self.shared.store.end();
        self.shared.take_in(&lists, until, progress)?;
        Ok(lists.end())
    }
}

impl Shared {
    /// Takes in the events up to one.
    pub(super) fn take_in(
        &self,
        lists: &Lists,
        until: Position,
        progress: &(dyn Fn(Position, Position) + Sync),
    ) -> Result<(), ViewsError> {
        let run = self.sizes.runs.full.max(1);
        if until.0.saturating_sub(lists.end().0) > 2 * run {
            self.take_in_beside(lists, until, run, progress)?;
        }
        let batch = self.sizes.batch.max(1);
        while lists.end() < until {
            let after = lists.end();
            let last = Position(after.0.saturating_add(batch)).min(until);
            let fresh = Gathering::default();
            for part in extract(&self.store, after, last, LISTS_OVERLAY_MAX_BYTES, fresh)? {
                self.add(lists, part)?;
            }
            progress(lists.end(), until);
        }
        Ok(())
    }

    fn add(&self, lists: &Lists, mut part: Extract) -> Result<(), ViewsError> {
        find(&self.store, lists, &mut part)?;
        Ok(lists.add(part.gathered)?)
    }

    /// Takes in much: several threads read the log and extract ranges of it beside each other, and take
    /// turns to add them in order. Each range becomes a run. Holds a range a thread, and those that wait
    /// to be written.
    fn take_in_beside(
        &self,
        lists: &Lists,
        until: Position,
        range: u64,
        progress: &(dyn Fn(Position, Position) + Sync),
    ) -> Result<(), ViewsError> {
        let first = lists.end();
        let ranges = until.0.saturating_sub(first.0) / range;
        let next = AtomicU64::new(0);
        let turns = Turns::default();
        let work = || -> Result<(), ViewsError> {
            let _ends_all = EndOfPanic(&turns);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= ranges {
                    return Ok(());
                }
                let after = Position(first.0 + number * range);
                let last = Position(after.0 + range);
                // A range that cannot be read ends all: what comes after it could not be added.
                let parts = extract(
                    &self.store,
                    after,
                    last,
                    LISTS_OVERLAY_MAX_BYTES,
                    lists.fresh(),
                );
                if !turns.wait_for(number) {
                    return Ok(());
                }
                let added = parts.and_then(|parts| {
                    let mut parts = parts.into_iter();
                    parts.try_for_each(|part| self.add(lists, part))
                });
                turns.end(added.is_ok());
                added?;
                progress(lists.end(), until);
            }
        };
        std::thread::scope(|scope| {
            let readers = (1..self.sizes.readers).map(|_| {
                let thread = std::thread::Builder::new().name("ledger-views".to_owned());
                // Without the thread the others have more to do.
                thread.spawn_scoped(scope, work).ok()
            });
            let readers: Vec<_> = readers.collect();
            let mut result = work();
            for reader in readers.into_iter().flatten() {
                let ended = reader.join().unwrap_or_else(|_| {
                    Err(ViewsError::Fold(
                        "a thread that reads the log ended before its time".to_owned(),
                    ))
                });
                result = result.and(ended);
            }
            result
        })
    }
}

/// Lets nobody wait for the turn of a thread that panicked.
struct EndOfPanic<'a>(&'a Turns);

impl Drop for EndOfPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end(false);
        }
    }
}

/// Whose turn it is to add; `None` once somebody failed.
struct Turns {
    turn: Mutex<Option<u64>>,
    changed: Condvar,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            turn: Mutex::new(Some(0)),
            changed: Condvar::new(),
        }
    }
}

impl Turns {
    /// Waits for the turn of a number; `false` if it will never come.
    fn wait_for(&self, number: u64) -> bool {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        while turn.is_some_and(|turn| turn != number) {
            let woken = self.changed.wait(turn);
            turn = woken.unwrap_or_else(PoisonError::into_inner);
        }
        turn.is_some()
    }

    /// Ends a turn.
    fn end(&self, went_well: bool) {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        *turn = turn.filter(|_| went_well).map(|turn| turn + 1);
        drop(turn);
        self.changed.notify_all();
    }
}
