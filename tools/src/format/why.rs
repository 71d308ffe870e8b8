//! Why a value is what it is, for people and programs.

use super::{event, view};
use ledger::event::{Event, Source};
use ledger::id::EventId;
use ledger::subject::Subject;
use projections::query::{Cause, Cell, Change, Decided, Decisive, WHOLE_MAX_EVENTS, Why};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is told.
pub struct Told<'t> {
    /// Whose view it is.
    pub subject: &'t Subject,
    /// The field.
    pub field: &'t str,
    /// What the field comes from.
    pub why: &'t Why,
    /// The events that it names.
    pub events: &'t BTreeMap<EventId, Event>,
}

/// For people.
pub fn text(told: &Told<'_>) -> String {
    let why = told.why;
    let mut parts = vec![format!(
        "{}: {} is {}",
        event::short(told.subject),
        told.field,
        shown(&why.value)
    )];
    let changes: Vec<Vec<String>> = why.changes.iter().map(|c| changed(told, c)).collect();
    parts.push(section("came about", &changes, "nothing ever changed it"));
    parts.push(match &why.together {
        None => {
            let decisive = why.decisive.iter().map(|d| without(told, d));
            let decisive: Vec<Vec<String>> = decisive.collect();
            section("would be another without", &decisive, "no event alone")
        }
        Some(together) => {
            let title = format!(
                "would be {} only without all of these",
                shown(&together.otherwise)
            );
            let events = together.events.iter().map(|id| of_event(told, *id));
            let events: Vec<Vec<String>> = events.map(|(a, b, c)| vec![a, b, c]).collect();
            section(&title, &events, "no event")
        }
    });
    let policies: Vec<Vec<String>> = why.policies.iter().map(|p| policy(told, p)).collect();
    parts.push(section(
        "policies that decided",
        &policies,
        "none: under every other policy it would be the same",
    ));
    parts.push(match why.exact {
        true => format!("{} events were read, and each was left out once", why.events),
        false => format!(
            "{} events were read: too many to leave each out once (at most {WHOLE_MAX_EVENTS}). Parts of the \
             history were compared instead; a change that was undone soon after, and events that make up for \
             each other, can be missing here",
            why.events
        ),
    });
    parts.join("\n\n")
}

fn section(title: &str, rows: &[Vec<String>], none: &str) -> String {
    if rows.is_empty() {
        return format!("{title}\n  {none}");
    }
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("  {}", cells.join("  ").trim_end())
    });
    let lines: Vec<String> = lines.collect();
    format!("{title}\n{}", lines.join("\n"))
}

fn changed(told: &Told<'_>, change: &Change) -> Vec<String> {
    let (when, what, from) = match change.cause {
        Cause::Time(at) => (view::instant(at), "time passed".to_owned(), String::new()),
        Cause::Event(id) => of_event(told, id),
    };
    let arrow = format!("{} → {}", shown(&change.before), shown(&change.after));
    vec![when, what, arrow, from]
}

fn without(told: &Told<'_>, decisive: &Decisive) -> Vec<String> {
    let (when, what, from) = of_event(told, decisive.event);
    let otherwise = format!("it would be {}", shown(&decisive.otherwise));
    vec![when, what, otherwise, from]
}

fn policy(told: &Told<'_>, decided: &Decided) -> Vec<String> {
    let name = format!("{} version {}", decided.name, decided.version);
    let by = match decided.named_by {
        Some(id) => {
            let (when, what, from) = of_event(told, id);
            format!("named by {what} of {when}  {from}")
        }
        None => "configured".to_owned(),
    };
    let otherwise = decided.otherwise.as_ref();
    let otherwise = otherwise.map(|(name, cell)| format!("{name} would give {}", shown(cell)));
    vec![name, by, otherwise.unwrap_or_default()]
}

/// When an event happened, its kind, and where it comes from with its id.
fn of_event(told: &Told<'_>, id: EventId) -> (String, String, String) {
    match told.events.get(&id) {
        None => (String::new(), "an event".to_owned(), id.to_string()),
        Some(event) => (
            view::occurred(event.occurred_at),
            event.kind().name.to_owned(),
            format!("{}  {id}", source(&event.source)),
        ),
    }
}

fn source(source: &Source) -> String {
    match &source.record {
        Some(record) => format!("{}:{record}", source.system),
        None => source.system.to_string(),
    }
}

fn shown(cell: &Cell) -> String {
    match view::cell(cell) {
        text if text.is_empty() => "nothing".to_owned(),
        text => text,
    }
}

/// For programs.
pub fn json(told: &Told<'_>) -> Value {
    let why = told.why;
    let event = |id: EventId| {
        let event = told.events.get(&id);
        json!({
            "id": id.to_string(),
            "kind": event.map(|event| event.kind().name),
            "occurred_at": event.map(|event| event.occurred_at.to_string()),
            "source": event.map(|event| json!({
                "system": event.source.system.as_str(),
                "record": event.source.record.as_ref().map(|record| record.as_str()),
            })),
        })
    };
    let changes = why.changes.iter().map(|change| {
        let (by, at) = match change.cause {
            Cause::Event(id) => (event(id), Value::Null),
            Cause::Time(at) => (Value::Null, Value::from(at.to_string())),
        };
        json!({
            "event": by,
            "time": at,
            "before": change.before.json(),
            "after": change.after.json(),
        })
    });
    let decisive = why.decisive.iter().map(|decisive| {
        json!({ "event": event(decisive.event), "otherwise": decisive.otherwise.json() })
    });
    let policies = why.policies.iter().map(|policy| {
        json!({
            "name": policy.name,
            "version": policy.version,
            "named_by": policy.named_by.map(event),
            "otherwise": policy.otherwise.as_ref().map(|(name, cell)| json!({
                "policy": name,
                "value": cell.json(),
            })),
        })
    });
    json!({
        "schema": "actl.why/1",
        "subject": told.subject.to_string(),
        "field": told.field,
        "value": why.value.json(),
        "changes": changes.collect::<Value>(),
        "decisive": decisive.collect::<Value>(),
        "together": why.together.as_ref().map(|together| json!({
            "events": together.events.iter().map(|id| event(*id)).collect::<Value>(),
            "otherwise": together.otherwise.json(),
        })),
        "policies": policies.collect::<Value>(),
        "events": why.events,
        "exact": why.exact,
    })
}
