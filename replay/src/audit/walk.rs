//! A walk through the history of one subject: each moment, what it changed in the views, which rules
//! woke, and why the others did not.

use super::hearing::{self, Heard, hear, hear_subject};
use super::landing::Landing;
use ledger::event::Event;
use ledger::id::EventId;
use ledger::subject::Subject;
use ledger::time::{Occurred, Timestamp};
use projections::At;
use projections::view::{PROJECTIONS, view};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

/// One moment of a history: everything that began at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The instant.
    pub at: Timestamp,
    /// The events, in fold order.
    pub events: Vec<Moment>,
    /// What is different in the views of what they name, since the instant before.
    pub changes: Vec<Change>,
    /// What the rules say, as far as they said something else before.
    pub answers: Vec<Answer>,
}

/// One event of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Which event.
    pub event: EventId,
    /// Its kind.
    pub kind: &'static str,
    /// When it happened.
    pub at: Occurred,
}

/// One field of a view that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whose view.
    pub subject: Subject,
    /// Which field.
    pub field: String,
    /// Its value before; null if there was none.
    pub before: Value,
    /// Its value after.
    pub after: Value,
}

/// What one rule says about a landing or a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it is about, as `KIND:ID`.
    pub about: String,
    /// The rule.
    pub code: &'static str,
    /// Whether it woke.
    pub woke: bool,
    /// What it shows, or why it is silent.
    pub why: String,
}

/// Walks through a subject's history up to an event of it, or to its end. Pure. `None` if the event is
/// not in the history. Costs the judging of an audit a step.
pub fn walk(at: &At<'_>, subject: &Subject, until: Option<EventId>) -> Option<Vec<Step>> {
    let mut steps = steps(at, subject, until)?;
    let told = tell::<Infallible>(&mut steps, &mut |instant| {
        Ok(answers(&at.valid_at(instant), subject))
    });
    match told {
        Ok(()) => Some(steps),
        Err(never) => match never {},
    }
}

/// The steps of a walk before any rule is heard. `None` if the event is not in the history.
pub(super) fn steps(at: &At<'_>, subject: &Subject, until: Option<EventId>) -> Option<Vec<Step>> {
    let events: Vec<&Event> = at.of(subject).collect();
    let last = match until {
        None => events.len(),
        Some(id) => events.iter().position(|event| event.id == id)? + 1,
    };
    let wanted = events.get(..last).unwrap_or_default();
    let together = wanted.chunk_by(|a, b| a.occurred_at.start == b.occurred_at.start);
    Some(together.filter_map(|events| step(at, events)).collect())
}

/// Adds to each step what the rules say at its instant, as far as they said something else before.
pub(super) fn tell<E>(
    steps: &mut [Step],
    answers: &mut dyn FnMut(Timestamp) -> Result<Vec<Answer>, E>,
) -> Result<(), E> {
    let mut said: BTreeMap<(String, &'static str), String> = BTreeMap::new();
    for step in steps {
        let new = answers(step.at)?.into_iter().filter(|answer| {
            let key = (answer.about.clone(), answer.code);
            let now = format!("{} {}", answer.woke, answer.why);
            said.insert(key, now.clone()) != Some(now)
        });
        step.answers = new.collect();
    }
    Ok(())
}

fn step(at: &At<'_>, events: &[&Event]) -> Option<Step> {
    let instant = events.first()?.occurred_at.start;
    let before = at.valid_at(Timestamp::from_micros(
        instant.as_micros().saturating_sub(1),
    ));
    let after = at.valid_at(instant);
    let named: BTreeSet<Subject> = events.iter().flat_map(|event| event.subjects()).collect();
    let mut changes = Vec::new();
    for one in named.iter().filter(|one| has_view(one)) {
        changes.extend(changed(one, fields(&before, one), fields(&after, one)));
    }
    Some(Step {
        at: instant,
        events: events
            .iter()
            .map(|event| Moment {
                event: event.id,
                kind: event.kind().name,
                at: event.occurred_at,
            })
            .collect(),
        changes,
        answers: Vec::new(),
    })
}

fn has_view(subject: &Subject) -> bool {
    PROJECTIONS
        .iter()
        .any(|projection| projection.kind == subject.kind)
}

/// The fields of a subject's view; none if nothing is known of it yet.
fn fields(at: &At<'_>, subject: &Subject) -> Map<String, Value> {
    match view(at, subject) {
        Some(Value::Object(fields)) => fields,
        Some(_) | None => Map::new(),
    }
}

fn changed(
    subject: &Subject,
    before: Map<String, Value>,
    after: Map<String, Value>,
) -> Vec<Change> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value =
        |fields: &Map<String, Value>, name: &str| fields.get(name).cloned().unwrap_or(Value::Null);
    let changes = names.into_iter().map(|name| Change {
        subject: subject.clone(),
        field: name.clone(),
        before: value(&before, name),
        after: value(&after, name),
    });
    changes
        .filter(|change| change.before != change.after)
        .collect()
}

/// What every rule says about the subject itself, and about the landings that touch it.
fn answers(at: &At<'_>, subject: &Subject) -> Vec<Answer> {
    let own: BTreeSet<EventId> = at.of(subject).map(|event| event.id).collect();
    let touches = |landing: &Landing| landing.events.iter().any(|event| own.contains(event));
    in_words(subject, hear(at, &touches), hear_subject(at, subject))
}

/// What was heard of landings and of a subject, in words.
pub(super) fn in_words(
    subject: &Subject,
    landings: Vec<Heard>,
    own: Vec<hearing::Answer>,
) -> Vec<Answer> {
    let mut answers = Vec::new();
    for heard in landings {
        let about = heard.landing.subject();
        for (rule, answer) in heard.answers {
            let (woke, why) = match answer {
                Ok(hit) => (
                    true,
                    joined(hit.evidence.iter().map(|(_, why)| why.as_str())),
                ),
                Err(silence) => (false, silence.0.to_owned()),
            };
            let code = rule.code;
            answers.push(Answer {
                about: about.clone(),
                code,
                woke,
                why,
            });
        }
    }
    for (rule, answer) in own {
        let (woke, why) = match answer {
            Ok(breaches) if breaches.is_empty() => (false, "it has nothing to report".to_owned()),
            Ok(breaches) => (
                true,
                joined(breaches.iter().map(|one| one.summary.as_str())),
            ),
            Err(silence) => (false, silence.0.to_owned()),
        };
        let (about, code) = (subject.to_string(), rule.code);
        answers.push(Answer {
            about,
            code,
            woke,
            why,
        });
    }
    answers
}

fn joined<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let texts: BTreeSet<&str> = texts.collect();
    texts.into_iter().collect::<Vec<_>>().join("; ")
}
