//! Stored fold inputs as a source of folds.

use super::ViewsError;
use super::extract::prefix_of;
use super::items::{Items, Replaced};
use super::names::{
    CHANGES, INPUTS, OTHERS, SUBJECTS, after_all_of, subject_id, write_domain, write_name,
    write_subject,
};
use super::value::{ChangeHead, Skus, Value, read_change_head, read_step, read_value};
use crate::source::{Change, Input, Replacer, Shows, Source, Unread, Within};
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
    pub fn history(&self, subject: &Subject) -> Result<Vec<Input>, ViewsError> {
        let mut name = Vec::new();
        write_subject(subject, &mut name);
        let mut events = self.all_of(INPUTS, &name, subject)?;
        events.append(&mut self.all_of(OTHERS, &name, subject)?);
        events.sort_by_cached_key(|input| input.event.order());
        Ok(events)
    }

    /// The events that say that somebody verified a domain, in fold order.
    pub fn of_domain(&self, domain: &DomainId) -> Result<Vec<Input>, ViewsError> {
        let mut name = Vec::new();
        write_domain(domain, &mut name);
        let mut events = self.all_of(OTHERS, &name, domain)?;
        events.dedup_by_key(|input| input.event.id);
        Ok(events)
    }

    /// Reads a list of a subject, and calls `item` for each item of it.
    fn read(
        &self,
        table: Table,
        subject: &Subject,
        mut item: impl FnMut(&[u8]) -> Option<()>,
    ) -> Result<Replaced, ViewsError> {
        let mut name = Vec::new();
        write_subject(subject, &mut name);
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
        self.lists.read(ListName::new(table, &name), &mut visit)?;
        match is_whole {
            true => Ok(replaced),
            false => Err(unreadable(subject)),
        }
    }

    /// Visits the events of a list that are shown, in fold order.
    fn each_event(
        &self,
        list: ListName<'_>,
        of: &dyn Display,
        shows: Shows<'_>,
        visit: &mut dyn FnMut(Event, Vec<Replacer>),
    ) -> Result<(), ViewsError> {
        let mut stream = Vec::new();
        self.lists.read_stream(list, &mut stream)?;
        let mut items = Items::default();
        let found = items.find(&stream, self.end);
        let visited = found.and_then(|()| items.each(&stream, self.end, shows, visit));
        visited.ok_or_else(|| unreadable(of))
    }

    /// The events of a list, in fold order.
    fn all_of(
        &self,
        table: Table,
        name: &[u8],
        of: &dyn Display,
    ) -> Result<Vec<Input>, ViewsError> {
        let mut inputs = Vec::new();
        let mut read = |event: Event, replaced_by: Vec<Replacer>| {
            let event = Arc::new(event);
            inputs.push(Input { event, replaced_by });
        };
        let list = ListName::new(table, name);
        self.each_event(list, of, &|_, _, _| true, &mut read)?;
        Ok(inputs)
    }

    fn read_inputs(&self, subject: &Subject) -> Result<Vec<Input>, ViewsError> {
        let mut name = Vec::new();
        write_subject(subject, &mut name);
        self.all_of(INPUTS, &name, subject)
    }

    fn read_events(
        &self,
        subject: &Subject,
        shows: Shows<'_>,
        visit: &mut dyn FnMut(&Event),
    ) -> Result<(), ViewsError> {
        let mut name = Vec::new();
        write_subject(subject, &mut name);
        let list = ListName::new(INPUTS, &name);
        self.each_event(list, subject, shows, &mut |event, _| visit(&event))
    }

    fn pass_over(
        &self,
        kind: SubjectKind,
        within: &Within,
        shows: Shows<'_>,
        visit: &mut dyn FnMut(&Subject, &Event),
    ) -> Result<(), ViewsError> {
        let name_of = |id: &String| {
            let mut name = Vec::new();
            write_name(kind, id.as_bytes(), &mut name);
            name
        };
        let from = within.from.as_ref().map(name_of);
        let from = from.unwrap_or_else(|| prefix_of(kind).to_vec());
        let until = within.until.as_ref().map(name_of);
        let until = until.unwrap_or_else(|| after_all_of(kind).to_vec());
        let mut subject = Subject::new(kind, "");
        let mut items = Items::default();
        self.lists
            .pass(INPUTS, &from, Some(&until), |name, stream| {
                subject.id.clear();
                subject
                    .id
                    .push_str(subject_id(name).ok_or_else(|| no_text(kind))?);
                let found = items.find(stream, self.end);
                let mut visit = |event: Event, _| visit(&subject, &event);
                let visited = found.and_then(|()| items.each(stream, self.end, shows, &mut visit));
                visited.ok_or_else(|| unreadable(&subject))
            })
    }

    fn cut(&self, kind: SubjectKind, parts: usize) -> Result<Vec<String>, ViewsError> {
        let names = self.lists.cuts(SUBJECTS, &prefix_of(kind), parts)?;
        let ids = names.iter().map(|name| subject_id(name).map(str::to_owned));
        let ids: Option<Vec<String>> = ids.collect();
        ids.ok_or_else(|| no_text(kind))
    }

    fn read_changes(
        &self,
        subject: &Subject,
        visit: &mut dyn FnMut(&Change),
    ) -> Result<(), ViewsError> {
        // The steps stay as they are stored until they are visited: there may be millions.
        let mut heads: Vec<(ChangeHead, usize, usize)> = Vec::new();
        let mut steps: Vec<u8> = Vec::new();
        let mut replaced = self.read(CHANGES, subject, |mut bytes| {
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
            let id = subject_id(name).ok_or_else(|| no_text(kind));
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

    fn events(
        &self,
        subject: &Subject,
        shows: Shows<'_>,
        visit: &mut dyn FnMut(&Event),
    ) -> Result<(), Unread> {
        self.read_events(subject, shows, visit).map_err(unread)
    }

    fn pass(
        &self,
        kind: SubjectKind,
        within: &Within,
        shows: Shows<'_>,
        visit: &mut dyn FnMut(&Subject, &Event),
    ) -> Result<(), Unread> {
        self.pass_over(kind, within, shows, visit).map_err(unread)
    }

    fn cuts(&self, kind: SubjectKind, parts: usize) -> Result<Vec<String>, Unread> {
        self.cut(kind, parts).map_err(unread)
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

fn unreadable(of: &dyn Display) -> ViewsError {
    ViewsError::Value {
        subject: of.to_string(),
        what: "a value cannot be read",
    }
}

fn no_text(kind: SubjectKind) -> ViewsError {
    ViewsError::Value {
        subject: format!("some {}", kind.name()),
        what: "its name is no text",
    }
}
