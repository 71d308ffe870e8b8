//! Answers on their way back to those who appended.
//!
//! Everybody in a frame is answered at the same moment. Those who block share a place to wait with all
//! who submitted for the same frame, so that the thread that writes wakes them with one call to the
//! system and not with one each; those who await are woken by their own waker.

use super::append::Answer;
use super::error::AppendError;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Where those wait who submitted between two frames.
#[derive(Debug, Default)]
pub(crate) struct WaitingRoom {
    lock: Mutex<()>,
    answered: Condvar,
}

impl WaitingRoom {
    fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes everybody here, after some were answered. Who was not waits on.
    fn wake(&self) {
        // Whoever has looked for an answer and is not yet asleep holds the lock.
        drop(self.lock());
        self.answered.notify_all();
    }
}

/// What one append waits for.
#[derive(Debug)]
struct Slot {
    state: Mutex<State>,
    room: Arc<WaitingRoom>,
}

#[derive(Debug, Default)]
struct State {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, answer: Answer) {
        let mut state = self.state();
        state.answer = Some(answer);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The end that answers. If it is dropped instead, the other end is told that nobody will.
#[derive(Debug)]
pub(crate) struct Reply(Option<Arc<Slot>>);

/// The end that waits.
#[derive(Debug)]
pub(crate) struct Waiter(Arc<Slot>);

/// Both ends, for somebody who waits in a room.
pub(crate) fn reply_in(room: Arc<WaitingRoom>) -> (Reply, Waiter) {
    let state = Mutex::default();
    let slot = Arc::new(Slot { state, room });
    (Reply(Some(Arc::clone(&slot))), Waiter(slot))
}

/// An answer that nobody has to wait for.
pub(crate) fn answered(answer: Answer) -> Waiter {
    let waker = None;
    let answer = Some(answer);
    let state = Mutex::new(State { answer, waker });
    let room = Arc::default();
    Waiter(Arc::new(Slot { state, room }))
}

/// Answers, and then wakes all those who wait for it.
pub(crate) fn send(answers: impl IntoIterator<Item = (Reply, Answer)>) {
    let mut rooms: Vec<Arc<WaitingRoom>> = Vec::new();
    for (mut to, answer) in answers {
        let Some(slot) = to.0.take() else { continue };
        slot.put(answer);
        if rooms
            .last()
            .is_none_or(|room| !Arc::ptr_eq(room, &slot.room))
        {
            rooms.push(Arc::clone(&slot.room));
        }
    }
    rooms.iter().for_each(|room| room.wake());
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            // The sequencer answers everything; if it could not, nobody knows how far it came.
            let reason = "the sequencer ended before it answered".to_owned();
            slot.put(Err(AppendError::Ambiguous { reason }));
            slot.room.wake();
        }
    }
}

impl Waiter {
    /// Blocks until there is an answer.
    pub(crate) fn wait(self) -> Answer {
        let Self(slot) = self;
        let mut held = slot.room.lock();
        loop {
            if let Some(answer) = slot.state().answer.take() {
                return answer;
            }
            let woken = slot.room.answered.wait(held);
            held = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The answer, or a promise to wake whoever asks.
    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Answer> {
        let mut state = self.0.state();
        match state.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Position;
    use crate::store::Receipt;

    fn receipt(number: u64) -> Answer {
        Ok(Receipt {
            first: None,
            last: Position(number),
            appended: 0,
            known: 0,
            recorded_at: None,
        })
    }

    #[test]
    fn everybody_gets_the_own_answer_whichever_frame_it_came_with() {
        for _ in 0..200 {
            let rooms = [Arc::<WaitingRoom>::default(), Arc::default()];
            let mut replies = Vec::new();
            let mut waiters = Vec::new();
            for number in 0..16 {
                let room = Arc::clone(&rooms[usize::from(number > 9)]);
                let (reply, waiter) = reply_in(room);
                replies.push((reply, receipt(number)));
                waiters.push(std::thread::spawn(move || {
                    assert_eq!(waiter.wait().unwrap(), receipt(number).unwrap());
                }));
            }
            let later = replies.split_off(5);
            send(replies);
            send(later);
            waiters
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
        }
    }

    #[test]
    fn who_is_never_answered_is_told_so() {
        let (reply, waiter) = reply_in(Arc::default());
        let thread = std::thread::spawn(|| waiter.wait());
        drop(reply);
        let answer = thread.join().unwrap();
        assert!(matches!(answer, Err(AppendError::Ambiguous { .. })));
    }
}
