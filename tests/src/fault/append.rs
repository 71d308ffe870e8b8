//! What victims append: a fixed sequence of appends, so that what a store has to hold follows from how
//! many of them were acknowledged.

use crate::facts::session_started;
use ledger::event::{Event, Fact};
use ledger::id::{Position, Revision};
use ledger::store::Condition;
use ledger::subject::{Subject, SubjectKind};
use std::collections::HashMap;

const TENANTS: usize = 5;
const SESSIONS: usize = 17;
/// Every so many appends there is one so large that its frame is in several pieces and pages.
const LARGE_EVERY: usize = 19;
const LARGE_FACTS: usize = 60;
/// Records from here on are those of appends that must be refused.
const INTRUDERS: usize = 1_000_000;

fn size(append: usize) -> usize {
    match append % LARGE_EVERY {
        last if last + 1 == LARGE_EVERY => LARGE_FACTS,
        _ => append * 7 % 5 + 1,
    }
}

/// Where the log ends before an append. Appends are numbered from 0.
pub fn before(append: usize) -> Position {
    Position((0..append).map(|append| size(append) as u64).sum())
}

/// The number of the append that follows a position; `None` if the position is within one.
pub fn following(end: Position) -> Option<usize> {
    let mut position = 0;
    let mut append = 0;
    while position < end.0 {
        position += size(append) as u64;
        append += 1;
    }
    (position == end.0).then_some(append)
}

fn tenant_of(record: usize) -> String {
    format!("t{}.example", record % TENANTS)
}

fn fact(record: usize) -> Fact {
    session_started(
        record,
        &format!("s-{}", record % SESSIONS),
        &tenant_of(record),
    )
}

fn records(append: usize) -> std::ops::Range<usize> {
    let first = before(append).0 as usize;
    first..first + size(append)
}

/// The facts of an append.
pub fn facts(append: usize) -> Vec<Fact> {
    records(append).map(fact).collect()
}

/// A subject that the append names, and its revision before and after the append.
fn counted(append: usize) -> (Subject, Revision, Revision) {
    let records = records(append);
    let tenant = tenant_of(records.start);
    let same = |record: &usize| tenant_of(*record) == tenant;
    let count = |range: std::ops::Range<usize>| Revision(range.filter(same).count() as u64);
    let before = count(0..records.start);
    let after = count(0..records.end);
    let subject = Subject::new(SubjectKind::Tenant, tenant);
    (subject, before, after)
}

/// The person whom every event names: its revision is the end of the log.
fn everybody(append: usize) -> Subject {
    let subjects = fact(append).subjects();
    let person = subjects.into_iter().find(|s| s.kind == SubjectKind::Person);
    person.expect("every fact names a person")
}

fn follows(append: usize, end: Position) -> Condition {
    Condition::SubjectAt {
        subject: everybody(append),
        revision: Revision(end.0),
    }
}

/// The conditions of an append, which hold only if exactly the appends before it were made.
pub fn conditions(append: usize) -> Vec<Condition> {
    let (subject, revision, _) = counted(append);
    let own = match append % 3 {
        0 if revision.0 == 0 => Condition::SubjectAbsent { subject },
        1 => Condition::SubjectUnchangedSince {
            subject,
            position: before(append),
        },
        _ => Condition::SubjectAt { subject, revision },
    };
    vec![follows(append, before(append)), own]
}

/// An append with conditions that never hold: one holds only after another append, one only before.
pub fn intruder(after: usize) -> (Vec<Fact>, Vec<Condition>) {
    let (subject, stale, _) = counted(after);
    let stale = match after % 2 {
        0 => Condition::SubjectUnchangedSince {
            subject,
            position: before(after),
        },
        _ => Condition::SubjectAt {
            subject,
            revision: stale,
        },
    };
    let fresh = follows(after, before(after + 1));
    (vec![fact(INTRUDERS + after)], vec![fresh, stale])
}

/// What is compared of an append: its events as they are stored, positions included.
pub fn digest<'a>(events: impl IntoIterator<Item = &'a Event>) -> String {
    let mut hasher = blake3::Hasher::new();
    for event in events {
        let stored = event
            .encode()
            .expect("an event that was stored can be stored");
        hasher.update(&(stored.len() as u64).to_le_bytes());
        hasher.update(&stored);
    }
    hasher.finalize().to_hex().to_string()
}

/// Every fact up to an end, and where each id should be.
pub fn expected(end: Position) -> (Vec<Fact>, HashMap<ledger::id::EventId, Position>) {
    let facts: Vec<Fact> = (0..end.0 as usize).map(fact).collect();
    let numbered = facts.iter().zip(1..);
    let places = numbered.map(|(fact, number)| (fact.id, Position(number)));
    let places = places.collect();
    (facts, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_follow_each_other_and_conditions_hold_before_and_not_after() {
        let mut position = Position(0);
        for append in 0..60 {
            assert_eq!(
                (before(append), following(position)),
                (position, Some(append))
            );
            let facts = facts(append);
            position = Position(position.0 + facts.len() as u64);
            let (subject, stale, fresh) = counted(append);
            let naming = facts
                .iter()
                .filter(|fact| fact.subjects().contains(&subject));
            assert_eq!(naming.count() as u64, fresh.0 - stale.0);
            assert!(fresh > stale);
        }
        assert_eq!(following(Position(position.0 - 1)), None);
    }
}
