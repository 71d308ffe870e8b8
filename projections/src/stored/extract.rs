//! What the events of a range of positions put into the lists, each by itself. Ranges do not need each
//! other here, so that several can be read beside each other.

use super::ViewsError;
use super::names::{
    CHANGES, INPUTS, OTHERS, RecordHash, SUBJECTS, Takes, each_domain, record_hash,
    verifies_domains, write_domain, write_name, write_subject,
};
use super::value::{begin_item, write_change_head, write_step};
use crate::source::Step;
use crate::view::projection;
use ledger::event::codec::CodecError;
use ledger::event::walk::Outline;
use ledger::event::{Event, EventRef};
use ledger::id::{EventId, Position};
use ledger::lists::{Gathering, ListName};
use ledger::store::Store;
use ledger::subject::{Subject, SubjectKind};

/// What was extracted of a range.
#[derive(Debug, Default)]
pub(super) struct Extract {
    pub(super) gathered: Gathering,
    /// What has to be looked at once everything before the range is known.
    pub(super) noted: Vec<Noted>,
}

/// What one event replaces, or is replaced by, perhaps.
#[derive(Debug)]
pub(super) struct Noted {
    pub(super) position: Position,
    pub(super) id: EventId,
    pub(super) record: Option<RecordHash>,
    pub(super) corrects: Option<Box<EventRef>>,
}

/// Extracts what the events after one position and up to another put into the lists: in several parts, if
/// one would take more than `part_max_bytes`; the first in the memory of a `fresh` gathering. Costs a walk over the bytes of each event, and a decoding of
/// those that change counters.
pub(super) fn extract(
    store: &Store,
    after: Position,
    until: Position,
    part_max_bytes: usize,
    fresh: Gathering,
) -> Result<Vec<Extract>, ViewsError> {
    let mut parts = Vec::new();
    let mut extracting = Extracting::default();
    extracting.part.gathered = fresh;
    let mut next = after.next();
    for frame in store.frames(after, until) {
        let frame = frame?;
        let last = frame.last().min(until);
        if frame.is_lost() {
            extracting.part.gathered.cover(next, last);
            next = last.next();
            continue;
        }
        while next <= last {
            let stored = frame.event(next).unwrap_or_default();
            let extracted = extracting.event(next, stored);
            extracted.map_err(|error| ViewsError::Event {
                position: next,
                reason: error.to_string(),
            })?;
            if extracting.part.gathered.length_bytes() >= part_max_bytes {
                parts.push(std::mem::take(&mut extracting.part));
            }
            next = next.next();
        }
    }
    parts.push(extracting.part);
    Ok(parts)
}

/// The part that is being made, and memory that is used again and again.
#[derive(Default)]
struct Extracting {
    part: Extract,
    outline: Outline,
    names: Vec<Vec<u8>>,
    others: Vec<Vec<u8>>,
    value: Vec<u8>,
}

impl Extracting {
    fn event(&mut self, position: Position, stored: &[u8]) -> Result<(), CodecError> {
        self.outline.read(stored)?;
        let outline = &self.outline;
        let kind = outline.kind();
        let gathered = &mut self.part.gathered;
        gathered.cover(position, position);
        let corrects = match outline.corrects() {
            true => Event::decode(stored)?.fact.corrects.map(Box::new),
            false => None,
        };
        let record = outline.record(stored).map(|(system, record)| {
            let about = outline.about();
            record_hash(system, record, kind, about)
        });
        self.part.noted.push(Noted {
            position,
            id: outline.id(),
            record,
            corrects,
        });
        let (mut inputs, mut others) = (0, 0);
        let mut event = None;
        for (subject_kind, id) in outline.subjects() {
            if Takes::get().is_other(subject_kind, kind) {
                next_name(&mut self.others, &mut others, |name| {
                    write_name(subject_kind, id, name);
                });
            }
            match Takes::get().table(subject_kind, kind) {
                None => continue,
                Some(INPUTS) => {
                    next_name(&mut self.names, &mut inputs, |name| {
                        write_name(subject_kind, id, name);
                    });
                }
                Some(_) => {
                    let event: &Event = match &mut event {
                        Some(event) => event,
                        None => event.insert(Event::decode(stored)?),
                    };
                    let subject = Subject::new(subject_kind, String::from_utf8_lossy(id));
                    add_changes(gathered, event, &subject, &mut self.value);
                }
            }
        }
        if verifies_domains(kind) {
            let event: &Event = match &mut event {
                Some(event) => event,
                None => event.insert(Event::decode(stored)?),
            };
            let (names, count) = (&mut self.others, &mut others);
            each_domain(event, &mut |domain| {
                next_name(names, count, |name| write_domain(domain, name));
            });
        }
        if inputs + others > 0 {
            begin_item(&mut self.value);
            outline.write_without_ciphertext(stored, &mut self.value);
            let names = self.names.iter().take(inputs);
            let names = names.map(|name| ListName::new(INPUTS, name));
            let others = self.others.iter().take(others);
            let others = others.map(|name| ListName::new(OTHERS, name));
            // What has inputs here already is among the subjects.
            gathered.add_making(names.chain(others), &self.value, |gathered, name| {
                if name.table() == INPUTS {
                    gathered.name(ListName::new(SUBJECTS, name.bytes()));
                }
            });
        }
        Ok(())
    }
}

/// Writes one more name, into memory that is used again and again.
fn next_name(names: &mut Vec<Vec<u8>>, count: &mut usize, write: impl FnOnce(&mut Vec<u8>)) {
    if names.len() == *count {
        names.push(Vec::new());
    }
    if let Some(name) = names.get_mut(*count) {
        write(name);
        *count += 1;
    }
}

fn add_changes(gathered: &mut Gathering, event: &Event, subject: &Subject, value: &mut Vec<u8>) {
    let Some(projection) = projection(subject.kind) else {
        return;
    };
    begin_item(value);
    write_change_head(event, value);
    let head = value.len();
    let mut write = |step: Step| write_step(&step, value);
    (projection.steps)(event, subject, &mut write);
    if value.len() > head {
        let mut name = Vec::new();
        write_subject(subject, &mut name);
        gathered.name(ListName::new(SUBJECTS, &name));
        gathered.add([ListName::new(CHANGES, &name)], value);
    }
}

/// The lists that an event, which the log has, is in.
pub(super) fn lists_of(event: &Event) -> Vec<(ledger::lists::Table, Vec<u8>)> {
    let subjects = event.subjects();
    let kind = event.kind().id;
    let mut lists = Vec::new();
    for subject in &subjects {
        let mut name = Vec::new();
        write_subject(subject, &mut name);
        if Takes::get().is_other(subject.kind, kind) {
            lists.push((OTHERS, name.clone()));
        }
        lists.extend(
            Takes::get()
                .table(subject.kind, kind)
                .map(|table| (table, name)),
        );
    }
    each_domain(event, &mut |domain| {
        let mut name = Vec::new();
        write_domain(domain, &mut name);
        lists.push((OTHERS, name));
    });
    lists
}

/// What the names of all subjects of a kind begin with.
pub(super) fn prefix_of(kind: SubjectKind) -> [u8; 1] {
    [kind as u8]
}
