//! A source that remembers what was read of it.

use crate::source::{Change, Input, Source, Unread};
use ledger::event::Event;
use ledger::id::{EventId, Position};
use ledger::subject::{Subject, SubjectKind};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

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
}

impl<'s> Watched<'s> {
    pub(super) fn new(source: &'s dyn Source) -> Self {
        Self {
            source,
            read: Mutex::default(),
        }
    }

    /// The events that were read so far.
    pub(super) fn read(&self) -> BTreeMap<EventId, Read> {
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Source for Watched<'_> {
    fn inputs(&self, subject: &Subject) -> Result<Vec<Input>, Unread> {
        let inputs = self.source.inputs(subject)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        for input in &inputs {
            read.entry(input.event.id).or_insert_with(|| Read {
                order: input.event.order(),
                event: Some(Arc::clone(&input.event)),
            });
        }
        Ok(inputs)
    }

    fn changes(&self, subject: &Subject, visit: &mut dyn FnMut(&Change)) -> Result<(), Unread> {
        let mut orders = Vec::new();
        self.source.changes(subject, &mut |change| {
            orders.push(change.order);
            visit(change);
        })?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        for order in orders {
            let (_, _, id) = order;
            read.entry(id).or_insert(Read { order, event: None });
        }
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
