//! A commit log that fails when it is told to, and forgets what was not synced.

use ledger::id::Position;
use ledger::log::{CommitLog, Frame, LogError, StoredFrame};
use std::sync::{Arc, Mutex, MutexGuard};

/// What goes wrong next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The append fails, and the engine knows that nothing was written.
    NothingWritten,
    /// The append fails halfway.
    Write,
    /// The sync fails.
    Sync,
}

#[derive(Debug, Default)]
struct State {
    frames: Vec<StoredFrame>,
    /// How many of the frames survive a loss of power.
    synced: usize,
    fault: Option<Fault>,
    /// How many syncs were asked for.
    syncs: usize,
}

/// A log in memory that is shared by its clones, so that a test can go on with what a store left.
#[derive(Debug, Default, Clone)]
pub struct FaultyLog(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Held by whoever appends, and by a test that holds appends up.
    gate: Mutex<()>,
}

impl FaultyLog {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0
            .state
            .lock()
            .expect("no test panics while it holds the log")
    }

    /// Holds up everybody who appends to the log until the answer is dropped.
    pub fn hold_up(&self) -> impl Sized + '_ {
        self.gate()
    }

    fn gate(&self) -> MutexGuard<'_, ()> {
        let gate = self.0.gate.lock();
        gate.expect("no test panics while it appends")
    }

    /// Makes the next write or sync fail.
    pub fn fail(&self, fault: Fault) {
        self.state().fault = Some(fault);
    }

    /// Forgets everything that was not synced, as a loss of power may.
    pub fn lose_power(&self) {
        let mut state = self.state();
        let synced = state.synced;
        state.frames.truncate(synced);
    }

    /// How often something was made durable.
    pub fn syncs(&self) -> usize {
        self.state().syncs
    }

    /// How many frames there are.
    pub fn frames(&self) -> usize {
        self.state().frames.len()
    }
}

fn end(state: &State) -> Position {
    state
        .frames
        .last()
        .map_or(Position(0), |frame| frame.last())
}

fn failed(doing: &'static str) -> LogError {
    let reason = "a test asked for it".to_owned();
    LogError::Failed { doing, reason }
}

impl CommitLog for FaultyLog {
    fn end(&self) -> Position {
        end(&self.state())
    }

    fn append(&self, frame: &Frame) -> Result<(), LogError> {
        let _gate = self.gate();
        let mut state = self.state();
        let (expected, end) = (frame.before(), end(&state));
        if expected != end {
            return Err(LogError::WrongEnd { expected, end });
        }
        if let Some(fault) = state.fault.take_if(|fault| *fault != Fault::Sync) {
            let reason = "a test asked for it".to_owned();
            return Err(match fault {
                Fault::NothingWritten => LogError::NotWritten { reason },
                Fault::Write | Fault::Sync => failed("writing"),
            });
        }
        state.frames.push(Arc::new(frame.clone()));
        Ok(())
    }

    fn sync(&self) -> Result<(), LogError> {
        let mut state = self.state();
        state.syncs += 1;
        if state.fault.take().is_some() {
            return Err(failed("syncing"));
        }
        state.synced = state.frames.len();
        Ok(())
    }

    fn frame(&self, position: Position) -> Result<Option<StoredFrame>, LogError> {
        let state = self.state();
        let mut frames = state.frames.iter();
        let found = frames.find(|frame| frame.first() <= position && position <= frame.last());
        Ok(found.cloned())
    }
}
