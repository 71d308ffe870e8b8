//! The diff of two histories: for people, and as JSON.

use replay::diff::{Diff, FieldDifference, Link, Row, Seen, Status};
use serde_json::{Value, json};
use std::fmt::Write;

/// The name and version of the JSON form.
pub const SCHEMA: &str = "activation-ledger/diff/1";

const KIND_WIDTH: usize = 12;

/// The JSON form: the same bytes for the same events on every machine.
pub fn json(diff: &Diff) -> Value {
    json!({
        "schema": SCHEMA,
        "left": diff.left.as_str(),
        "right": diff.right.as_str(),
        "equal": diff.is_empty(),
        "rows": diff.rows.iter().map(row).collect::<Vec<_>>(),
        "fields": diff.fields.iter().map(field).collect::<Vec<_>>(),
    })
}

/// The JSON form of a row.
pub fn row(row: &Row) -> Value {
    let chain = row.chain.iter().map(|link| {
        json!({
            "at": link.at.to_string(),
            "kind": link.kind,
            "what": link.what,
            "event": link.event.to_string(),
            "seen": link.seen.as_str(),
        })
    });
    json!({
        "cause": row.cause,
        "status": row.status.as_str(),
        "chain": chain.collect::<Vec<_>>(),
    })
}

/// The JSON form of a field that differs.
pub fn field(field: &FieldDifference) -> Value {
    json!({ "field": field.field, "left": field.left, "right": field.right })
}

/// The diff for people: what differs, each cause with its events; the matched ones are counted.
pub fn text(diff: &Diff, all: bool) -> String {
    let mut out = String::new();
    let matched = diff
        .rows
        .iter()
        .filter(|row| row.status == Status::Matched)
        .count();
    let _ = writeln!(out, "left   {}\nright  {}", diff.left, diff.right);
    let differ = diff.rows.len().saturating_sub(matched);
    let _ = writeln!(
        out,
        "{differ} causes differ, {matched} match; {} fields differ",
        diff.fields.len()
    );
    for row in &diff.rows {
        if row.status == Status::Matched && !all {
            continue;
        }
        let _ = writeln!(
            out,
            "\n{:KIND_WIDTH$}{}",
            row.status.as_str().replace('_', " "),
            row.cause
        );
        for link in &row.chain {
            let _ = writeln!(out, "  {}", link_text(link));
        }
    }
    if !diff.fields.is_empty() {
        let _ = writeln!(out);
        let rows = diff
            .fields
            .iter()
            .map(|field| vec![field.field.clone(), cell(&field.left), cell(&field.right)]);
        let _ = writeln!(
            out,
            "{}",
            super::table::table(&["field", "left", "right"], &[], rows.collect())
        );
    }
    out.trim_end().to_owned()
}

fn link_text(link: &Link) -> String {
    let side = match link.seen {
        Seen::Left => "left ",
        Seen::Right => "right",
        Seen::Both => "both ",
        Seen::Neither => "     ",
    };
    format!(
        "{side}  {:20}  {}  {}",
        link.at.to_string(),
        link.event,
        link.what
    )
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(map) => {
            let items = map
                .iter()
                .map(|(name, value)| format!("{name} {}", cell(value)));
            items.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
