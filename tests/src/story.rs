//! The stories of `tests/corpus`: their events, and what they expect.

use ledger::event::json::read_fact;
use ledger::event::{Event, Fact};
use ledger::id::Position;
use ledger::secret::{KeyFingerprint, Pepper, PublicKeyring, Purpose};
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// What a story expects of the audit and of the views.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// What the story tells.
    pub story: String,
    /// The findings, exactly.
    pub findings: Vec<ExpectedFinding>,
    /// How many landings are judged.
    pub judged: usize,
    /// How many are not.
    pub not_judged: usize,
    /// Fields of views.
    pub views: Vec<ExpectedView>,
}

/// One expected finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFinding {
    /// What it is about, as `KIND:ID`; a landing or a subject.
    #[serde(alias = "landing")]
    pub about: String,
    /// The rules that fire.
    pub codes: Vec<String>,
    /// How bad.
    pub severity: String,
    /// Where it stands.
    pub state: String,
    /// The expected tenant, `born of this choice` or `unknown`; absent if it is about no landing.
    #[serde(default)]
    pub expected: String,
    /// The tenant that it landed in; absent if it is about no landing.
    #[serde(default)]
    pub actual: String,
}

/// Some fields of one view.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedView {
    /// `KIND:ID`; a key by its full text, a seat by the machine's name.
    pub subject: String,
    /// When; the story's last instant if absent.
    #[serde(default)]
    pub valid_at: Option<String>,
    /// The fields.
    pub fields: Map<String, Value>,
}

/// One story.
pub struct Story {
    /// The name of its folder.
    pub name: String,
    /// Its facts, in the order of its file.
    pub facts: Vec<Fact>,
    /// What it expects.
    pub expected: Expected,
}

impl Story {
    /// The lines of its file as they stand there, secrets in clear.
    pub fn lines(&self) -> Vec<Value> {
        let path = folder().join(&self.name).join("events.jsonl");
        let text = std::fs::read_to_string(path).expect("the story was read before");
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines
            .map(|line| serde_json::from_str(line).expect("the line was read before"))
            .collect()
    }
}

/// The folder of the stories.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Every story, by name.
pub fn all() -> Vec<Story> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the corpus is there")
        .map(|entry| entry.expect("a folder can be read").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.iter().map(|folder| load(folder)).collect()
}

fn load(folder: &Path) -> Story {
    let name = folder
        .file_name()
        .expect("a folder has a name")
        .to_string_lossy()
        .into_owned();
    let read = |file| {
        std::fs::read_to_string(folder.join(file)).unwrap_or_else(|e| panic!("{name}/{file}: {e}"))
    };
    let facts = read("events.jsonl")
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            let value: Value =
                serde_json::from_str(line).unwrap_or_else(|e| panic!("{name}:{}: {e}", number + 1));
            read_fact(&value, &mut PublicKeyring)
                .unwrap_or_else(|e| panic!("{name}:{}: {e:?}", number + 1))
        })
        .collect();
    let expected =
        serde_json::from_str(&read("expected.json")).unwrap_or_else(|e| panic!("{name}: {e}"));
    Story {
        name,
        facts,
        expected,
    }
}

/// Gives facts their places, in the order in which they are given.
pub fn record(facts: impl IntoIterator<Item = Fact>) -> Vec<Event> {
    (1..)
        .zip(facts)
        .map(|(position, fact)| Event {
            position: Position(position),
            recorded_at: Timestamp::from_micros(0),
            fact,
        })
        .collect()
}

/// The subject that an expected view names: keys and machines by their public pseudonyms.
pub fn subject(text: &str) -> Subject {
    let pepper = Pepper::public();
    match text.split_once(':') {
        Some(("key", key)) => KeyFingerprint::of_key(&pepper, key)
            .expect("a key")
            .subject(),
        Some(("seat", machine)) => {
            let id = pepper.pseudonym(Purpose::Machine, &[machine.to_lowercase().as_bytes()]);
            Subject::new(SubjectKind::Seat, ledger::secret::MachineId(id))
        }
        _ => Subject::parse(text).unwrap_or_else(|| panic!("{text} is no subject")),
    }
}
