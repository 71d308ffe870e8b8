//! The checker: holds what a fault left against the witness.

use super::append::{before, conditions, digest, expected, facts, following, intruder};
use super::remains::{Before, Remains};
use super::witness::{self, Note, Witness};
use crate::stores::{create_with, try_open};
use ledger::event::{Event, Fact, KindId};
use ledger::id::Position;
use ledger::store::{Condition, Known, Store, StoreError};
use ledger::subject::Subject;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How many appends are made after a fault.
const APPENDS_AFTER: usize = 3;

/// What is to be checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Question {
    /// The store.
    pub store: PathBuf,
    /// Its witness.
    pub witness: PathBuf,
    /// Only what was noted while the trace was no longer counts.
    pub until: u64,
    /// The engine of a store that has to be made because there is none.
    pub engine: String,
    /// Whether the witness goes on with the appends that the checker makes.
    pub goes_on: bool,
    /// The store as it was, if it was damaged since: then it is salvaged if it cannot be read to its end.
    pub before: Option<Before>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// How many events were acknowledged.
    pub acknowledged: u64,
    /// Acknowledged events that are not there.
    pub lost: u64,
    /// Events that are there twice.
    pub duplicated: u64,
    /// Events that are elsewhere than they were.
    pub reordered: u64,
    /// Events that are not what was appended.
    pub altered: u64,
    /// Everything else that is wrong.
    pub wrong: Vec<String>,
    /// Why the store could not be opened or read to its end.
    pub error: Option<String>,
    /// How many events the salvage of a damaged store lost; every other one is right.
    pub salvage_lost: Option<u64>,
    /// How many events cannot be read, of a store that can be opened. All others are right.
    pub unreadable: u64,
    /// Why the index could not answer: it is built again at the next opening.
    pub index_error: Option<String>,
    /// Whether that error is about damage, as opposed to anything else.
    pub is_damage: bool,
    /// Whether opening said that something was cut that had never been acknowledged.
    pub recovered: bool,
    /// Whether opening said that the index was built again.
    pub rebuilt: bool,
    /// Whether that was because something that its manifest lists was not there or not right.
    pub lacking: bool,
}

impl Verdict {
    /// Whether everything that is there is right, and everything that should be there is.
    pub fn is_right(&self) -> bool {
        self.is_true() && self.lost == 0 && self.error.is_none() && self.index_error.is_none()
    }

    /// Whether nothing is there that should not be; some may be missing.
    pub fn is_true(&self) -> bool {
        self.duplicated + self.reordered + self.altered == 0 && self.wrong.is_empty()
    }

    fn wrong(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    fn stop(&mut self, error: &StoreError) {
        self.is_damage = error.is_damage();
        self.error = Some(error.to_string());
    }
}

/// Answers a question.
pub fn check(question: &Question) -> Verdict {
    let Some(before) = &question.before else {
        return check_store(question);
    };
    // Opening a damaged store may change it.
    let remains = Remains::of(before, &question.store, &question.engine);
    let mut verdict = check_store(question);
    if verdict.error.is_some() {
        let judged = match remains {
            Ok(remains) => remains.judge(before, &question.store),
            Err(error) => Err(format!("the store as it was cannot be read: {error}")),
        };
        match judged {
            Ok(lost) => verdict.salvage_lost = Some(lost),
            Err(what) => verdict.wrong(format!("salvage: {what}")),
        }
    }
    verdict
}

fn check_store(question: &Question) -> Verdict {
    let notes = witness::read(&question.witness, question.until);
    let mut verdict = Verdict::default();
    let mut acknowledged = Position(0);
    for note in &notes {
        match note {
            Note::Served { end } => acknowledged = acknowledged.max(*end),
            Note::Acknowledged { append, .. } => {
                acknowledged = acknowledged.max(before(append + 1));
            }
            Note::Wrong { what } => verdict.wrong(what),
            Note::Refused { .. } => {}
        }
    }
    verdict.acknowledged = acknowledged.0;
    let made = notes.iter().any(|note| matches!(note, Note::Served { .. }));
    let opened = match question.store.exists() || made {
        true => try_open(&question.store),
        // The fault struck while the store was being made.
        false => create_with(&question.store, &question.engine),
    };
    let store = match opened {
        Ok(store) => store,
        Err(error) => {
            verdict.stop(&error);
            return verdict;
        }
    };
    verdict.recovered = store.recovered().is_some();
    let events = match store.read(Position(0)).collect::<Result<Vec<_>, _>>() {
        Ok(events) => events,
        Err(error) => {
            verdict.stop(&error);
            check_rest(&store, &mut verdict);
            return verdict;
        }
    };
    check_events(&events, &notes, acknowledged, &mut verdict);
    if !verdict.is_right() {
        return verdict;
    }
    if let Err(error) = check_index(&store, &events, &mut verdict) {
        verdict.index_error = Some(error.to_string());
        return verdict;
    }
    go_on(store, question, &mut verdict);
    verdict
}

fn check_events(events: &[Event], notes: &[Note], acknowledged: Position, verdict: &mut Verdict) {
    let end = Position(events.len() as u64);
    verdict.lost = acknowledged.0.saturating_sub(end.0);
    let (facts, places) = expected(end);
    let mut seen = BTreeSet::new();
    for (event, fact) in events.iter().zip(&facts) {
        if !seen.insert(event.id) {
            verdict.duplicated += 1;
        } else if event.fact != *fact {
            match places.contains_key(&event.id) {
                true => verdict.reordered += 1,
                false => verdict.altered += 1,
            }
        }
    }
    if !events
        .iter()
        .zip(1..)
        .all(|(event, n)| event.position.0 == n)
    {
        verdict.wrong("the positions are not dense");
    }
    if !events.is_sorted_by_key(|event| event.recorded_at) {
        verdict.wrong("recorded time goes back");
    }
    if following(end).is_none() {
        verdict.wrong(format!("the log ends at {end}, within an append"));
    }
    for note in notes {
        let Note::Acknowledged {
            append,
            digest: noted,
        } = note
        else {
            continue;
        };
        let range = before(*append).0 as usize..before(append + 1).0 as usize;
        if events
            .get(range)
            .is_some_and(|events| digest(events) != *noted)
        {
            verdict.altered += 1;
        }
    }
}

/// Looks at every event of a log that cannot be read in one go.
fn check_rest(store: &Store, verdict: &mut Verdict) {
    let end = store.end();
    verdict.lost = verdict.acknowledged.saturating_sub(end.0);
    let (facts, _) = expected(end);
    for (fact, number) in facts.iter().zip(1..) {
        match store.event(Position(number)) {
            Err(_) => verdict.unreadable += 1,
            Ok(Some(event)) if event.fact == *fact => {}
            Ok(_) => verdict.altered += 1,
        }
    }
}

/// Holds every answer of the index against a scan.
fn check_index(store: &Store, events: &[Event], verdict: &mut Verdict) -> Result<(), StoreError> {
    let mut subjects: BTreeMap<Subject, Vec<Position>> = BTreeMap::new();
    let mut kinds: BTreeMap<KindId, Vec<Position>> = BTreeMap::new();
    for event in events {
        kinds
            .entry(event.kind().id)
            .or_default()
            .push(event.position);
        for subject in event.subjects() {
            subjects.entry(subject).or_default().push(event.position);
        }
        if store.find(event.id)?.as_ref() != Some(event) {
            verdict.wrong(format!("event {} is not found by its id", event.position));
        }
    }
    let unknown = facts(following(store.end()).unwrap_or(0));
    if unknown
        .iter()
        .any(|fact| !matches!(store.find(fact.id), Ok(None)))
    {
        verdict.wrong("an id is found that no event has");
    }
    let kinds_named: BTreeSet<_> = subjects.keys().map(|subject| subject.kind).collect();
    for kind in kinds_named {
        let named = subjects
            .keys()
            .filter(|subject| subject.kind == kind)
            .cloned();
        if store.subjects(kind)? != named.collect::<Vec<_>>() {
            verdict.wrong(format!(
                "the subjects of kind {kind:?} are not those of the log"
            ));
        }
    }
    for (subject, wanted) in &subjects {
        if store.revision(subject)?.0 != wanted.len() as u64 {
            verdict.wrong(format!("{subject} has another revision than the log says"));
        }
        for after in [Position(0), wanted[wanted.len() / 2]] {
            let wanted: Vec<_> = wanted.iter().copied().filter(|p| *p > after).collect();
            if positions(store.history(subject, after))? != wanted {
                verdict.wrong(format!("{subject} has another history than the log says"));
            }
        }
    }
    for (kind, wanted) in kinds {
        if positions(store.of_kind(kind, Position(0)))? != wanted {
            verdict.wrong(format!(
                "kind {} has other events than the log says",
                kind.0
            ));
        }
    }
    Ok(())
}

fn positions(
    events: impl Iterator<Item = Result<Event, StoreError>>,
) -> Result<Vec<Position>, StoreError> {
    events
        .map(|event| event.map(|event| event.position))
        .collect()
}

/// Appends on, with what is known and what must be refused among it, closes and opens again.
fn go_on(store: Store, question: &Question, verdict: &mut Verdict) {
    let Some(next) = following(store.end()) else {
        return;
    };
    let mut witness = question
        .goes_on
        .then(|| Witness::open(&question.witness, None));
    let append = |facts: Vec<Fact>, conditions: Vec<Condition>| {
        store.submit(facts, conditions, Known::Refuse).wait()
    };
    for number in next.saturating_sub(1)..next + APPENDS_AFTER {
        // One that is known is answered as such, whatever its conditions.
        match append(facts(number), conditions(number)) {
            Ok(receipt) if (receipt.appended == 0) == (number < next) => {}
            answer => verdict.wrong(format!("append {number} was answered {answer:?}")),
        }
        let (facts, conditions) = intruder(number);
        match append(facts, conditions) {
            Err(error) if error.is_conflict() => {}
            answer => verdict.wrong(format!("an intruder was answered {answer:?}")),
        }
    }
    let end = before(next + APPENDS_AFTER);
    if let Err(error) = store.close() {
        verdict.wrong(format!("the store cannot be closed: {error}"));
    }
    match reopened_end(&question.store) {
        Ok(found) if found == end => {
            if let Some(witness) = &mut witness {
                witness.note(0, &Note::Served { end });
            }
        }
        Ok(found) => verdict.wrong(format!("the log ends at {found}, not at {end}")),
        Err(error) => verdict.wrong(format!("the store cannot be opened again: {error}")),
    }
}

fn reopened_end(path: &Path) -> Result<Position, StoreError> {
    Ok(try_open(path)?.end())
}
