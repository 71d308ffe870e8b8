//! What is known of a file of events: counted once, when it was prepared.

use crate::fault::{About, Outcome};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// What is known of a file of events.
#[derive(Debug, Clone, Default)]
pub struct DataFacts {
    /// How many events it has.
    pub events: u64,
    /// Their stored length together, in bytes: what "bincode bytes" means in every ratio.
    pub stored_bytes: u64,
    /// How many different subjects they name. Counted by a hash of 64 bits each.
    pub subjects: u64,
    /// How many times an event names a subject.
    pub mentions: u64,
    /// Subjects with about [`HISTORY_EVENTS`] events, evenly drawn, for the bench of histories.
    pub histories: Vec<String>,
}

/// How many events a subject has whose history is read.
pub const HISTORY_EVENTS: u32 = 50;

/// How many more it may have.
pub const HISTORY_EVENTS_SLACK: u32 = 5;

fn path_beside(data: &Path) -> PathBuf {
    let mut name = OsString::from(data);
    name.push(".json");
    PathBuf::from(name)
}

impl DataFacts {
    /// Reads what is known of a file of events.
    pub fn read(data: &Path) -> Outcome<Self> {
        let path = path_beside(data);
        let text = fs::read_to_string(&path).about(&path)?;
        let value: Value = serde_json::from_str(&text).about(&path)?;
        let number = |name: &str| {
            let number = value.get(name).and_then(Value::as_u64);
            number.ok_or_else(|| format!("{}: {name} is missing", path.display()))
        };
        let histories = value.get("histories").and_then(Value::as_array);
        let histories = histories.into_iter().flatten().filter_map(Value::as_str);
        Ok(Self {
            events: number("events")?,
            stored_bytes: number("stored_bytes")?,
            subjects: number("subjects")?,
            mentions: number("mentions")?,
            histories: histories.map(str::to_owned).collect(),
        })
    }

    /// Writes it beside the file of events.
    pub fn write(&self, data: &Path) -> Outcome<()> {
        let value = json!({
            "events": self.events,
            "stored_bytes": self.stored_bytes,
            "subjects": self.subjects,
            "mentions": self.mentions,
            "histories": self.histories,
        });
        let path = path_beside(data);
        fs::write(&path, format!("{value:#}\n")).about(&path)
    }
}
