//! The proof that a plan is exact: both histories folded, and the views compared field by field.

use super::ground::{Ground, Method};
use super::world::{Worlds, assumed_target, moves};
use ledger::event::subject_of;
use ledger::subject::{Subject, SubjectKind};
use projections::view::{projection, view};
use serde_json::Value;
use std::collections::BTreeSet;

/// A field that differs between the two histories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whose view.
    pub subject: String,
    /// Which field.
    pub field: String,
    /// Its value once the remaining steps are done.
    pub completed: Value,
    /// Its value if the mistake had never happened.
    pub without: Value,
    /// Why it differs by design; `None` if it should not.
    pub by_design: Option<&'static str>,
}

/// What comparing the two histories showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The subjects whose views were compared, sorted.
    pub compared: Vec<String>,
    /// Traces that stay in view by design.
    pub traces: Vec<Difference>,
    /// What the plan would not undo.
    pub residue: Vec<Difference>,
}

impl Proof {
    /// Whether nothing is left over.
    pub fn is_exact(&self) -> bool {
        self.residue.is_empty()
    }
}

/// Folds both histories and compares the views of every touched tenant, subscription, key and
/// agreement. Costs a few copies of the events that are seen.
pub fn prove(ground: &Ground<'_>) -> Proof {
    let worlds = Worlds::of(ground);
    let completed = worlds.completed.at(worlds.point);
    let without = worlds.counterfactual.at(worlds.point);
    let mut differences = Vec::new();
    let subjects = subjects(ground);
    for subject in &subjects {
        let one = view(&completed, subject).unwrap_or(Value::Null);
        let other = view(&without, subject).unwrap_or(Value::Null);
        compare(ground, subject, &one, &other, &mut differences);
    }
    let (traces, residue) = differences
        .into_iter()
        .partition(|difference| difference.by_design.is_some());
    Proof {
        compared: subjects.iter().map(shown).collect(),
        traces,
        residue,
    }
}

fn subjects(ground: &Ground<'_>) -> BTreeSet<Subject> {
    let mut subjects = BTreeSet::from([&ground.wrong, &ground.right].map(subject_of));
    subjects.extend(ground.landing.subscriptions.iter().map(subject_of));
    subjects.extend(ground.landing.license_id.iter().map(subject_of));
    subjects.extend(ground.landing.keys.iter().map(subject_of));
    subjects.extend(ground.new_keys().iter().map(subject_of));
    match ground.method {
        Method::Reissue => {
            let target = assumed_target(ground).map(|(_, subscription)| subscription);
            subjects.extend(target.iter().map(subject_of));
            let again = ground.redeemed_again();
            let named = again.into_iter().flat_map(|(event, _)| event.subjects());
            subjects.extend(named.filter(|s| s.kind == SubjectKind::Subscription));
        }
        Method::Remap => {
            for moved in moves(ground) {
                subjects.insert(subject_of(&moved.license_id));
                subjects.extend(moved.subscriptions.iter().map(subject_of));
            }
        }
    }
    subjects
}

fn compare(
    ground: &Ground<'_>,
    subject: &Subject,
    completed: &Value,
    without: &Value,
    out: &mut Vec<Difference>,
) {
    let fields: BTreeSet<&String> = [completed, without]
        .into_iter()
        .filter_map(Value::as_object)
        .flat_map(|map| map.keys())
        .collect();
    let reversed = completed.get("state").and_then(Value::as_str) == Some("Reversed");
    for field in fields {
        let one = completed.get(field).unwrap_or(&Value::Null);
        let other = without.get(field).unwrap_or(&Value::Null);
        if one != other {
            let only_here = without.is_null() && says_nothing(one, subject);
            let only_here = (subject.kind == SubjectKind::Tenant && only_here).then_some(
                "the tenant is known by the mistake only, and stays in view without anything",
            );
            out.push(Difference {
                subject: shown(subject),
                field: field.clone(),
                completed: one.clone(),
                without: other.clone(),
                by_design: only_here.or_else(|| by_design(ground, subject, field, reversed)),
            });
        }
    }
}

/// Whether a field of a view holds nothing but the subject's own name.
fn says_nothing(value: &Value, subject: &Subject) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_u64() == Some(0),
        Value::String(text) => *text == subject.id,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// Why a field differs although the compensation is exact; `None` if it should not differ.
fn by_design(
    ground: &Ground<'_>,
    subject: &Subject,
    field: &str,
    reversed: bool,
) -> Option<&'static str> {
    let old_key = ground
        .landing
        .keys
        .iter()
        .any(|key| subject_of(key) == *subject);
    let begun = ground.begun.iter().any(|id| subject_of(id) == *subject);
    match (subject.kind, ground.method, field) {
        (SubjectKind::Key, _, _) if old_key => {
            Some("the old key stays neutralised for ever, and a new one takes its place")
        }
        (SubjectKind::Subscription, _, _) if begun && reversed => {
            Some("the subscription that was begun by mistake stays in view as reversed")
        }
        (SubjectKind::Subscription, _, "reversed") => Some("the reversed redemption stays in view"),
        (SubjectKind::Subscription, _, "diverged") => {
            Some("a source had seen other values at the reversed redemption")
        }
        (SubjectKind::Agreement, Method::Remap, "basis" | "bound_at" | "state") => {
            Some("the agreement was bound by the remap, and later")
        }
        (kind, _, field) => projection(kind)
            .is_some_and(|projection| projection.traces.contains(&field))
            .then_some("it tells what happened, and that stays in view"),
    }
}

/// A subject for people: a key by its last five characters.
pub fn shown(subject: &Subject) -> String {
    match subject.kind {
        SubjectKind::Key => {
            let last5 = subject.id.rsplit('-').next().unwrap_or_default();
            format!("key:…{last5}")
        }
        _ => subject.to_string(),
    }
}
