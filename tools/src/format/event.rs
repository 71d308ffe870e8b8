//! Events for people. The JSON form is the ledger's own, see `ledger::event::json`.

use ledger::event::Event;
use ledger::secret::{Found, SealedKind};
use ledger::subject::{Subject, SubjectKind};
use serde_json::Value;

const KIND_WIDTH: usize = 28;
const TIME_WIDTH: usize = 20;
const PSEUDONYM_SHOWN: usize = 8;

/// The head of [`row`]'s columns.
pub fn head(position_width: usize) -> String {
    let (position, time, kind) = ("position", "happened", "kind");
    let width = position_width.max(position.len());
    format!("{position:>width$}  {time:TIME_WIDTH$}  {kind:KIND_WIDTH$}  subjects")
}

/// An event on one line: position, when it happened, kind and subjects. Widths are fixed, so that a
/// log of any length can be listed in bounded memory.
pub fn row(event: &Event, position_width: usize) -> String {
    let subjects: Vec<String> = event.subjects().iter().map(short).collect();
    let width = position_width.max("position".len());
    format!(
        "{:>width$}  {:TIME_WIDTH$}  {:KIND_WIDTH$}  {}",
        event.position.0,
        event.occurred_at.to_string(),
        event.kind().name,
        subjects.join(" ")
    )
}

/// A sealed value that was opened, on a line under its event.
pub fn revealed(found: &Found, position_width: usize) -> String {
    let width = position_width.max("position".len()) + 2;
    let text = found.plaintext.expose();
    let what = match found.kind {
        SealedKind::Person => person(text),
        SealedKind::Machine => format!("machine {text}"),
        SealedKind::Network => format!("IP address {text}"),
        SealedKind::Note => format!("note {text}"),
    };
    format!("{:width$}{}", "", what.replace(char::is_control, " "))
}

/// What is sealed of a person: its texts, one after the other.
fn person(text: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let parts = ["address", "name", "phone"].map(|name| value.get(name).and_then(Value::as_str));
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    format!("person {}", parts.join(", "))
}

/// A subject in a few characters: pseudonyms are cut, a key is known by its last five characters.
pub fn short(subject: &Subject) -> String {
    let id = subject.id.as_str();
    match subject.kind {
        SubjectKind::Key => format!("key:…{}", id.rsplit('-').next().unwrap_or(id)),
        SubjectKind::Person | SubjectKind::Seat => {
            let cut = id.get(..PSEUDONYM_SHOWN).unwrap_or(id);
            format!("{}:{cut}", subject.kind.name())
        }
        _ => subject.to_string(),
    }
}

/// The JSON form of an event with all of its fields, one a line. `is_revealed`: what is sealed in it all the same
/// cannot be opened.
pub fn page(event: &Value, is_revealed: bool) -> String {
    let mut rows = Vec::new();
    let sealed = match is_revealed {
        true => "(sealed, and its key is gone)",
        false => "(sealed)",
    };
    flatten(String::new(), event, sealed, &mut rows);
    rows.sort_by_key(|(name, _)| place_of(name));
    let rows: Vec<(&str, String)> = rows.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    super::table::pairs(&rows)
}

/// The envelope comes first, in the order of its members, then the data in alphabetic order.
fn place_of(name: &str) -> (usize, String) {
    let order = [
        "position",
        "id",
        "kind",
        "occurred_at",
        "observed_at",
        "recorded_at",
    ];
    let top = name.split('.').next().unwrap_or(name);
    let place = order.iter().position(|one| *one == top);
    let last = if top == "data" {
        order.len() + 1
    } else {
        order.len()
    };
    (place.unwrap_or(last), name.to_owned())
}

fn flatten(name: String, value: &Value, sealed: &str, rows: &mut Vec<(String, String)>) {
    let inner = |key: &str| match name.is_empty() {
        true => key.to_owned(),
        false => format!("{name}.{key}"),
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| match key.as_str() {
            "sealed" => rows.push((inner(key), sealed.to_owned())),
            _ => flatten(inner(key), value, sealed, rows),
        }),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(index, value)| flatten(inner(&index.to_string()), value, sealed, rows)),
        Value::String(text) => rows.push((name, text.clone())),
        other => rows.push((name, other.to_string())),
    }
}
