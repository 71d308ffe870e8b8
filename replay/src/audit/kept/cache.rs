//! Histories that were looked at before: the same machines, users and tenants are named again and again, and
//! reading a history of disk costs more than judging it.

use ledger::event::Event;
use ledger::id::Position;
use ledger::secret::Sealed;
use ledger::subject::Subject;
use projections::source::{Input, Replacer};
use projections::stored::keeps;
use std::collections::HashMap;
use std::sync::Arc;

/// So many events are in the histories that are held, at most; one that is in several counts for each. Some
/// hundred bytes each.
const HELD_MAX: usize = 1 << 19;

/// The histories of subjects, as of the last event that was taken in. What was not looked at for long goes.
#[derive(Default)]
pub(super) struct Cache {
    recent: HashMap<Subject, Vec<Input>>,
    before: HashMap<Subject, Vec<Input>>,
    events: usize,
}

impl Cache {
    /// The events that name a subject, if they are held.
    pub fn get(&mut self, subject: &Subject) -> Option<Vec<Input>> {
        if let Some(events) = self.recent.get(subject) {
            return Some(events.clone());
        }
        let events = self.before.remove(subject)?;
        self.put(subject, events.clone());
        Some(events)
    }

    /// Holds the events that name a subject.
    pub fn put(&mut self, subject: &Subject, events: Vec<Input>) {
        if self.events.saturating_add(events.len()) > HELD_MAX / 2 {
            self.before = std::mem::take(&mut self.recent);
            self.events = 0;
        }
        self.events += events.len();
        self.recent.insert(subject.clone(), events);
    }

    /// Adds an event that was recorded to the histories that are held; others have it already.
    pub fn add(&mut self, event: &Event, is_hidden: bool) {
        let kind = event.kind().id;
        let mut input: Option<Input> = None;
        for subject in event.subjects() {
            if !keeps(subject.kind, kind) {
                continue;
            }
            let held = match self.recent.get_mut(&subject) {
                Some(held) => held,
                None => match self.before.get_mut(&subject) {
                    Some(held) => held,
                    None => continue,
                },
            };
            if held
                .iter()
                .rev()
                .any(|input| input.event.position == event.position)
            {
                continue;
            }
            let input = input.get_or_insert_with(|| input_of(event, is_hidden));
            let order = event.order();
            let place = held.partition_point(|input| input.event.order() <= order);
            held.insert(place, input.clone());
            self.events += 1;
        }
    }

    /// Lets go of the histories of what an event names: something else is known of it now.
    pub fn forget(&mut self, event: &Event) {
        for subject in event.subjects() {
            self.recent.remove(&subject);
            self.before.remove(&subject);
        }
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// An event as histories have it: without ciphertext.
fn input_of(event: &Event, is_hidden: bool) -> Input {
    let mut event = event.clone();
    event
        .fact
        .visit_sealed(&mut |_, sealed| *sealed = Sealed::empty([0; 16]));
    // That anything stands instead of it is all that matters here.
    let hidden = Replacer {
        position: Position(0),
        id: event.id,
    };
    Input {
        event: Arc::new(event),
        replaced_by: if is_hidden { vec![hidden] } else { Vec::new() },
    }
}
