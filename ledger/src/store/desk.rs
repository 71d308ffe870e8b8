//! The desk: where appends are admitted, by whoever submits them, one after the other.
//!
//! Admitting beside the thread that writes means that the next frame is made while the disk is busy
//! with the last one. The desk is bounded by one frame: whoever comes when it is full waits.

use super::admit::Admission;
use super::append::Answer;
use super::draft::Draft;
use super::error::AppendError;
use super::prepare::Offer;
use super::read::Shared;
use crate::id::Position;
use crate::limits::FRAME_ANSWERS_MAX;
use crate::log::LogError;
use crate::time::{Clock, Timestamp};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Somebody who waits, and the answer once the frame is durable.
pub(crate) type Answered = (oneshot::Sender<Answer>, Answer);

/// Admits appends.
pub(crate) struct Desk {
    state: Mutex<State>,
    arrived: Condvar,
    taken: Condvar,
}

struct State {
    /// The frame that comes next.
    draft: Draft,
    /// Who waits for it. Refusals wait too: they may be because of what is not durable yet.
    answers: Vec<Answered>,
    /// The frame that is being written.
    flight: Option<Arc<Draft>>,
    clock: Box<dyn Clock>,
    /// When the last event was recorded: recorded time never goes back.
    recorded_at: Timestamp,
    /// A write failed: nothing is accepted any more.
    stopped: bool,
    closed: bool,
}

impl State {
    fn is_full(&self) -> bool {
        self.draft.is_full() || self.answers.len() >= FRAME_ANSWERS_MAX
    }
}

/// What the thread that writes gets from the desk.
pub(crate) enum Taken {
    /// A frame, which may have no events, and who waits for it.
    Frame(Arc<Draft>, Vec<Answered>),
    /// Nothing came for a while.
    Idle,
    /// Nothing will come any more.
    Closed,
}

impl Desk {
    /// A desk whose first frame follows a position.
    pub(crate) fn new(end: Position, clock: Box<dyn Clock>, recorded_at: Timestamp) -> Self {
        Self {
            state: Mutex::new(State {
                draft: Draft::new(end, recorded_at),
                answers: Vec::new(),
                flight: None,
                clock,
                recorded_at,
                stopped: false,
                closed: false,
            }),
            arrived: Condvar::new(),
            taken: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits an append or refuses it; it is answered once everything that it was checked against is
    /// durable. Blocks while the next frame is full.
    pub(crate) fn submit(&self, shared: &Shared, offer: Offer, answer: oneshot::Sender<Answer>) {
        // Not behind the lock: whoever makes the index looks here whether it is still needed.
        if let Err(error) = shared.indexing.get() {
            return send([(answer, Err(AppendError::NotAppended(error)))]);
        }
        let mut state = self.state();
        while state.is_full() && !state.closed && !state.stopped {
            let woken = self.taken.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
        let refused = match (state.closed, state.stopped) {
            (true, _) => Some(AppendError::Closed),
            (false, true) => Some(AppendError::Stopped),
            (false, false) => None,
        };
        if let Some(error) = refused {
            return send([(answer, Err(error))]);
        }
        let State {
            draft,
            answers,
            flight,
            clock,
            recorded_at,
            ..
        } = &mut *state;
        if answers.is_empty() {
            *recorded_at = clock.now().max(*recorded_at);
            draft.begin(*recorded_at);
            self.arrived.notify_one();
        }
        let flight = flight.as_deref();
        let mut admission = Admission {
            shared,
            flight,
            draft,
        };
        let admitted = admission.admit(offer);
        answers.push((answer, admitted));
    }

    /// Waits for the next frame, at most for `patience`, and begins the one after it.
    pub(crate) fn take(&self, patience: Option<Duration>) -> Taken {
        let mut state = self.state();
        while state.answers.is_empty() {
            if state.closed {
                return Taken::Closed;
            }
            state = match patience {
                None => {
                    let woken = self.arrived.wait(state);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
                Some(patience) => {
                    let woken = self.arrived.wait_timeout(state, patience);
                    let (state, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() && state.answers.is_empty() && !state.closed {
                        return Taken::Idle;
                    }
                    state
                }
            };
        }
        let next = Draft::new(state.draft.last(), state.recorded_at);
        let draft = Arc::new(std::mem::replace(&mut state.draft, next));
        state.flight = Some(Arc::clone(&draft));
        let answers = std::mem::take(&mut state.answers);
        self.taken.notify_all();
        Taken::Frame(draft, answers)
    }

    /// The frame that was taken is durable: it goes into the index and is shown to readers.
    pub(crate) fn settle(&self, shared: &Shared, durable: &watch::Sender<Position>) {
        let mut state = self.state();
        if let Some(draft) = state.flight.take().filter(|draft| !draft.is_empty()) {
            // Nothing is admitted before there is an index.
            if let Ok(index) = shared.indexing.get() {
                index.add(draft.first(), draft.entries());
            }
            durable.send_replace(draft.last());
        }
    }

    /// The frame that was taken could not be written. What was admitted after it has lost its
    /// place: returns who waits for that.
    pub(crate) fn undo(&self, end: Position, error: &LogError) -> Vec<Answered> {
        let mut state = self.state();
        state.flight = None;
        state.draft = Draft::new(end, state.recorded_at);
        state.stopped = !error.nothing_written();
        self.taken.notify_all();
        std::mem::take(&mut state.answers)
    }

    /// Accepts nothing any more. Returns who waits for what was not taken.
    pub(crate) fn stop(&self) -> Vec<Answered> {
        let mut state = self.state();
        state.stopped = true;
        self.taken.notify_all();
        std::mem::take(&mut state.answers)
    }

    /// Whether nothing more comes in.
    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Whether nothing is accepted any more, because a write failed.
    pub(crate) fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Lets nothing more in. What was admitted is still written.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.arrived.notify_all();
        self.taken.notify_all();
    }
}

/// Answers.
pub(crate) fn send(answers: impl IntoIterator<Item = Answered>) {
    for (to, answer) in answers {
        // Whoever asked may be gone; the append stands.
        drop(to.send(answer));
    }
}
