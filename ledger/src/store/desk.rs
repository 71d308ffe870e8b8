//! The desk: where appends are admitted, by those who submit them, one after the other.
//!
//! Admitting beside the thread that writes means that the next frame is made while the disk is busy
//! with the last one. Whoever submits puts the append into a queue; if nobody is admitting, they admit
//! what is in the queue, their own among it, and else they leave it to whoever is: nobody waits for the
//! lock of the desk. Queue and frame are bounded: whoever comes when both are full waits.

use super::admit::Admission;
use super::answer::{Reply, Waiter, WaitingRoom, answered, reply_in, send};
use super::append::Answer;
use super::draft::Draft;
use super::error::AppendError;
use super::prepare::Offer;
use super::read::Shared;
use crate::id::Position;
use crate::limits::{FRAME_ANSWERS_MAX, FRAME_EVENTS_TARGET};
use crate::log::LogError;
use crate::time::{Clock, Timestamp};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;
use tokio::sync::watch;

/// Somebody who waits, and the answer once the frame is durable.
pub(crate) type Answered = (Reply, Answer);

/// Admits appends.
pub(crate) struct Desk {
    /// Locked before `queue` where both are.
    state: Mutex<State>,
    queue: Mutex<Queue>,
    /// There is something for the thread that writes.
    arrived: Condvar,
    /// There is room in the queue.
    room: Condvar,
}

/// What has been submitted and not been looked at.
#[derive(Default)]
struct Queue {
    offers: VecDeque<(Offer, Reply)>,
    events: usize,
    /// Where those wait who submit until the next frame is taken.
    waiting: Arc<WaitingRoom>,
    /// Whether something was taken from here since the thread that writes looked last.
    admitted: bool,
    closed: bool,
}

impl Queue {
    fn is_full(&self) -> bool {
        self.events >= FRAME_EVENTS_TARGET || self.offers.len() >= FRAME_ANSWERS_MAX
    }
}

struct State {
    /// The frame that comes next.
    draft: Draft,
    /// Who waits for it. Refusals wait too: they may be because of what is not durable yet.
    answers: Vec<Answered>,
    /// The frame that is being written.
    flight: Option<Arc<Draft>>,
    /// One that was written, with its memory, for the frame after the next.
    spare: Option<Draft>,
    clock: Box<dyn Clock>,
    /// When the last event was recorded: recorded time never goes back.
    recorded_at: Timestamp,
    /// A write failed: nothing is accepted any more.
    stopped: bool,
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
                spare: None,
                clock,
                recorded_at,
                stopped: false,
            }),
            queue: Mutex::default(),
            arrived: Condvar::new(),
            room: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has an append admitted or refused; it is answered once everything that it was checked against
    /// is durable. Blocks while the next frame and the queue are full.
    pub(crate) fn submit(&self, shared: &Shared, offer: Offer) -> Waiter {
        // Not behind a lock: whoever makes the index looks here whether it is still needed.
        if let Err(error) = shared.indexing.get() {
            return answered(Err(AppendError::NotAppended(error)));
        }
        let mut queue = self.queue();
        while queue.is_full() && !queue.closed {
            let woken = self.room.wait(queue);
            queue = woken.unwrap_or_else(PoisonError::into_inner);
        }
        if queue.closed {
            return answered(Err(AppendError::Closed));
        }
        let (reply, waiter) = reply_in(Arc::clone(&queue.waiting));
        queue.events += offer.events.len();
        queue.offers.push_back((offer, reply));
        drop(queue);
        self.admit_queued(shared);
        waiter
    }

    /// Admits what is in the queue, unless somebody else is doing so, who then looks again.
    fn admit_queued(&self, shared: &Shared) {
        loop {
            let mut state = match self.state.try_lock() {
                Ok(state) => state,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            let is_full = self.admit_all(&mut state, shared);
            drop(state);
            // What came in the meantime was left to this thread.
            if is_full || self.queue().offers.is_empty() {
                return;
            }
        }
    }

    /// Admits what is in the queue until it is empty, or the frame is full: then it says so.
    fn admit_all(&self, state: &mut State, shared: &Shared) -> bool {
        while state.stopped || !state.is_full() {
            let Some((offer, answer)) = self.next_offer() else {
                return false;
            };
            if state.stopped {
                send([(answer, Err(AppendError::Stopped))]);
                continue;
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
        true
    }

    fn next_offer(&self) -> Option<(Offer, Reply)> {
        let mut queue = self.queue();
        let next = queue.offers.pop_front();
        if let Some((offer, _)) = &next {
            let was_full = queue.is_full();
            queue.events = queue.events.saturating_sub(offer.events.len());
            if was_full {
                self.room.notify_all();
            }
            if !queue.admitted {
                queue.admitted = true;
                self.arrived.notify_one();
            }
        }
        next
    }

    /// Waits for the next frame, at most for `patience`, and begins the one after it.
    pub(crate) fn take(&self, shared: &Shared, patience: Option<Duration>) -> Taken {
        loop {
            let closed = self.queue().closed;
            let mut state = self.state();
            self.admit_all(&mut state, shared);
            if !state.answers.is_empty() {
                let (last, recorded_at) = (state.draft.last(), state.recorded_at);
                let next = match state.spare.take() {
                    None => Draft::new(last, recorded_at),
                    Some(mut draft) => {
                        draft.restart(last, recorded_at);
                        draft
                    }
                };
                let draft = Arc::new(std::mem::replace(&mut state.draft, next));
                state.flight = Some(Arc::clone(&draft));
                self.queue().waiting = Arc::default();
                return Taken::Frame(draft, std::mem::take(&mut state.answers));
            }
            drop(state);
            if closed {
                return Taken::Closed;
            }
            if !self.wait(patience) {
                return Taken::Idle;
            }
        }
    }

    /// Waits until something was submitted or admitted, or nothing will be; at most for `patience`.
    fn wait(&self, patience: Option<Duration>) -> bool {
        let mut queue = self.queue();
        while queue.offers.is_empty() && !queue.admitted && !queue.closed {
            queue = match patience {
                None => {
                    let woken = self.arrived.wait(queue);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
                Some(patience) => {
                    let woken = self.arrived.wait_timeout(queue, patience);
                    let (queue, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() {
                        return !queue.offers.is_empty() || queue.admitted || queue.closed;
                    }
                    queue
                }
            };
        }
        queue.admitted = false;
        true
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

    /// Takes a frame back that nobody needs any more: the memory of its index serves another one.
    pub(crate) fn take_back(&self, draft: Arc<Draft>) {
        if let Ok(mut draft) = Arc::try_unwrap(draft) {
            // Not behind the lock: it costs freeing what was appended.
            draft.restart(Position(0), draft.recorded_at());
            self.state().spare = Some(draft);
        }
    }

    /// The frame that was taken could not be written. What was admitted after it has lost its
    /// place: returns who waits for that.
    pub(crate) fn undo(&self, end: Position, error: &LogError) -> Vec<Answered> {
        let mut state = self.state();
        state.flight = None;
        state.draft = Draft::new(end, state.recorded_at);
        state.stopped = !error.nothing_written();
        std::mem::take(&mut state.answers)
    }

    /// Accepts nothing any more. Returns who waits for what was not taken.
    pub(crate) fn stop(&self) -> Vec<Answered> {
        let mut state = self.state();
        state.stopped = true;
        std::mem::take(&mut state.answers)
    }

    /// Whether nothing more comes in.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue().closed
    }

    /// Whether nothing is accepted any more, because a write failed.
    pub(crate) fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Lets nothing more in. What was submitted is still written.
    pub(crate) fn close(&self) {
        self.queue().closed = true;
        self.arrived.notify_all();
        self.room.notify_all();
    }

    /// Forgets what was submitted and not looked at: nobody will.
    pub(crate) fn abandon(&self) {
        let abandoned = std::mem::take(&mut self.queue().offers);
        drop(abandoned);
    }
}
