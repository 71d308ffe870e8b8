//! A walk through a history: for people, and as JSON.

use super::audit::{Origins, when, wrapped};
use replay::audit::walk::{Answer, Change, Step};
use serde_json::{Value, json};

/// The name and version of the JSON form.
pub const SCHEMA: &str = "activation-ledger/walk/1";

/// How much of a value is shown to people.
const VALUE_MAX_CHARS: usize = 60;

/// The JSON form of a walk.
pub fn json(subject: &str, steps: &[Step], origins: &Origins) -> Value {
    let steps = steps.iter().map(|one| step(one, origins));
    json!({ "schema": SCHEMA, "subject": subject, "steps": steps.collect::<Vec<Value>>() })
}

/// The JSON form of one step.
pub fn step(step: &Step, origins: &Origins) -> Value {
    let events = step.events.iter().map(|moment| {
        json!({
            "event": moment.event.to_string(),
            "kind": moment.kind,
            "at": moment.at.to_string(),
            "origin": origins.get(&moment.event),
        })
    });
    let changes = step.changes.iter().map(|change| {
        json!({
            "subject": change.subject.to_string(),
            "field": change.field,
            "before": change.before,
            "after": change.after,
        })
    });
    let answers = step.answers.iter().map(|answer| {
        json!({
            "about": answer.about, "code": answer.code, "woke": answer.woke, "why": answer.why,
        })
    });
    json!({
        "at": step.at.to_string(),
        "events": events.collect::<Vec<Value>>(),
        "changes": changes.collect::<Vec<Value>>(),
        "answers": answers.collect::<Vec<Value>>(),
    })
}

/// The walk for people, at a width in characters: what did not change is not repeated.
pub fn text(subject: &str, steps: &[Step], origins: &Origins, width: usize) -> String {
    let mut lines = vec![format!("{subject} · {} steps", steps.len())];
    for (number, step) in (1..).zip(steps) {
        lines.push(String::new());
        for moment in &step.events {
            let place = origins.get(&moment.event).cloned();
            let place = place.unwrap_or_else(|| format!("event {}", moment.event));
            lines.push(format!(
                "{number}. {}  {}  [{place}]",
                when(moment.at),
                moment.kind
            ));
        }
        for change in step.changes.iter().filter(|change| says_something(change)) {
            let (before, after) = (short(&change.before), short(&change.after));
            let text = format!("{} {}: {before} → {after}", change.subject, change.field);
            lines.extend(wrapped(&text, "   view    ", "             ", width));
        }
        for answer in step.answers.iter().filter(|answer| answer.woke) {
            let text = format!("{} on {}: {}", answer.code, answer.about, answer.why);
            lines.extend(wrapped(&text, "   WOKE    ", "             ", width));
        }
        for (about, why, codes) in silences(&step.answers) {
            let text = format!("{} on {about}: {why}", codes.join(" "));
            lines.extend(wrapped(&text, "   silent  ", "             ", width));
        }
    }
    lines.join("\n")
}

/// Whether a change is more than a new view's empty field.
fn says_something(change: &Change) -> bool {
    let nothing = match &change.after {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_u64() == Some(0),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(true) | Value::String(_) => false,
    };
    !(change.before.is_null() && nothing)
}

/// A value in a line: JSON has the whole of it.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE_MAX_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Silent rules with one reason about one thing stand in one line.
fn silences(answers: &[Answer]) -> Vec<(&str, &str, Vec<&'static str>)> {
    let mut silences: Vec<(&str, &str, Vec<&'static str>)> = Vec::new();
    for answer in answers.iter().filter(|answer| !answer.woke) {
        let same =
            |one: &&mut (&str, &str, Vec<&str>)| one.0 == answer.about && one.1 == answer.why;
        match silences.iter_mut().find(same) {
            Some((_, _, codes)) => codes.push(answer.code),
            None => silences.push((&answer.about, &answer.why, vec![answer.code])),
        }
    }
    silences
}
