//! The queue in front of the sequencer: bounded, so that those who submit wait for the disk.

use super::append::Request;
use crate::limits::{QUEUE_EVENTS_MAX, QUEUE_REQUESTS_MAX};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    events: usize,
    closed: bool,
}

impl Waiting {
    fn is_full(&self) -> bool {
        self.events > QUEUE_EVENTS_MAX || self.requests.len() > QUEUE_REQUESTS_MAX
    }
}

/// Requests in the order in which they were submitted.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    taken: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request, blocking while the queue is full. Gives it back if the queue is closed.
    pub(crate) fn push(&self, request: Request) -> Result<(), Request> {
        let mut waiting = self.lock();
        while waiting.is_full() && !waiting.closed {
            let woken = self.taken.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.closed {
            return Err(request);
        }
        waiting.events += request.offer.events.len();
        waiting.requests.push_back(request);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits until there are requests and takes all of them, or none after `patience`; `None` once
    /// the queue is closed and empty.
    pub(crate) fn take(&self, patience: Option<Duration>) -> Option<VecDeque<Request>> {
        let mut waiting = self.lock();
        while waiting.requests.is_empty() {
            if waiting.closed {
                return None;
            }
            waiting = match patience {
                None => {
                    let woken = self.arrived.wait(waiting);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
                Some(patience) => {
                    let woken = self.arrived.wait_timeout(waiting, patience);
                    let (waiting, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() && waiting.requests.is_empty() && !waiting.closed {
                        return Some(VecDeque::new());
                    }
                    waiting
                }
            };
        }
        waiting.events = 0;
        self.taken.notify_all();
        Some(std::mem::take(&mut waiting.requests))
    }

    /// Lets nothing more in. What is in it is still taken.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
        self.taken.notify_all();
    }
}
