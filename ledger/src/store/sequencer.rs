//! The sequencer: the one thread that owns the end of the log.
//!
//! It takes all requests that wait, admits them one after the other against the index and what was
//! admitted before them, writes them as one frame, makes it durable once, and only then shows it to
//! readers and answers everybody. What a frame holds is in no index before it is durable, so a frame
//! that failed leaves nothing behind.

use super::append::{Answer, Condition, Known, Receipt, Request};
use super::directory::Directory;
use super::draft::{Draft, Place};
use super::error::{AppendError, StoreError};
use super::read::Shared;
use crate::event::Fact;
use crate::id::{EventId, Position, Revision};
use crate::index::Listing;
use crate::limits::{APPEND_CONDITIONS_MAX, APPEND_EVENTS_MAX};
use crate::log::{Epoch, Frame, LogError};
use crate::time::{Clock, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};

/// The state of the sequencer thread.
pub(crate) struct Sequencer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) durable: watch::Sender<Position>,
    pub(crate) clock: Box<dyn Clock>,
    /// When the last event was recorded: recorded time never goes back.
    pub(crate) recorded_at: Timestamp,
    /// The directory whose manifest says that the store is being written; `None` in memory.
    pub(crate) directory: Option<Directory>,
    /// The epoch that this opening writes under, once it does.
    pub(crate) epoch: Option<Epoch>,
    /// A write failed: nothing is accepted any more.
    pub(crate) stopped: bool,
}

type Answered = (oneshot::Sender<Answer>, Answer);

impl Sequencer {
    /// Works until the queue is closed and empty, then closes the log cleanly.
    pub(crate) fn run(mut self) -> Result<(), StoreError> {
        // Whatever ends this thread, nobody may wait for it.
        let shared = Arc::clone(&self.shared);
        let _guard = CloseOnDrop(&shared);
        while let Some(requests) = shared.queue.take() {
            let mut requests = requests.into_iter();
            while requests.len() > 0 {
                self.frame(&mut requests);
            }
        }
        self.close()
    }

    fn close(self) -> Result<(), StoreError> {
        if self.stopped {
            return Ok(());
        }
        self.shared.index.close()?;
        match (self.directory, self.epoch) {
            (Some(mut directory), Some(_)) => {
                self.shared.log.close()?;
                directory.close(self.shared.end())
            }
            _ => Ok(()),
        }
    }

    /// Makes and writes one frame of the next requests, and answers them.
    fn frame(&mut self, requests: &mut impl Iterator<Item = Request>) {
        let mut draft = Draft::new(self.shared.end(), self.now());
        let mut answers: Vec<Answered> = Vec::new();
        while !draft.is_full() {
            let Some(request) = requests.next() else {
                break;
            };
            let answer = match self.stopped {
                true => Err(AppendError::Stopped),
                false => self.admit(
                    request.facts,
                    &request.conditions,
                    request.known,
                    &mut draft,
                ),
            };
            answers.push((request.answer, answer));
        }
        if draft.is_empty() {
            return send(answers);
        }
        let end = self.shared.end();
        match self.write(&draft) {
            Ok(()) => {
                self.recorded_at = draft.recorded_at();
                self.shared.index.add(draft.events());
                self.durable.send_replace(draft.last());
                send(answers);
                self.write_run();
            }
            Err(error) => {
                self.stopped = !error.nothing_written();
                tracing::error!(%error, stopped = self.stopped, "a frame could not be written");
                send(
                    answers
                        .into_iter()
                        .map(|(to, answer)| (to, failed(answer, end, &error))),
                );
            }
        }
    }

    fn now(&mut self) -> Timestamp {
        self.clock.now().max(self.recorded_at)
    }

    fn write(&mut self, draft: &Draft) -> Result<(), LogError> {
        let epoch = self.claim()?;
        let frame = Frame::new(epoch, draft.first(), draft.stored());
        let frame = frame.map_err(|error| LogError::NotWritten {
            reason: error.to_string(),
        })?;
        self.shared.log.append(&frame)?;
        self.shared.log.sync()
    }

    /// The epoch to write under. The first time, the manifest is made to say that the store is
    /// being written, so that readers leave no trace and a kill is noticed.
    fn claim(&mut self) -> Result<Epoch, LogError> {
        if let Some(epoch) = self.epoch {
            return Ok(epoch);
        }
        let epoch = match &mut self.directory {
            None => Epoch(self.shared.description.epoch.0 + 1),
            Some(directory) => directory.claim().map_err(|error| LogError::NotWritten {
                reason: error.to_string(),
            })?,
        };
        self.epoch = Some(epoch);
        Ok(epoch)
    }

    fn write_run(&mut self) {
        if let Err(error) = self.shared.index.write_run_if_full() {
            // What was acknowledged is in the log. Going on would fill the memory.
            tracing::error!(%error, "the index could not be written; nothing more is accepted");
            self.shared.index.distrust();
            self.stopped = true;
        }
    }

    /// Adds a request to the draft or says why not. The draft is as it was before if not.
    fn admit(
        &self,
        facts: Vec<Fact>,
        conditions: &[Condition],
        known: Known,
        draft: &mut Draft,
    ) -> Answer {
        at_most("events", facts.len(), APPEND_EVENTS_MAX)?;
        at_most("conditions", conditions.len(), APPEND_CONDITIONS_MAX)?;
        let offered = facts.len();
        let mut places: Vec<Place> = Vec::new();
        let mut fresh: Vec<Fact> = Vec::with_capacity(offered);
        let mut ids: HashSet<EventId> = HashSet::with_capacity(offered);
        for fact in facts {
            let is_first = ids.insert(fact.id);
            if !is_first && known == Known::Refuse {
                return Err(AppendError::Repeated { id: fact.id });
            }
            if let Some(place) = self.known(&fact, draft)? {
                places.push(place);
            } else if is_first {
                fresh.push(fact);
            } else {
                check_same(&fact, &fresh)?;
            }
        }
        if let (Known::Refuse, Some(first), false) = (known, places.first(), fresh.is_empty()) {
            return Err(AppendError::PartlyKnown {
                known: places.len(),
                offered,
                position: first.position,
            });
        }
        if fresh.is_empty() && !places.is_empty() {
            return Ok(first_receipt(&places));
        }
        for condition in conditions {
            self.check(condition, draft)?;
        }
        let appended = fresh.len();
        let (first, last) = draft.add(fresh)?;
        Ok(Receipt {
            first,
            last,
            appended,
            known: offered - appended,
            recorded_at: first.map(|_| draft.recorded_at()),
        })
    }

    /// Where an event with the id of a fact is, after checking that it has the same content.
    fn known(&self, fact: &Fact, draft: &Draft) -> Result<Option<Place>, AppendError> {
        let stored;
        let event = match draft.find(fact.id) {
            Some(event) => event,
            None => match self
                .shared
                .find(fact.id)
                .map_err(AppendError::NotAppended)?
            {
                None => return Ok(None),
                Some(event) => {
                    stored = event;
                    &stored
                }
            },
        };
        let position = event.position;
        if event.fact != *fact && event.content() != fact.content() {
            let id = fact.id;
            return Err(AppendError::OtherContent { id, position });
        }
        Ok(Some(Place {
            position,
            recorded_at: event.recorded_at,
        }))
    }

    fn check(&self, condition: &Condition, draft: &Draft) -> Result<(), AppendError> {
        let at = |subject, expected: Revision| {
            let listing = Listing::subject(subject);
            let stored = self.shared.index.count(&listing).map_err(not_appended)?;
            let found = Revision(stored.0 + draft.positions(&listing).len() as u64);
            match found == expected {
                true => Ok(()),
                false => Err(AppendError::WrongRevision {
                    subject: subject.clone(),
                    expected,
                    found,
                }),
            }
        };
        match condition {
            Condition::SubjectAt { subject, revision } => at(subject, *revision),
            Condition::SubjectAbsent { subject } => at(subject, Revision(0)),
            Condition::SubjectUnchangedSince { subject, position } => {
                let listing = Listing::subject(subject);
                let index = &self.shared.index;
                let stored = index
                    .positions(&listing, *position, 1)
                    .map_err(not_appended)?;
                let later = draft.positions(&listing).iter().find(|p| *p > position);
                match stored.first().or(later) {
                    None => Ok(()),
                    Some(changed) => Err(AppendError::Changed {
                        subject: subject.clone(),
                        since: *position,
                        changed: *changed,
                    }),
                }
            }
        }
    }
}

/// Lets nobody wait for a sequencer that is gone.
struct CloseOnDrop<'a>(&'a Shared);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.queue.close();
        // Dropping what is left answers it.
        while self.0.queue.take().is_some() {}
    }
}

fn not_appended(error: crate::index::IndexError) -> AppendError {
    AppendError::NotAppended(StoreError::Index(error))
}

fn at_most(what: &'static str, found: usize, most: usize) -> Result<(), AppendError> {
    if found > most {
        return Err(AppendError::TooLarge { what, found, most });
    }
    Ok(())
}

/// An id that stands twice in one append has to be the same event both times.
fn check_same(fact: &Fact, fresh: &[Fact]) -> Result<(), AppendError> {
    let first = fresh.iter().find(|other| other.id == fact.id);
    match first.is_some_and(|first| first.content() == fact.content()) {
        true => Ok(()),
        false => Err(AppendError::Repeated { id: fact.id }),
    }
}

/// What a wholly known append was answered the first time, except that nothing was appended now.
fn first_receipt(places: &[Place]) -> Receipt {
    let last = places.iter().max_by_key(|place| place.position);
    Receipt {
        first: places.iter().map(|place| place.position).min(),
        last: last.map_or(Position(0), |place| place.position),
        appended: 0,
        known: places.len(),
        recorded_at: last.map(|place| place.recorded_at),
    }
}

fn send(answers: impl IntoIterator<Item = Answered>) {
    for (to, answer) in answers {
        // Whoever asked may be gone; the append stands.
        drop(to.send(answer));
    }
}

/// The answer to a request of a frame that failed. Only what was durable before stands; a refusal
/// may have been because of an event of this frame.
fn failed(answer: Answer, end: Position, error: &LogError) -> Answer {
    match answer {
        Ok(receipt) if receipt.last <= end => Ok(receipt),
        _ if error.nothing_written() => {
            let reason = error.to_string();
            let error = LogError::NotWritten { reason };
            Err(AppendError::NotAppended(StoreError::Log(error)))
        }
        Ok(_) => Err(AppendError::Ambiguous {
            reason: error.to_string(),
        }),
        Err(_) => Err(AppendError::Stopped),
    }
}
