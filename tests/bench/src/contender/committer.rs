//! The common group commit: a queue, one thread that makes batches of what waits, and oneshots that
//! answers come back on. Built like the store's own, and with its limits.

use super::{Append, Contender, Guard, Verdict};
use crate::fault::Outcome;
use ledger::limits::{FRAME_EVENTS_TARGET, FRAME_LENGTH_TARGET_BYTES};
use ledger::subject::Subject;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// One event as an engine keeps it.
pub struct Record {
    /// Its id.
    pub id: [u8; 16],
    /// Its stored form.
    pub stored: Vec<u8>,
    /// The names of its subjects; empty for an engine that keeps no index.
    pub subjects: Vec<Vec<u8>>,
}

/// One append on its way to an engine.
pub struct Request {
    /// The events.
    pub records: Vec<Record>,
    /// Name of the subject that must not have changed.
    pub unchanged: Vec<u8>,
    /// Since when.
    pub since: u64,
    /// Name of the subject that must not exist.
    pub absent: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

/// What an engine says to a request; a text, because one failure answers a whole batch.
type Answer = Result<Verdict, String>;

/// What keeps events, conditions and all, behind one thread.
pub trait Engine: Send {
    /// Whether it keeps ids and subjects and checks conditions.
    const INDEXED: bool;

    /// The position of the last durable event.
    fn end(&mut self) -> Outcome<u64>;

    /// Appends what may be appended of a batch, durably, after the end. One verdict a request.
    fn commit(&mut self, end: u64, batch: &[Request]) -> Outcome<Vec<Verdict>>;
}

/// The key of a subject: its kind, its id and a zero, so that no name is the beginning of another.
pub fn name_of(subject: &Subject) -> Vec<u8> {
    let mut name = vec![subject.kind as u8];
    name.extend_from_slice(subject.id.as_bytes());
    name.push(0);
    name
}

/// An engine behind its queue.
pub struct Committer {
    queue: Arc<Queue>,
    end: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
    indexed: bool,
}

impl Committer {
    /// Starts the thread.
    pub fn start<E: Engine + 'static>(mut engine: E) -> Outcome<Box<dyn Contender>> {
        let queue = Arc::new(Queue::default());
        let end = Arc::new(AtomicU64::new(engine.end()?));
        let thread = std::thread::Builder::new().name("committer".to_owned());
        let thread = thread.spawn({
            let (queue, end) = (Arc::clone(&queue), Arc::clone(&end));
            move || run(&mut engine, &queue, &end)
        })?;
        Ok(Box::new(Self {
            queue,
            end,
            thread: Some(thread),
            indexed: E::INDEXED,
        }))
    }

    fn request(&self, append: Append<'_>, answer: oneshot::Sender<Answer>) -> Request {
        let Guard {
            unchanged,
            since,
            absent,
        } = append.guard;
        let subjects = |fact: &ledger::event::Fact| match self.indexed {
            true => fact.subjects().iter().map(name_of).collect(),
            false => Vec::new(),
        };
        let records = append.facts.iter().zip(append.stored);
        Request {
            records: records
                .map(|(fact, stored)| Record {
                    id: fact.id.0,
                    stored: stored.to_vec(),
                    subjects: subjects(fact),
                })
                .collect(),
            unchanged: name_of(&unchanged),
            since,
            absent: name_of(&absent),
            answer,
        }
    }
}

impl Contender for Committer {
    fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    fn append(&self, append: Append<'_>) -> Outcome<Verdict> {
        let (answer, pending) = oneshot::channel();
        self.queue.push(self.request(append, answer));
        Ok(pending.blocking_recv()??)
    }

    fn close(mut self: Box<Self>) -> Outcome<()> {
        self.queue.close();
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(_)) => Err("the committer panicked".into()),
            _ => Ok(()),
        }
    }
}

/// Commits batches until the queue is closed and empty, then drops the engine.
fn run<E: Engine>(engine: &mut E, queue: &Queue, end: &AtomicU64) {
    while let Some(mut waiting) = queue.take() {
        while !waiting.is_empty() {
            let batch = next_batch(&mut waiting);
            let before = end.load(Ordering::Acquire);
            let committed = engine.commit(before, &batch);
            match committed {
                Ok(verdicts) => {
                    let appended = batch.iter().zip(&verdicts);
                    let appended = appended.filter(|(_, verdict)| **verdict == Verdict::Appended);
                    let count: usize = appended.map(|(request, _)| request.records.len()).sum();
                    end.store(before + count as u64, Ordering::Release);
                    for (request, verdict) in batch.into_iter().zip(verdicts) {
                        drop(request.answer.send(Ok(verdict)));
                    }
                }
                Err(error) => {
                    for request in batch {
                        drop(request.answer.send(Err(error.to_string())));
                    }
                }
            }
        }
    }
}

/// As many requests as the store would take into one frame.
fn next_batch(waiting: &mut VecDeque<Request>) -> Vec<Request> {
    let mut batch = Vec::new();
    let (mut events, mut bytes) = (0, 0);
    while events < FRAME_EVENTS_TARGET && bytes < FRAME_LENGTH_TARGET_BYTES {
        let Some(request) = waiting.pop_front() else {
            break;
        };
        events += request.records.len();
        bytes += request
            .records
            .iter()
            .map(|r| r.stored.len())
            .sum::<usize>();
        batch.push(request);
    }
    batch
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    closed: bool,
}

/// Requests in order. Clients wait for their answers, so it is bounded by their number.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, request: Request) {
        self.lock().requests.push_back(request);
        self.arrived.notify_one();
    }

    fn take(&self) -> Option<VecDeque<Request>> {
        let mut waiting = self.lock();
        while waiting.requests.is_empty() {
            if waiting.closed {
                return None;
            }
            let woken = self.arrived.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
        Some(std::mem::take(&mut waiting.requests))
    }

    fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }
}
