//! A source that remembers what was read of it, and does not read it again: whoever asks why folds the same
//! events over and over.

use crate::source::{Change, Input, Source, Unread};
use ledger::event::Event;
use ledger::id::{EventId, Position};
use ledger::subject::{Subject, SubjectKind};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is known of an event that was read.
#[derive(Clone)]
pub(super) struct Read {
    /// When it happened.
    pub(super) order: crate::source::Order,
    /// The event, where it was read whole and not as a change of a counter.
    pub(super) event: Option<Arc<Event>>,
}

/// A source that remembers the events that were read of it, by whichever subject.
pub(super) struct Watched<'s> {
    source: &'s dyn Source,
    read: Mutex<BTreeMap<EventId, Read>>,
    inputs: Mutex<HashMap<Subject, Vec<Input>>>,
    changes: Mutex<HashMap<Subject, Arc<Vec<Change>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'s> Watched<'s> {
    pub(super) fn new(source: &'s dyn Source) -> Self {
        Self {
            source,
            read: Mutex::default(),
            inputs: Mutex::default(),
            changes: Mutex::default(),
        }
    }

    /// The events that were read so far.
    pub(super) fn read(&self) -> BTreeMap<EventId, Read> {
        lock(&self.read).clone()
    }
}

impl Source for Watched<'_> {
    fn inputs(&self, subject: &Subject) -> Result<Vec<Input>, Unread> {
        if let Some(inputs) = lock(&self.inputs).get(subject) {
            return Ok(inputs.clone());
        }
        let inputs = self.source.inputs(subject)?;
        let mut read = lock(&self.read);
        for input in &inputs {
            read.entry(input.event.id).or_insert_with(|| Read {
                order: input.event.order(),
                event: Some(Arc::clone(&input.event)),
            });
        }
        lock(&self.inputs).insert(subject.clone(), inputs.clone());
        Ok(inputs)
    }

    fn changes(&self, subject: &Subject, visit: &mut dyn FnMut(&Change)) -> Result<(), Unread> {
        let known = lock(&self.changes).get(subject).map(Arc::clone);
        let changes = match known {
            Some(changes) => changes,
            None => {
                let mut changes = Vec::new();
                let mut keep = |change: &Change| changes.push(change.clone());
                self.source.changes(subject, &mut keep)?;
                let mut read = lock(&self.read);
                for order in changes.iter().map(|change| change.order) {
                    let (_, _, id) = order;
                    read.entry(id).or_insert(Read { order, event: None });
                }
                let changes = Arc::new(changes);
                lock(&self.changes).insert(subject.clone(), Arc::clone(&changes));
                changes
            }
        };
        changes.iter().for_each(visit);
        Ok(())
    }

    fn subjects(
        &self,
        kind: SubjectKind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Unread> {
        self.source.subjects(kind, after, limit)
    }

    fn end(&self) -> Position {
        self.source.end()
    }
}
