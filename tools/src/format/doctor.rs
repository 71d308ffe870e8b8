//! What was found of a store, for people and as JSON.

use super::table;
use crate::incarnate::{damages, ranges};
use crate::place::{events, positions};
use crate::privacy::shown_path;
use ledger::id::Position;
use ledger::store::{Examination, IndexState};
use serde_json::{Value, json};

/// A page: what there is, then what is wrong and what to do about it.
pub fn page(found: &Examination, views: &Result<Position, String>) -> String {
    let rows = [
        ("engine", found.engine.clone()),
        ("incarnation", found.incarnation.to_string()),
        ("left", left(found).to_owned()),
        ("frames", found.frames.to_string()),
        ("events", found.events.to_string()),
        ("last position", found.end.to_string()),
        ("had reached", found.reached.to_string()),
        ("missing", missing(&found.missing)),
        ("lost before", missing(&found.lost)),
        ("index", index(&found.index)),
        ("views", views_until(found, views)),
        ("checkpoints", found.checkpoints.to_string()),
        ("cut frames kept", found.torn.len().to_string()),
    ];
    let mut text = table::pairs(&rows);
    for line in remarks(found) {
        text.push('\n');
        text.push_str(&line);
    }
    text
}

fn left(found: &Examination) -> &'static str {
    match (found.is_closed, found.is_torn) {
        (true, _) => "closed",
        (false, false) => "stopped while it was open",
        (false, true) => "stopped while it was writing a frame, which opening it will cut",
    }
}

fn missing(ranges: &[(Position, Position)]) -> String {
    match ranges.is_empty() {
        true => "none".to_owned(),
        false => format!("{}: {}", events(ranges), positions(ranges)),
    }
}

fn index(state: &IndexState) -> String {
    match state {
        IndexState::Missing => "missing: it is built when the store is opened".to_owned(),
        IndexState::Until(position) => format!("up to position {position}"),
        IndexState::Doubtful { reason } => {
            format!("doubtful, so it is built again when the store is opened: {reason}")
        }
    }
}

fn views_until(found: &Examination, views: &Result<Position, String>) -> String {
    match views {
        Ok(position) => {
            let behind = found.end.0.saturating_sub(position.0);
            format!("kept up to position {position}, {behind} behind")
        }
        Err(reason) => format!("made again when they are used: {reason}"),
    }
}

fn remarks(found: &Examination) -> Vec<String> {
    let mut lines = Vec::new();
    for position in &found.unreadable {
        lines.push(format!(
            "the event at position {position} cannot be understood"
        ));
    }
    if !found.is_torn {
        for damage in &found.damage {
            lines.push(match damage.length_bytes {
                0 => format!("{} is missing or cannot be opened", damage.file),
                length => format!(
                    "{} holds {length} bytes at {} that are not what was written, after position {}",
                    damage.file, damage.offset, damage.after
                ),
            });
        }
    }
    if let Some(error) = &found.bad_checkpoints {
        lines.push(format!("the checkpoints cannot be read: {error}"));
    }
    for (path, mode) in &found.open_to_others {
        let path = shown_path(path);
        lines.push(format!(
            "others than its owner may use {path}, its mode is {mode:04o}: chmod go-rwx"
        ));
    }
    lines
}

/// The same as JSON.
pub fn json(found: &Examination, views: &Result<Position, String>) -> Value {
    let (watermark, doubt) = match &found.index {
        IndexState::Missing => (None, None),
        IndexState::Until(position) => (Some(position.0), None),
        IndexState::Doubtful { reason } => (None, Some(reason)),
    };
    let unreadable: Vec<u64> = found.unreadable.iter().map(|p| p.0).collect();
    let torn: Vec<String> = found.torn.iter().map(|path| shown_path(path)).collect();
    let open_to_others = found.open_to_others.iter();
    let open_to_others: Vec<Value> = open_to_others
        .map(|(path, mode)| json!({ "path": shown_path(path), "mode": format!("{mode:04o}") }))
        .collect();
    json!({
        "schema": "actl.doctor/1",
        "damaged": found.is_damaged(),
        "engine": found.engine,
        "incarnation": found.incarnation,
        "closed": found.is_closed,
        "unfinished_frame": found.is_torn,
        "frames": found.frames,
        "events": found.events,
        "position": found.end.0,
        "reached": found.reached.0,
        "missing": ranges(&found.missing),
        "not_understood": unreadable,
        "lost": ranges(&found.lost),
        "damage": damages(&found.damage),
        "index": { "position": watermark, "doubt": doubt },
        "views": {
            "position": views.as_ref().ok().map(|position| position.0),
            "behind": views.as_ref().ok().map(|position| found.end.0.saturating_sub(position.0)),
            "doubt": views.as_ref().err(),
        },
        "checkpoints": found.checkpoints,
        "checkpoints_error": found.bad_checkpoints,
        "cut_frames": torn,
        "open_to_others": open_to_others,
    })
}
