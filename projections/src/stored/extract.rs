//! What the events of a range of positions put into the lists, each by itself. Ranges do not need each
//! other here, so that several can be read beside each other.

use super::ViewsError;
use super::names::{CHANGES, INPUTS, RecordHash, SUBJECTS, Takes, record_hash, write_subject};
use super::value::{begin_item, write_change_head, write_step};
use crate::source::{Step, subjects_of};
use crate::view::projection;
use ledger::event::{Event, EventRef};
use ledger::id::{EventId, Position};
use ledger::lists::{Gathering, ListName};
use ledger::secret::Sealed;
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
/// one would take more than `part_max_bytes`. Costs one decoding an event.
pub(super) fn extract(
    store: &Store,
    after: Position,
    until: Position,
    part_max_bytes: usize,
) -> Result<Vec<Extract>, ViewsError> {
    let mut parts = Vec::new();
    let mut extracting = Extracting::default();
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
            let stored = frame.event(next);
            extracting.event(next, stored.unwrap_or_default())?;
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
    subjects: Vec<Subject>,
    names: Vec<Vec<u8>>,
    value: Vec<u8>,
}

impl Extracting {
    fn event(&mut self, position: Position, stored: &[u8]) -> Result<(), ViewsError> {
        let decoded = Event::decode(stored);
        let mut event = decoded.map_err(|error| ViewsError::Event {
            position,
            reason: error.to_string(),
        })?;
        self.part.gathered.cover(position, position);
        let about = subjects_of(&event, &mut self.subjects);
        self.part.noted.push(Noted {
            position,
            id: event.id,
            record: record_hash(&event, about.as_ref()),
            corrects: event.fact.corrects.clone().map(Box::new),
        });
        let kind = event.kind().id;
        let mut inputs = 0;
        for subject in &self.subjects {
            match Takes::get().table(subject.kind, kind) {
                None => continue,
                Some(INPUTS) => {
                    if self.names.len() == inputs {
                        self.names.push(Vec::new());
                    }
                    if let Some(name) = self.names.get_mut(inputs) {
                        write_subject(subject, name);
                        self.part.gathered.name(ListName::new(SUBJECTS, name));
                        inputs += 1;
                    }
                }
                Some(_) => {
                    let gathered = &mut self.part.gathered;
                    add_changes(gathered, &event, subject, &mut self.value);
                }
            }
        }
        if inputs > 0 {
            begin_item(&mut self.value);
            match strip(&mut event) {
                false => self.value.extend_from_slice(stored),
                true => {
                    let stripped = event.encode();
                    let stripped = stripped.map_err(|error| ViewsError::Event {
                        position,
                        reason: error.to_string(),
                    })?;
                    self.value.extend_from_slice(&stripped);
                }
            }
            let names = self.names.iter().take(inputs);
            let names = names.map(|name| ListName::new(INPUTS, name));
            self.part.gathered.add(names, &self.value);
        }
        Ok(())
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

/// Takes the ciphertext out of an event; whether there was any.
fn strip(event: &mut Event) -> bool {
    let mut had_some = false;
    event.fact.visit_sealed(&mut |_, sealed| {
        had_some |= !sealed.ciphertext.is_empty() || sealed.nonce != [0; 24];
        *sealed = Sealed::empty(sealed.owner);
    });
    had_some
}

/// The lists that an event, which the log has, is in.
pub(super) fn lists_of(event: &Event) -> Vec<(ledger::lists::Table, Vec<u8>)> {
    let mut subjects = Vec::new();
    subjects_of(event, &mut subjects);
    let kind = event.kind().id;
    let taken = subjects.iter().filter_map(|subject| {
        let table = Takes::get().table(subject.kind, kind)?;
        let mut name = Vec::new();
        write_subject(subject, &mut name);
        Some((table, name))
    });
    taken.collect()
}

/// What the names of all subjects of a kind begin with.
pub(super) fn prefix_of(kind: SubjectKind) -> [u8; 1] {
    [kind as u8]
}
