//! Revealing: opening what is sealed, and recording who looked, at what and why.
//!
//! The record is durable before anything is shown, so nobody looks without leaving a trace.

use crate::clock::SystemClock;
use crate::error::{Class, Failure};
use crate::hex;
use crate::place::{Place, append_failure, read_failure};
use crate::vault::{Vault, random};
use ledger::event::json::read_fact;
use ledger::event::{Event, Fact};
use ledger::id::{Position, TEXT_LENGTH_MAX_BYTES};
use ledger::secret::{Keyring, MachineId, Opened, PersonId, Plaintext, Pseudonym, SealedKind};
use ledger::store::{Known, Store};
use ledger::subject::Names;
use ledger::time::Clock;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;

/// How many persons one event of a reveal names: keeps it far below the largest event.
const PERSONS_RECORDED_MAX: usize = 4096;

/// How long a pseudonym is, in hexadecimal digits.
const PSEUDONYM_LENGTH: usize = 32;

/// Who does something with personal data, and why.
#[derive(Debug, Clone, clap::Args)]
pub struct ByArgs {
    /// The address of whoever does it. The account of the operating system is recorded in any case.
    #[arg(long, value_name = "ADDRESS")]
    by: Option<String>,
}

/// What a command takes that can show what is sealed.
#[derive(Debug, Clone, clap::Args)]
pub struct RevealArgs {
    /// Show persons, machines and notes in clear. The ledger records who looked, at what and why,
    /// before anything is shown.
    #[arg(long, requires = "reason")]
    reveal: bool,

    /// Why, for example the number of a case.
    #[arg(long, value_name = "WHY", requires = "reveal")]
    reason: Option<String>,

    #[command(flatten)]
    by: ByArgs,
}

impl ByArgs {
    /// The fields `by` and `account` of an event.
    pub fn fields(&self) -> Result<Map<String, Value>, Failure> {
        let mut fields = Map::new();
        if let Some(address) = &self.by {
            fields.insert("by".to_owned(), Value::from(address.trim()));
        }
        if let Some(account) = account() {
            fields.insert("account".to_owned(), Value::from(account));
        }
        match fields.is_empty() {
            false => Ok(fields),
            true => Err(Failure::new(
                "cannot record who does this",
                "the operating system does not say whose process this is",
                "say it with --by ADDRESS",
            )),
        }
    }
}

/// Under which account this process runs: the name that the environment has, and the number that the
/// system has.
fn account() -> Option<String> {
    let name = ["USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    let name = name.filter(|name| !name.trim().is_empty());
    let uid = std::fs::metadata("/proc/self")
        .ok()
        .map(|about| about.uid());
    match (name, uid) {
        (Some(name), Some(uid)) => Some(format!("{name}, uid {uid}")),
        (Some(name), None) => Some(name),
        (None, uid) => uid.map(|uid| format!("uid {uid}")),
    }
}

/// Makes the fact that somebody did something with personal data just now. It is not appended yet.
pub fn fact(
    kind: &str,
    mut data: Map<String, Value>,
    by: &ByArgs,
    vault: &mut Vault,
) -> Result<Fact, Failure> {
    data.extend(by.fields()?);
    let event = json!({
        "kind": kind,
        "occurred_at": SystemClock.now().to_string(),
        "source": { "system": "actl", "record": hex::write(&random::<8>()?) },
        "data": data,
    });
    read_fact(&event, vault).map_err(|error| {
        let names: Vec<&str> = error.path.iter().map(String::as_str).collect();
        let option = match names.last() {
            Some(&"reason") => "--reason".to_owned(),
            Some(&"by") => "--by".to_owned(),
            _ => names.join("."),
        };
        let hint = error
            .hint
            .unwrap_or_else(|| "nothing was changed".to_owned());
        Failure::new(
            "cannot record this",
            format!("{option} {}", error.reason),
            hint,
        )
    })
}

/// Appends a fact that [`fact`] has made, its keys durable before.
pub fn append(store: &Store, vault: &mut Vault, facts: Vec<Fact>) -> Result<Position, Failure> {
    vault.save()?;
    let receipt = store.append(facts, &[], Known::Refuse);
    let receipt = receipt.map_err(|error| append_failure("cannot record this", &error))?;
    Ok(receipt.last)
}

/// An answer that shows what is sealed.
pub struct Reveal {
    vault: Vault,
    reason: String,
    by: ByArgs,
    persons: BTreeSet<PersonId>,
    values: usize,
}

impl RevealArgs {
    /// Whether revealing is asked for: then the store is written to.
    pub fn is_asked(&self) -> bool {
        self.reveal
    }

    /// Begins to reveal, if that was asked for. Without the vault nothing can be revealed.
    pub fn begin(&self, place: &Place, store: &Store) -> Result<Option<Reveal>, Failure> {
        let Some(reason) = self.reason.as_ref().filter(|_| self.reveal) else {
            return Ok(None);
        };
        Reveal::begin(reason, &self.by, place, store).map(Some)
    }

    /// What the pseudonyms in the texts of an answer stand for, recorded; nothing if revealing was not
    /// asked for.
    pub fn labels(
        &self,
        place: &Place,
        store: &Store,
        request: &str,
        texts: impl Iterator<Item = String>,
    ) -> Result<Labels, Failure> {
        let Some(mut reveal) = self.begin(place, store)? else {
            return Ok(Labels::default());
        };
        let labels = reveal.labels(store, texts)?;
        reveal.record(store, request)?;
        Ok(labels)
    }

    /// Refuses to reveal what no store holds.
    pub fn refuse(&self, why: &str) -> Result<(), Failure> {
        match self.reveal {
            false => Ok(()),
            true => Err(Failure::new(
                "cannot reveal anything",
                why,
                "leave out --reveal, or import the files into a store first",
            )),
        }
    }
}

impl Reveal {
    /// Begins to reveal for a reason.
    pub fn begin(reason: &str, by: &ByArgs, place: &Place, store: &Store) -> Result<Self, Failure> {
        if reason.trim().is_empty() {
            let hint = "say why, for example --reason 'case 4711'";
            return Err(Failure::new(
                "cannot reveal anything",
                "--reason is empty",
                hint,
            ));
        }
        by.fields()?;
        let vault = place.open_vault(store).map_err(|failure| Failure {
            what: format!("cannot reveal anything: {}", failure.what),
            ..failure
        })?;
        Ok(Self {
            vault,
            reason: reason.trim().to_owned(),
            by: by.clone(),
            persons: BTreeSet::new(),
            values: 0,
        })
    }

    /// Opens what can be opened of an event and is wanted, and notes it for the record.
    pub fn open(
        &mut self,
        fact: &Fact,
        wanted: impl FnMut(&ledger::secret::Found) -> bool,
    ) -> Opened {
        let mut opened = fact.open(&self.vault);
        opened.retain(wanted);
        for found in opened.iter() {
            self.values += 1;
            if found.kind == SealedKind::Person {
                self.persons.insert(PersonId(found.owner));
            }
        }
        opened
    }

    /// Opens all that can be opened of events.
    pub fn note(
        &mut self,
        events: impl Iterator<Item = Result<Event, Failure>>,
    ) -> Result<(), Failure> {
        for event in events {
            drop(self.open(&event?.fact, |_| true));
        }
        Ok(())
    }

    /// Opens an event again that was noted before.
    pub fn again(&self, fact: &Fact) -> Opened {
        fact.open(&self.vault)
    }

    /// Records who looks at what and why, durably. Only then may anything be shown.
    pub fn record(&mut self, store: &Store, request: &str) -> Result<(), Failure> {
        let pepper = self.vault.pepper().id();
        let persons: Vec<Value> = self
            .persons
            .iter()
            .map(|person| Value::from(format!("person:{pepper}:{person}")))
            .collect();
        let mut request = request.to_owned();
        while request.len() > TEXT_LENGTH_MAX_BYTES {
            request.pop();
        }
        let chunks = persons.chunks(PERSONS_RECORDED_MAX);
        let chunks: Vec<&[Value]> = match persons.is_empty() {
            true => vec![&[]],
            false => chunks.collect(),
        };
        let mut facts = Vec::new();
        for (index, persons) in chunks.into_iter().enumerate() {
            let values = if index == 0 { self.values } else { 0 };
            let data = json!({
                "request": request,
                "persons": persons,
                "values": u32::try_from(values).unwrap_or(u32::MAX),
                "reason": self.reason,
            });
            let Value::Object(data) = data else { continue };
            facts.push(fact(
                "PersonalDataRevealed",
                data,
                &self.by,
                &mut self.vault,
            )?);
        }
        append(store, &mut self.vault, facts).map(drop)
    }

    /// What the pseudonyms in some texts stand for: of persons and machines, as far as it can be
    /// opened. Costs reading the history of each up to the first event that says it.
    pub fn labels(
        &mut self,
        store: &Store,
        texts: impl Iterator<Item = String>,
    ) -> Result<Labels, Failure> {
        let mut wanted = BTreeSet::new();
        texts.for_each(|text| {
            pseudonyms(&text, &mut |id| {
                wanted.insert(id.to_owned());
            });
        });
        let mut labels = Labels::default();
        for id in wanted {
            let Some(person) = PersonId::parse(&id) else {
                continue;
            };
            let subjects = [person.subject(), MachineId(person.0).subject()];
            for subject in subjects {
                if let Some(plaintext) = self.label(store, &subject, person.0)? {
                    labels.0.insert(id.clone(), plaintext);
                    break;
                }
            }
        }
        Ok(labels)
    }

    fn label(
        &mut self,
        store: &Store,
        subject: &ledger::subject::Subject,
        owner: Pseudonym,
    ) -> Result<Option<Plaintext>, Failure> {
        for event in store.history(subject, Position(0)) {
            let event = event.map_err(|error| read_failure(&error))?;
            let opened = self.vault_opens(&event, owner);
            let Some((kind, plaintext)) = opened else {
                continue;
            };
            self.values += 1;
            if kind == SealedKind::Person {
                self.persons.insert(PersonId(owner));
            }
            return Ok(Some(short(kind, &plaintext)));
        }
        Ok(None)
    }

    fn vault_opens(&self, fact: &Fact, owner: Pseudonym) -> Option<(SealedKind, Plaintext)> {
        let opened = fact.open(&self.vault);
        let found = opened.iter().find(|found| found.owner == owner);
        found.map(|found| (found.kind, found.plaintext.clone()))
    }
}

/// A person by the address alone; anything else as it is.
fn short(kind: SealedKind, plaintext: &Plaintext) -> Plaintext {
    let address = || {
        let value: Value = serde_json::from_str(plaintext.expose()).ok()?;
        Some(value.get("address")?.as_str()?.to_owned())
    };
    match kind {
        SealedKind::Person => address().map_or_else(|| plaintext.clone(), Plaintext::new),
        SealedKind::Machine | SealedKind::Network | SealedKind::Note => plaintext.clone(),
    }
}

/// Calls with every run of exactly 32 hexadecimal digits in a text.
fn pseudonyms(text: &str, call: &mut dyn FnMut(&str)) {
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        if word.len() == PSEUDONYM_LENGTH && word.bytes().all(|b| b.is_ascii_hexdigit()) {
            call(word);
        }
    }
}

/// What pseudonyms stand for.
#[derive(Default)]
pub struct Labels(BTreeMap<String, Plaintext>);

impl Labels {
    /// The text with names in the place of pseudonyms.
    pub fn text(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (id, plaintext) in &self.0 {
            out = out.replace(id, plaintext.expose());
        }
        out
    }

    /// The value with names in the place of pseudonyms, in keys as well.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::from(self.text(text)),
            Value::Array(list) => list.iter().map(|one| self.value(one)).collect(),
            Value::Object(map) => {
                let pairs = map.iter();
                let pairs = pairs.map(|(name, one)| (self.text(name), self.value(one)));
                Value::Object(pairs.collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
}

/// An error of a person who is not in the log.
pub fn unknown(what: &str) -> Failure {
    Failure::new(
        what,
        "no event names this person",
        "check the spelling; `actl person find` looks an address up",
    )
}

/// A refusal: what was asked contradicts what is recorded.
pub fn refused(what: &str, why: &str, hint: &str) -> Failure {
    Failure::new(what, why, hint).class(Class::Refused)
}
