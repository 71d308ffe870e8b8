//! As much of a log as an answer looks at: loaded by what was asked for and is not there, until nothing is
//! missing.
//!
//! Whoever folds or compares histories asks for them by subject. Over a [`Part`] it is asked again and again,
//! each time over the whole histories of everything that was asked for before, until it asks for nothing
//! else. That last answer is the one that all events would have given, and costs by the histories that it
//! looks at, however long the log is. What nobody asked for may be here in part, and nobody looks at it.

use crate::history::Histories;
use crate::source::{Input, Source as _, Watch};
use crate::stored::{Stored, ViewsError, keeps};
use ledger::event::Event;
use ledger::id::{EventId, Position};
use ledger::store::Store;
use ledger::subject::Subject;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was looked up in histories.
#[derive(Debug, Default)]
struct Asked {
    subjects: BTreeSet<Subject>,
    events: BTreeSet<EventId>,
}

/// Notes what is looked up.
#[derive(Debug, Default)]
struct Notes(Mutex<Asked>);

impl Notes {
    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Notes {
    fn asked(&self, subject: &Subject) {
        let mut asked = self.asked();
        if !asked.subjects.contains(subject) {
            asked.subjects.insert(subject.clone());
        }
    }

    fn missed(&self, event: EventId) {
        self.asked().events.insert(event);
    }
}

/// The histories of some subjects of a store: those that were asked for.
pub struct Part<'p> {
    store: &'p Store,
    source: Stored,
    inputs: HashMap<Position, Input>,
    subjects: HashMap<Subject, Vec<Position>>,
    /// Events that were looked for by their ids.
    sought: HashSet<EventId>,
}

impl<'p> Part<'p> {
    /// Nothing yet of what a store has, as far as its stored inputs have taken it in.
    pub fn new(store: &'p Store, source: &Stored) -> Self {
        Self {
            store,
            source: source.clone(),
            inputs: HashMap::new(),
            subjects: HashMap::new(),
            sought: HashSet::new(),
        }
    }

    /// What `ask` gives over all histories. It is called until everything that it looks up by subject or id is here, and may look at nothing else: not
    /// at all events, nor at which subjects there are. Costs by the histories that it looks up, and by how
    /// long the longest chain of look-ups is of which each follows from the one before.
    pub fn answer<T>(&mut self, ask: impl Fn(&Histories) -> T) -> Result<T, ViewsError> {
        loop {
            let notes = Arc::new(Notes::default());
            let subjects = self.subjects.iter();
            let histories = Histories::of_some(
                self.inputs.values().cloned(),
                subjects.map(|(subject, events)| (subject.clone(), events.clone())),
                Some(Arc::clone(&notes) as _),
            );
            let answer = ask(&histories);
            let asked = std::mem::take(&mut *notes.asked());
            let mut is_whole = true;
            for subject in asked.subjects {
                is_whole &= !self.load(&subject)?;
            }
            for event in asked.events {
                is_whole &= !self.seek(event)?;
            }
            if is_whole {
                return Ok(answer);
            }
        }
    }

    /// Loads all events that name a subject. Whether they were not there.
    fn load(&mut self, subject: &Subject) -> Result<bool, ViewsError> {
        if self.subjects.contains_key(subject) {
            return Ok(false);
        }
        let events = self.source.history(subject)?;
        let positions: Vec<Position> = events.iter().map(|one| one.event.position).collect();
        for input in events {
            // Every list that has an event knows all that stands instead of it.
            self.inputs.insert(input.event.position, input);
        }
        // Events about machines are kept with the machines alone; the index knows of all.
        let known = u64::try_from(positions.len()).unwrap_or(u64::MAX);
        self.subjects.insert(subject.clone(), positions);
        if self.store.revision(subject)?.0 > known {
            let mut more = Vec::new();
            for event in self.store.history(subject, Position(0)) {
                let event = event?;
                if event.position > self.source.end() {
                    break;
                }
                if !keeps(subject.kind, event.kind().id) {
                    more.push(event.position);
                    self.add(event)?;
                }
            }
            self.subjects
                .entry(subject.clone())
                .or_default()
                .extend(more);
        }
        Ok(true)
    }

    /// Loads an event by its id, if there is one. Whether it was not looked for before.
    fn seek(&mut self, id: EventId) -> Result<bool, ViewsError> {
        if !self.sought.insert(id) {
            return Ok(false);
        }
        let event = self.store.find(id)?;
        if let Some(event) = event.filter(|event| event.position <= self.source.end()) {
            self.add(event)?;
        }
        Ok(true)
    }

    /// Adds an event of the log, with all that stands instead of it: as it is kept with one of its subjects.
    fn add(&mut self, event: Event) -> Result<(), ViewsError> {
        let kind = event.kind().id;
        let keeper = event.subjects().into_iter();
        let mut keeper = keeper.filter(|subject| keeps(subject.kind, kind));
        if let Some(keeper) = keeper.next() {
            self.load(&keeper)?;
        }
        // One that names nothing is kept with nobody, and nobody corrects it.
        let position = event.position;
        self.inputs.entry(position).or_insert_with(|| Input {
            event: Arc::new(event),
            replaced_by: Vec::new(),
        });
        Ok(())
    }
}
