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
use std::collections::{BTreeSet, HashMap};
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
    /// All events that name each, in fold order.
    subjects: HashMap<Subject, Vec<Input>>,
    /// Events that were looked for by their ids, each with whatever stands instead of it.
    sought: HashMap<EventId, Vec<Input>>,
}

impl<'p> Part<'p> {
    /// Nothing yet of what a store has, as far as its stored inputs have taken it in.
    pub fn new(store: &'p Store, source: &Stored) -> Self {
        Self {
            store,
            source: source.clone(),
            subjects: HashMap::new(),
            sought: HashMap::new(),
        }
    }

    /// What `ask` gives over all histories. It is called until everything that it looks up by subject or id is
    /// here, and may look at nothing else: not at all events, nor at which subjects there are. Costs by the
    /// histories that it looks up, and by how long the longest chain of look-ups is of which each follows from
    /// the one before.
    pub fn answer<T>(&mut self, ask: impl Fn(&Histories) -> T) -> Result<T, ViewsError> {
        loop {
            let notes = Arc::new(Notes::default());
            let subjects = self.subjects.iter();
            let subjects = subjects.map(|(subject, inputs)| (Some(subject), inputs.as_slice()));
            let sought = self.sought.values().map(|inputs| (None, inputs.as_slice()));
            let lists = subjects.chain(sought);
            let histories = Histories::of_lists(lists, Some(Arc::clone(&notes) as _));
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

    /// All events that name a subject, in fold order. Costs by their number.
    pub fn of(&mut self, subject: &Subject) -> Result<&[Input], ViewsError> {
        self.load(subject)?;
        Ok(self.subjects.get(subject).map_or(&[], Vec::as_slice))
    }

    /// An event by its id, with all that stands instead of it. Costs by the history of one of its subjects.
    pub fn event(&mut self, id: EventId) -> Result<Option<&Input>, ViewsError> {
        self.seek(id)?;
        Ok(self.sought.get(&id).and_then(|found| found.first()))
    }

    /// Loads all events that name a subject. Whether they were not there.
    fn load(&mut self, subject: &Subject) -> Result<bool, ViewsError> {
        if self.subjects.contains_key(subject) {
            return Ok(false);
        }
        let inputs = self.source.history(subject)?;
        let known = u64::try_from(inputs.len()).unwrap_or(u64::MAX);
        self.subjects.insert(subject.clone(), inputs);
        if self.store.revision(subject)?.0 <= known {
            return Ok(true);
        }
        // Events about machines are kept with the machines alone; the index knows of all.
        let mut more = Vec::new();
        for event in self.store.history(subject, Position(0)) {
            let event = event?;
            if event.position > self.source.end() {
                break;
            }
            if !keeps(subject.kind, event.kind().id) {
                more.push(self.input(event)?);
            }
        }
        let inputs = self.subjects.entry(subject.clone()).or_default();
        inputs.append(&mut more);
        inputs.sort_by_cached_key(|input| input.event.order());
        Ok(true)
    }

    /// Loads an event by its id, if there is one. Whether it was not looked for before.
    fn seek(&mut self, id: EventId) -> Result<bool, ViewsError> {
        if self.sought.contains_key(&id) {
            return Ok(false);
        }
        let event = self.store.find(id)?;
        let event = event.filter(|event| event.position <= self.source.end());
        let input = event.map(|event| self.input(event)).transpose()?;
        self.sought.insert(id, input.into_iter().collect());
        Ok(true)
    }

    /// An event of the log with all that stands instead of it: as it is kept with one of its subjects.
    fn input(&mut self, event: Event) -> Result<Input, ViewsError> {
        let kind = event.kind().id;
        let keeper = event.subjects().into_iter();
        let mut keeper = keeper.filter(|subject| keeps(subject.kind, kind));
        if let Some(keeper) = keeper.next() {
            self.load(&keeper)?;
            let mut kept = self.subjects.get(&keeper).into_iter().flatten();
            if let Some(input) = kept.find(|input| input.event.id == event.id) {
                return Ok(input.clone());
            }
        }
        // One that names nothing is kept with nobody, and nobody corrects it.
        Ok(Input {
            event: Arc::new(event),
            replaced_by: Vec::new(),
        })
    }
}
