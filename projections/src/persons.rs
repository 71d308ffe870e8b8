//! Persons: which pseudonyms are one person's, and who was erased.

use ledger::event::{Event, Payload};
use ledger::id::Position;
use ledger::secret::{PersonId, Pseudonym};
use std::collections::{BTreeMap, BTreeSet};

/// What the log says of persons as such. The order of the events does not matter.
#[derive(Debug, Clone, Default)]
pub struct Persons {
    /// Pseudonyms that are one person's, each with the others that it was merged with directly.
    merged: BTreeMap<PersonId, BTreeSet<PersonId>>,
    erased: BTreeMap<PersonId, Position>,
    owners: BTreeSet<Pseudonym>,
}

impl Persons {
    /// Takes one event in; events of other kinds change nothing.
    pub fn add(&mut self, event: &Event) {
        if let Payload::PersonsMerged(merged) = &event.payload {
            self.join(merged.person, merged.with);
        }
        if let Payload::PersonErased(erased) = &event.payload {
            for person in std::iter::once(&erased.person).chain(&erased.also) {
                self.join(erased.person, *person);
                let at = self.erased.entry(*person).or_insert(event.position);
                *at = event.position.min(*at);
            }
            self.owners
                .extend(erased.owners.iter().map(|owner| owner.0));
        }
    }

    fn join(&mut self, one: PersonId, other: PersonId) {
        if one != other {
            self.merged.entry(one).or_default().insert(other);
            self.merged.entry(other).or_default().insert(one);
        }
    }

    /// All pseudonyms of the person who has this one, itself among them.
    pub fn all_of(&self, person: PersonId) -> BTreeSet<PersonId> {
        let mut found = BTreeSet::from([person]);
        let mut waiting = vec![person];
        while let Some(one) = waiting.pop() {
            for other in self.merged.get(&one).into_iter().flatten() {
                if found.insert(*other) {
                    waiting.push(*other);
                }
            }
        }
        found
    }

    /// Where the log says that a person was erased. Whoever was merged with somebody who is erased is
    /// erased too, because the two are one person.
    pub fn erased_at(&self, person: PersonId) -> Option<Position> {
        let all = self.all_of(person);
        all.iter()
            .filter_map(|one| self.erased.get(one))
            .min()
            .copied()
    }

    /// Everything whose key is destroyed: the erased persons under all their pseudonyms, and the
    /// machines, networks and notes that were erased with them.
    pub fn destroyed(&self) -> BTreeSet<Pseudonym> {
        let mut all = BTreeSet::new();
        for person in self.erased.keys() {
            if !all.contains(person) {
                all.extend(self.all_of(*person));
            }
        }
        let persons = all.into_iter().map(|person| person.0);
        persons.chain(self.owners.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::event::json::read_fact;
    use ledger::secret::{Pepper, PublicKeyring};
    use ledger::time::Timestamp;
    use serde_json::json;

    fn id(n: u8) -> PersonId {
        PersonId([n; 16])
    }

    fn event(position: u64, kind: &str, data: &serde_json::Value) -> Event {
        let fact = json!({
            "kind": kind, "occurred_at": "2024-03-11", "source": { "system": "actl" }, "data": data,
        });
        Event {
            position: Position(position),
            recorded_at: Timestamp::from_micros(0),
            fact: read_fact(&fact, &mut PublicKeyring).unwrap(),
        }
    }

    #[test]
    fn merged_pseudonyms_are_one_person_and_are_erased_together_in_any_order() {
        let name = |n: u8| format!("person:{}:{}", Pepper::public().id(), id(n));
        let merge = |at, a, b| {
            let data = json!({ "person": name(a), "with": name(b), "reason": "same mailbox" });
            event(at, "PersonsMerged", &data)
        };
        let owner = format!("owner:{}:{}", Pepper::public().id(), id(9));
        let data = json!({ "person": name(2), "owners": [owner], "reason": "ticket 7" });
        let mut events = [
            merge(1, 1, 2),
            merge(2, 3, 2),
            merge(3, 5, 6),
            event(4, "PersonErased", &data),
        ];
        for _ in 0..events.len() {
            events.rotate_left(1);
            let mut persons = Persons::default();
            events.iter().for_each(|event| persons.add(event));
            assert_eq!(persons.all_of(id(3)), BTreeSet::from([id(1), id(2), id(3)]));
            assert_eq!(persons.erased_at(id(1)), Some(Position(4)));
            assert_eq!(persons.erased_at(id(5)), None);
            let gone = [1, 2, 3, 9].map(|n| [n; 16]);
            assert_eq!(persons.destroyed(), BTreeSet::from(gone));
        }
    }
}
