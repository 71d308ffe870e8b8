//! Persons as people name them, and what the log says of them.

use crate::error::Failure;
use crate::place::read_failure;
use ledger::event::kinds::{PersonErased, PersonsMerged};
use ledger::event::protected::Person;
use ledger::event::{Event, Kind, KindId};
use ledger::id::Position;
use ledger::secret::{Keyring, PersonId};
use ledger::store::Store;
use ledger::subject::Names;
use projections::Persons;

const KINDS: [KindId; 2] = [PersonErased::INFO.id, PersonsMerged::INFO.id];

/// Reads who is merged and who is erased. Costs a look-up, and reading the events of both kinds.
pub fn read(store: &Store) -> Result<Persons, Failure> {
    let mut persons = Persons::default();
    for kind in KINDS {
        for event in store.of_kind(kind, Position(0)) {
            persons.add(&event.map_err(|error| read_failure(&error))?);
        }
    }
    Ok(persons)
}

/// The person of an address, or of a pseudonym with or without `person:` before it. The keyring is
/// asked only for an address.
pub fn named<K: Keyring>(
    text: &str,
    keyring: impl FnOnce() -> Result<K, Failure>,
) -> Result<PersonId, Failure> {
    let text = text.trim();
    let bare = text.rsplit(':').next().unwrap_or(text);
    if let Some(person) = PersonId::parse(bare) {
        return Ok(person);
    }
    let none = || {
        Failure::new(
            "cannot tell which person is meant",
            "it is neither an address nor a pseudonym of 32 hexadecimal digits",
            "`actl find` and `actl log` show pseudonyms",
        )
    };
    if !text.contains('@') {
        return Err(none());
    }
    let address = text.strip_prefix("person:").unwrap_or(text);
    Person::id_of_address(&keyring()?.pepper(), address).ok_or_else(none)
}

/// The events that name one of these persons, in the order of the log, each once.
pub fn history<'p>(
    store: &Store,
    persons: impl IntoIterator<Item = &'p PersonId>,
) -> Result<Vec<Event>, Failure> {
    let mut events = Vec::new();
    for person in persons {
        for event in store.history(&person.subject(), Position(0)) {
            events.push(event.map_err(|error| read_failure(&error))?);
        }
    }
    events.sort_by_key(|event| event.position);
    events.dedup_by_key(|event| event.position);
    Ok(events)
}
