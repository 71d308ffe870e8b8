//! Stored fold inputs as a source of folds.

use super::ViewsError;
use super::extract::prefix_of;
use super::names::{CHANGES, INPUTS, OTHERS, SUBJECTS, subject_id, write_domain, write_subject};
use super::value::{ChangeHead, Mark, Pair, Skus, Value, read_change_head, read_step, read_value};
use crate::source::{Change, Input, Replacer, Source, Unread};
use ledger::event::Event;
use ledger::id::Position;
use ledger::lists::{ListName, Lists, Table};
use ledger::secret::DomainId;
use ledger::subject::{Subject, SubjectKind};
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;

/// The fold inputs of a store up to a position. Cloning shares them.
#[derive(Clone)]
pub struct Stored {
    lists: Arc<Lists>,
    end: Position,
}

impl Stored {
    pub(super) fn new(lists: Arc<Lists>) -> Self {
        let end = lists.end();
        Self { lists, end }
    }

    /// The same with nothing that was recorded after a position.
    #[must_use]
    pub fn until(&self, end: Position) -> Self {
        Self {
            lists: Arc::clone(&self.lists),
            end: self.end.min(end),
        }
    }

    pub(super) fn lists(&self) -> &Arc<Lists> {
        &self.lists
    }

    /// Whether any event that was ever taken in is an input of a subject or changes its counters.
    pub fn knows(&self, subject: &Subject) -> Result<bool, ViewsError> {
        let mut is_known = false;
        for table in [INPUTS, CHANGES] {
            let item = |_: &[u8]| {
                is_known = true;
                Some(())
            };
            self.read(table, subject, item)?;
        }
        Ok(is_known)
    }

    /// Every event that names a subject, in fold order, whether its projection takes it or not; but what is
    /// kept with a seat is left out where the projection of the subject does not take it. Costs by their
    /// number.
    pub fn events(&self, subject: &Subject) -> Result<Vec<Input>, ViewsError> {
        let mut name = Vec::new();
        write_subject(subject, &mut name);
        let mut events = self.read_events(INPUTS, &name, subject)?;
        events.append(&mut self.read_events(OTHERS, &name, subject)?);
        events.sort_by_cached_key(|input| input.event.order());
        Ok(events)
    }

    /// The events that say that somebody verified a domain, in fold order.
    pub fn of_domain(&self, domain: &DomainId) -> Result<Vec<Input>, ViewsError> {
        let mut name = Vec::new();
        write_domain(domain, &mut name);
        let mut events = self.read_events(OTHERS, &name, domain)?;
        events.dedup_by_key(|input| input.event.id);
        Ok(events)
    }

    /// Reads a list of a subject, and calls `item` for each item of it.
    fn read(
        &self,
        table: Table,
        subject: &Subject,
        item: impl FnMut(&[u8]) -> Option<()>,
    ) -> Result<Replaced, ViewsError> {
        let mut name = Vec::new();
        write_subject(subject, &mut name);
        self.read_named(table, &name, subject, item)
    }

    /// Reads a list of whatever it is of.
    fn read_named(
        &self,
        table: Table,
        name: &[u8],
        of: &dyn Display,
        mut item: impl FnMut(&[u8]) -> Option<()>,
    ) -> Result<Replaced, ViewsError> {
        let mut replaced = Replaced::default();
        let mut is_whole = true;
        let mut visit = |value: &[u8]| {
            let read = match read_value(value) {
                None => None,
                Some(Value::Item(bytes)) => item(bytes),
                Some(Value::Mark(mark)) => {
                    replaced.marks.push(mark);
                    Some(())
                }
                Some(Value::Pair(pair)) => {
                    replaced.pairs.push(pair);
                    Some(())
                }
            };
            is_whole &= read.is_some();
        };
        self.lists.read(ListName::new(table, name), &mut visit)?;
        match is_whole {
            true => Ok(replaced),
            false => Err(ViewsError::Value {
                subject: of.to_string(),
                what: "a value cannot be read",
            }),
        }
    }

    fn read_inputs(&self, subject: &Subject) -> Result<Vec<Input>, ViewsError> {
        let mut name = Vec::new();
        write_subject(subject, &mut name);
        self.read_events(INPUTS, &name, subject)
    }

    /// The events of a list, in fold order.
    fn read_events(
        &self,
        table: Table,
        name: &[u8],
        of: &dyn Display,
    ) -> Result<Vec<Input>, ViewsError> {
        let mut inputs = Vec::new();
        let replaced = self.read_named(table, name, of, |bytes| {
            let event = Event::decode(bytes).ok()?;
            if event.position <= self.end {
                inputs.push(Input {
                    event: Arc::new(event),
                    replaced_by: Vec::new(),
                });
            }
            Some(())
        })?;
        if !replaced.is_empty() {
            let mut replacers = replaced.by_position(self.end);
            for input in &mut inputs {
                let replacers = replacers.remove(&input.event.position);
                input.replaced_by = replacers.unwrap_or_default();
            }
        }
        if !inputs.is_sorted_by_key(|input| input.event.order()) {
            inputs.sort_by_cached_key(|input| input.event.order());
        }
        Ok(inputs)
    }

    fn read_changes(
        &self,
        subject: &Subject,
        visit: &mut dyn FnMut(&Change),
    ) -> Result<(), ViewsError> {
        // The steps stay as they are stored until they are visited: there may be millions.
        let mut heads: Vec<(ChangeHead, usize, usize)> = Vec::new();
        let mut steps: Vec<u8> = Vec::new();
        let replaced = self.read(CHANGES, subject, |mut bytes| {
            let head = read_change_head(&mut bytes)?;
            if head.position <= self.end {
                let start = steps.len();
                steps.extend_from_slice(bytes);
                heads.push((head, start, steps.len()));
            }
            Some(())
        })?;
        if !heads.is_sorted_by_key(|(head, ..)| head.order) {
            heads.sort_by_key(|(head, ..)| head.order);
        }
        let mut replacers = match replaced.is_empty() {
            true => HashMap::new(),
            false => replaced.by_position(self.end),
        };
        let mut skus = Skus::default();
        for (head, start, end) in heads {
            let mut rest = steps.get(start..end).unwrap_or_default();
            let replaced_by = match replacers.is_empty() {
                true => Vec::new(),
                false => replacers.remove(&head.position).unwrap_or_default(),
            };
            while !rest.is_empty() {
                let step = read_step(&mut rest, &mut skus).ok_or_else(|| ViewsError::Value {
                    subject: subject.to_string(),
                    what: "a change of a counter cannot be read",
                })?;
                visit(&Change {
                    order: head.order,
                    position: head.position,
                    replaced_by: replaced_by.clone(),
                    step,
                });
            }
        }
        Ok(())
    }

    fn read_subjects(
        &self,
        kind: SubjectKind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, ViewsError> {
        let mut name = Vec::new();
        if let Some(after) = after {
            write_subject(&Subject::new(kind, after), &mut name);
        }
        let after = after.map(|_| name.as_slice());
        let names = self.lists.names(SUBJECTS, &prefix_of(kind), after, limit)?;
        let ids = names.iter().map(|name| {
            let id = subject_id(name).ok_or_else(|| ViewsError::Value {
                subject: format!("some {}", kind.name()),
                what: "its name is no text",
            });
            id.map(str::to_owned)
        });
        ids.collect()
    }
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl Source for Stored {
    fn inputs(&self, subject: &Subject) -> Result<Vec<Input>, Unread> {
        self.read_inputs(subject).map_err(unread)
    }

    fn changes(&self, subject: &Subject, visit: &mut dyn FnMut(&Change)) -> Result<(), Unread> {
        self.read_changes(subject, visit).map_err(unread)
    }

    fn subjects(
        &self,
        kind: SubjectKind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Unread> {
        self.read_subjects(kind, after, limit).map_err(unread)
    }

    fn end(&self) -> Position {
        self.end
    }
}

fn unread(error: ViewsError) -> Unread {
    Arc::new(error)
}

/// What of a subject's events is replaced.
#[derive(Debug, Default)]
struct Replaced {
    marks: Vec<Mark>,
    pairs: Vec<Pair>,
}

impl Replaced {
    fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.pairs.is_empty()
    }

    /// What stands instead of the event at each position, of all that was recorded up to one.
    fn by_position(mut self, end: Position) -> HashMap<Position, Vec<Replacer>> {
        let mut replacers: HashMap<Position, Vec<Replacer>> = HashMap::new();
        for pair in self.pairs.iter().filter(|pair| pair.by.position <= end) {
            replacers.entry(pair.target).or_default().push(pair.by);
        }
        // The versions of a record, from the one that all others stand instead of on.
        let version = |mark: &Mark| (mark.record, mark.observed, mark.by.id);
        self.marks.retain(|mark| mark.by.position <= end);
        self.marks.sort_unstable_by_key(version);
        for versions in self.marks.chunk_by(|one, next| one.record == next.record) {
            for (number, old) in versions.iter().enumerate() {
                let newer = versions.get(number + 1..).unwrap_or_default();
                let newer = newer
                    .iter()
                    .filter(|new| (new.observed, new.by.id) > (old.observed, old.by.id));
                let by = newer.map(|mark| mark.by);
                replacers.entry(old.by.position).or_default().extend(by);
            }
        }
        replacers.retain(|_, by| !by.is_empty());
        replacers
    }
}
