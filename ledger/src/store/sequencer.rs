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
use super::prepare::{Guard, Offer, Prepared};
use super::read::Shared;
use crate::event::Event;
use crate::id::{EventId, Position, Revision};
use crate::log::{Epoch, Frame, LogError};
use crate::subject::Subject;
use crate::time::{Clock, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// How long at most the manifest does not say that an acknowledged event is durable.
const MARK_AFTER: Duration = Duration::from_secs(1);

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
        let mut marked = Instant::now();
        // Only what was written since the last mark needs another one.
        while let Some(requests) = shared.queue.take(self.is_unmarked().then_some(MARK_AFTER)) {
            let mut requests = requests.into_iter();
            while requests.len() > 0 {
                self.frame(&mut requests);
            }
            if marked.elapsed() >= MARK_AFTER {
                self.mark();
                marked = Instant::now();
            }
        }
        self.close()
    }

    /// Whether events were appended of which the manifest does not say that they are durable.
    fn is_unmarked(&self) -> bool {
        let reached = self
            .directory
            .as_ref()
            .map(|directory| directory.manifest.reached);
        self.epoch.is_some() && reached.is_some_and(|reached| reached < self.shared.end())
    }

    /// Says in the manifest how far the log is durable. Without it the log is as durable as with it,
    /// but what rots after a kill is not told apart from what was never there.
    fn mark(&mut self) {
        if !self.is_unmarked() || self.stopped {
            return;
        }
        let end = self.shared.end();
        if let Some(Err(error)) = self.directory.as_mut().map(|directory| directory.mark(end)) {
            tracing::warn!(%error, "the manifest could not be written");
        }
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
                false => self.admit(request.offer, &mut draft),
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
                self.shared.index.add(draft.first(), draft.entries());
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

    /// Adds an append to the draft or says why not. The draft is as it was before if not.
    fn admit(&self, offer: Offer, draft: &mut Draft) -> Answer {
        let known = offer.known;
        let offered = offer.events.len();
        let mut places: Vec<Place> = Vec::new();
        let mut fresh: Vec<Prepared> = Vec::with_capacity(offered);
        let mut ids: HashSet<EventId> = HashSet::with_capacity(offered);
        for event in offer.events {
            let id = event.id();
            let is_first = ids.insert(id);
            if !is_first && known == Known::Refuse {
                return Err(AppendError::Repeated { id });
            }
            if let Some(place) = self.known(&event, draft)? {
                places.push(place);
            } else if is_first {
                fresh.push(event);
            } else {
                check_same(&event, &fresh)?;
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
        for guard in &offer.guards {
            self.check(guard, draft)?;
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

    /// Where an event with the id of another one is, after checking that it has the same content.
    fn known(&self, offered: &Prepared, draft: &Draft) -> Result<Option<Place>, AppendError> {
        let id = offered.id();
        let event = match draft.find(id)? {
            Some(event) => Some(event),
            None => self.shared.find(id).map_err(AppendError::NotAppended)?,
        };
        let Some(event) = event else {
            return Ok(None);
        };
        let position = event.position;
        if !same_content(&event, &offered.event()?) {
            return Err(AppendError::OtherContent { id, position });
        }
        Ok(Some(Place {
            position,
            recorded_at: event.recorded_at,
        }))
    }

    fn check(&self, guard: &Guard, draft: &Draft) -> Result<(), AppendError> {
        let Guard { condition, listing } = guard;
        let index = &self.shared.index;
        let at = |subject: &Subject, expected: Revision| {
            let stored = index.count(listing).map_err(not_appended)?;
            let found = Revision(stored.0 + draft.count(listing));
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
                let stored = index
                    .positions(listing, *position, 1)
                    .map_err(not_appended)?;
                let changed = match stored.first() {
                    Some(changed) => Some(*changed),
                    None => draft.first_after(listing, *position),
                };
                match changed {
                    None => Ok(()),
                    Some(changed) => Err(AppendError::Changed {
                        subject: subject.clone(),
                        since: *position,
                        changed,
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
        while self.0.queue.take(None).is_some() {}
    }
}

fn not_appended(error: crate::index::IndexError) -> AppendError {
    AppendError::NotAppended(StoreError::Index(error))
}

/// An id that stands twice in one append has to be the same event both times.
fn check_same(event: &Prepared, fresh: &[Prepared]) -> Result<(), AppendError> {
    let id = event.id();
    let first = fresh.iter().find(|other| other.id() == id);
    let first = first.ok_or(AppendError::Repeated { id })?;
    match same_content(&first.event()?, &event.event()?) {
        true => Ok(()),
        false => Err(AppendError::Repeated { id }),
    }
}

fn same_content(one: &Event, other: &Event) -> bool {
    one.fact == other.fact || one.content() == other.content()
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
