//! What a run leaves: a table for whoever waits, and one line of JSON for whoever compares later.

use crate::contender::WallClock;
use crate::data::facts::DataFacts;
use crate::fault::{About, Outcome};
use crate::machine;
use comfy_table::{Table, presets};
use ledger::time::Clock;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Where a run takes its events from, works, and leaves its result.
#[derive(clap::Args)]
pub struct Site {
    /// The file of events, made by `bench prepare`.
    pub data: PathBuf,
    /// A directory on the disk that is measured. What is made there stays.
    pub directory: PathBuf,
    /// The file that gets one line of JSON; without it nothing is kept.
    #[arg(long)]
    results: Option<PathBuf>,
    /// When the run was made. [default: now]
    #[arg(long)]
    date: Option<String>,
    /// What is to be said about the run, for example the commit.
    #[arg(long)]
    note: Option<String>,
}

impl Site {
    /// Appends the result of a command to the file of results.
    pub fn keep(&self, command: &str, data: &DataFacts, result: Value) -> Outcome<()> {
        let Some(path) = &self.results else {
            return Ok(());
        };
        let date = self.date.clone();
        let line = json!({
            "date": date.unwrap_or_else(|| WallClock.now().to_string()),
            "command": command,
            "note": self.note,
            "machine": machine::facts(&self.directory)?,
            "data": {
                "events": data.events,
                "stored_bytes": data.stored_bytes,
                "subjects": data.subjects,
                "mentions": data.mentions,
            },
            "result": result,
        });
        let file = OpenOptions::new().append(true).create(true).open(path);
        writeln!(file.about(path)?, "{line}").about(path)
    }
}

/// Bytes in mebibytes, for people.
pub fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

/// The value below which a part of sorted values lies.
pub fn part_of(sorted: &[f64], part: f64) -> f64 {
    let at = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// An empty table with its header.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    table
}
