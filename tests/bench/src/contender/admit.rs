//! The rules of an append for engines under the common committer: ids are unique, guards hold, and
//! what was admitted earlier in the same batch counts.

use super::Verdict;
use super::committer::{Record, Request};
use crate::fault::Outcome;
use std::collections::{HashMap, HashSet};

/// What an engine looks up in what it keeps.
pub trait Lookup {
    /// Whether an event of this id is kept.
    fn has_id(&self, id: &[u8; 16]) -> Outcome<bool>;

    /// Whether any event after a position names a subject.
    fn named_after(&self, subject: &[u8], after: u64) -> Outcome<bool>;
}

/// What a batch comes to.
pub struct Admitted<'a> {
    /// The events to write, each with its position.
    pub records: Vec<(u64, &'a Record)>,
    /// One verdict a request.
    pub verdicts: Vec<Verdict>,
}

/// Decides about a batch after an end.
pub fn admit<'a>(end: u64, batch: &'a [Request], kept: &impl Lookup) -> Outcome<Admitted<'a>> {
    let mut admitted = Admitted {
        records: Vec::new(),
        verdicts: Vec::with_capacity(batch.len()),
    };
    let mut ids: HashSet<[u8; 16]> = HashSet::new();
    let mut named: HashMap<&[u8], u64> = HashMap::new();
    let mut position = end;
    for request in batch {
        for record in &request.records {
            if !ids.insert(record.id) || kept.has_id(&record.id)? {
                return Err("an event was appended twice".into());
            }
        }
        let named_after = |subject: &[u8], after: u64| -> Outcome<bool> {
            let here = named.get(subject).is_some_and(|last| *last > after);
            Ok(here || kept.named_after(subject, after)?)
        };
        if named_after(&request.unchanged, request.since)? || named_after(&request.absent, 0)? {
            for record in &request.records {
                ids.remove(&record.id);
            }
            admitted.verdicts.push(Verdict::Conflict);
            continue;
        }
        for record in &request.records {
            position += 1;
            for subject in &record.subjects {
                named.insert(subject, position);
            }
            admitted.records.push((position, record));
        }
        admitted.verdicts.push(Verdict::Appended);
    }
    Ok(admitted)
}

/// The key of one event in a subject's list.
pub fn listed(subject: &[u8], position: u64) -> Vec<u8> {
    [subject, &position.to_be_bytes()].concat()
}
