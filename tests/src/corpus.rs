//! The stories under `tests/corpus`: what happened, and what the ledger is expected to make of it.

use ledger::event::Fact;
use ledger::event::json::read_fact;
use ledger::id::EventId;
use ledger::secret::{KeyFingerprint, Pepper, PublicKeyring, Purpose};
use ledger::subject::{Names, Subject, SubjectKind};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// One folder of the corpus.
#[derive(Debug)]
pub struct Story {
    /// The folder's name.
    pub name: String,
    /// The lines of `events.jsonl`, in file order.
    pub lines: Vec<Value>,
    /// What is in `expected.json`.
    pub expected: Expected,
}

/// What a story is expected to give.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The story in one sentence.
    pub story: String,
    /// Exactly the findings that an audit of the story gives.
    pub findings: Vec<ExpectedFinding>,
    /// How many landings have an expectation.
    pub judged: usize,
    /// How many landings have none.
    pub not_judged: usize,
    /// What entities look like at points in time.
    pub views: Vec<ExpectedView>,
}

/// One finding: all rules that speak about one landing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFinding {
    /// The rules, in the order of their codes.
    pub codes: Vec<String>,
    /// The highest severity among them.
    pub severity: String,
    /// `Open`, or `Compensated` once it is reversed or remapped.
    pub state: String,
    /// `redemption:ID`, `agreement:LICENSE ID` or `credit:LOT`.
    pub landing: String,
    /// A tenant, `born of this choice` or `unknown`.
    pub expected: String,
    /// The tenant that it landed in.
    pub actual: String,
}

/// Some fields of one view; fields that are not named may have any value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedView {
    /// `KIND:ID`; a key or a machine by its full name, which the harness protects.
    pub subject: String,
    /// When to look; absent for the latest event of the story.
    #[serde(default)]
    pub valid_at: Option<String>,
    /// Field names and values.
    pub fields: Map<String, Value>,
}

impl Story {
    /// The facts of its lines, in file order, protected with the public keyring. Panics with the
    /// line's number if one is no fact.
    pub fn facts(&self) -> Vec<Fact> {
        let numbered = self.lines.iter().zip(1..);
        numbered
            .map(|(line, number)| {
                read_fact(line, &mut PublicKeyring)
                    .unwrap_or_else(|error| panic!("{} line {number}: {error:?}", self.name))
            })
            .collect()
    }
}

/// The subject that `KIND:ID` names, where the id of a key or of a machine stands in clear; `None` if
/// it names none.
pub fn protected(subject: &str, pepper: &Pepper) -> Option<Subject> {
    match subject.split_once(':')? {
        ("key", key) => Some(KeyFingerprint::of_key(pepper, key)?.subject()),
        ("seat", machine) => {
            let name = machine.trim().to_lowercase();
            let pseudonym = pepper.pseudonym(Purpose::Machine, &[name.as_bytes()]);
            Some(Subject::new(SubjectKind::Seat, EventId(pseudonym)))
        }
        _ => Subject::parse(subject),
    }
}

/// The folder that holds the stories.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Every story, in the order of their names. Panics with the file's name if one cannot be read.
pub fn stories() -> Vec<Story> {
    let entries = std::fs::read_dir(folder()).expect("the folder of the stories is readable");
    let mut names: Vec<String> = entries
        .map(|entry| {
            let entry = entry.expect("a folder entry is readable");
            entry.file_name().to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    names.into_iter().map(read).collect()
}

fn read(name: String) -> Story {
    let text = |file: &str| {
        std::fs::read_to_string(folder().join(&name).join(file))
            .unwrap_or_else(|error| panic!("{name}/{file}: {error}"))
    };
    let events = text("events.jsonl");
    let lines = events.lines().zip(1..).map(|(line, number)| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{name} line {number}: {error}"))
    });
    let lines = lines.collect();
    let expected = serde_json::from_str(&text("expected.json"))
        .unwrap_or_else(|error| panic!("{name}/expected.json: {error}"));
    Story {
        name,
        lines,
        expected,
    }
}
