//! Taking in an export of another ledger, whose pseudonyms are keyed with another pepper.
//!
//! With that ledger's vault the export is turned back into what its sources said: persons, machines and
//! notes are opened, and activation keys, which no vault holds, are found among those that are given
//! again. Then it is read like any other source, so its events have the ids that they would have had.

use crate::error::Failure;
use crate::privacy::shown_path;
use crate::vault::Vault;
use ledger::event::field::{FieldError, TypedKeys, Writer};
use ledger::event::json::{read_fact, write_with};
use ledger::event::{EventRef, Fact};
use ledger::secret::{KeyFingerprint, Keyring, Pepper, Plaintext, Pseudonym, SealingKey};
use serde_json::Value;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

const KEY_FILE_MAX_BYTES: u64 = 1 << 26;

/// Turns events of one other ledger back into what was said.
pub struct Translator {
    vault: Vault,
    keys: TypedKeys,
}

impl std::fmt::Debug for Translator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Translator({:?}, {} keys)", self.vault, self.keys.len())
    }
}

/// The keys of the other ledger; none is made.
struct Theirs<'v>(&'v Vault);

impl Keyring for Theirs<'_> {
    fn pepper(&self) -> Pepper {
        self.0.pepper()
    }

    fn sealing_key(&mut self, _: Pseudonym) -> Option<SealingKey> {
        None
    }

    fn opening_key(&self, owner: Pseudonym) -> Option<SealingKey> {
        self.0.opening_key(owner)
    }
}

impl Translator {
    /// With the vault of the other ledger, and a file with one activation key a line.
    pub fn new(vault: Vault, keys: Option<&Path>) -> Result<Self, Failure> {
        let pepper = vault.pepper();
        let keys = keys.map_or(Ok(TypedKeys::new()), |path| read_keys(path, &pepper))?;
        Ok(Self { vault, keys })
    }

    /// What a source would have said. An event of no other ledger stays as it is.
    pub fn translate(&self, value: Value) -> Result<Value, FieldError> {
        let pepper = self.vault.pepper().id();
        let marker = format!(":{pepper}:");
        if !names(&value, &marker) {
            return Ok(value);
        }
        let fact = read_fact(&value, &mut Theirs(&self.vault))?;
        let opened = fact.open(&Theirs(&self.vault));
        let writer = Writer::revealing(pepper, &opened).with_keys(&self.keys);
        let mut said = write_with(&fact, writer);
        if let Value::Object(map) = &mut said {
            map.remove("id");
        }
        check(&fact, &said, &marker)?;
        Ok(said)
    }
}

/// Refuses what cannot be carried over whole.
fn check(fact: &Fact, said: &Value, marker: &str) -> Result<(), FieldError> {
    let by_id = |reference: &Option<EventRef>| matches!(reference, Some(EventRef::Id(_)));
    for (name, reference) in [("corrects", &fact.corrects), ("causation", &fact.causation)] {
        if by_id(reference) {
            return Err(FieldError::new(
                "names another event by its id, which is another one under another pepper",
            )
            .within(name)
            .hint("import the original source instead of the export"));
        }
    }
    match place(said, marker) {
        None => Ok(()),
        Some(path) => {
            let key = text(said, &path).is_some_and(|text| text.starts_with("key:"));
            let (reason, hint) = match key {
                true => (
                    "is an activation key that was not given again",
                    "put it into the file that --keys names, or import the original source",
                ),
                false => (
                    "cannot be opened with the vault that was given",
                    "it is erased or was never sealed: import the original source, or leave the record out with --keep-going",
                ),
            };
            let error = FieldError::new(reason).hint(hint);
            Err(path.into_iter().rev().fold(error, FieldError::within))
        }
    }
}

fn names(value: &Value, marker: &str) -> bool {
    place(value, marker).is_some()
}

/// Where a value holds a pseudonym.
fn place(value: &Value, marker: &str) -> Option<Vec<String>> {
    let within = |name: String, value: &Value| {
        let mut path = place(value, marker)?;
        path.insert(0, name);
        Some(path)
    };
    match value {
        Value::String(text) => text.contains(marker).then(Vec::new),
        Value::Array(list) => {
            let mut list = list.iter().enumerate();
            list.find_map(|(index, value)| within(index.to_string(), value))
        }
        Value::Object(map) => map
            .iter()
            .find_map(|(name, value)| within(name.clone(), value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn text<'v>(value: &'v Value, path: &[String]) -> Option<&'v str> {
    let mut value = value;
    for name in path {
        value = match value {
            Value::Array(list) => list.get(name.parse::<usize>().ok()?)?,
            other => other.get(name)?,
        };
    }
    value.as_str()
}

fn read_keys(path: &Path, pepper: &Pepper) -> Result<TypedKeys, Failure> {
    let what = format!("cannot read the keys in {}", shown_path(path));
    let hint = "give a text file with one activation key a line";
    let mut text = Zeroizing::new(String::new());
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(KEY_FILE_MAX_BYTES).read_to_string(&mut text));
    read.map_err(|error| Failure::new(what.clone(), error.to_string(), hint))?;
    let mut keys = TypedKeys::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let key = KeyFingerprint::of_key(pepper, line).ok_or_else(|| {
            let why = format!("line {number} is no activation key of 25 letters and digits");
            Failure::new(what.clone(), why, hint)
        })?;
        keys.insert(key.digest, Plaintext::new(line.to_owned()));
    }
    Ok(keys)
}
