//! What has to be destroyed so that nothing of a person can be opened any more.
//!
//! Everything that is sealed in an event with the person in it needs the person's key, so that goes with
//! it. What is left are events without the person: of a machine or an IP address that no other person
//! has to do with, and notes that mention the person. Their own keys are destroyed as well.

use crate::error::Failure;
use crate::place::read_failure;
use crate::progress::Progress;
use crate::vault::Vault;
use ledger::event::Fact;
use ledger::id::Position;
use ledger::secret::{PersonId, Plaintext, Pseudonym, SealedKind};
use ledger::store::Store;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The extent of an erasure.
pub struct Extent {
    /// How many events have the person in them.
    pub events: usize,
    /// Machines, networks and notes whose keys are destroyed with the person's.
    pub owners: BTreeSet<Pseudonym>,
    /// What is known of the person: it may not be repeated in the reason.
    pub texts: Vec<Plaintext>,
}

/// With whom a machine or a network has to do.
#[derive(Default, Clone, Copy)]
struct Company {
    /// With the person.
    ours: bool,
    /// With somebody else who is not erased.
    others: bool,
}

/// Finds the extent. Costs reading the whole log twice, because what is sealed can be found by nothing
/// else.
pub fn extent(
    store: &Store,
    vault: &Vault,
    persons: &BTreeSet<PersonId>,
    destroyed: &BTreeSet<Pseudonym>,
) -> Result<Extent, Failure> {
    let is_ours = |owner: &Pseudonym| persons.contains(&PersonId(*owner));
    let mut company: BTreeMap<Pseudonym, Company> = BTreeMap::new();
    let mut texts = Texts::default();
    let mut names: BTreeMap<Pseudonym, Plaintext> = BTreeMap::new();
    let mut events = 0;
    each(store, "looking for the person", |fact| {
        let all = fact.sealed_persons();
        let ours = all.iter().any(is_ours);
        let others = all
            .iter()
            .any(|owner| !is_ours(owner) && !destroyed.contains(owner));
        events += usize::from(ours);
        fact.each_sealed(|kind, sealed| match kind {
            SealedKind::Machine | SealedKind::Network => {
                let company = company.entry(sealed.owner).or_default();
                company.ours |= ours;
                company.others |= others;
            }
            SealedKind::Person | SealedKind::Note => {}
        });
        if ours {
            for found in fact.open(vault).iter() {
                match found.kind {
                    SealedKind::Person if is_ours(&found.owner) => texts.person(&found.plaintext),
                    SealedKind::Machine | SealedKind::Network => {
                        names.insert(found.owner, found.plaintext.clone());
                    }
                    SealedKind::Person | SealedKind::Note => {}
                }
            }
        }
    })?;
    company.retain(|_, company| company.ours && !company.others);
    let mut owners: BTreeSet<Pseudonym> = company.into_keys().collect();
    for owner in &owners {
        texts.0.extend(names.get(owner).cloned());
    }
    each(store, "looking for notes", |fact| {
        for found in fact.open(vault).iter() {
            if found.kind == SealedKind::Note && texts.are_in(found.plaintext.expose()) {
                owners.insert(found.owner);
            }
        }
    })?;
    Ok(Extent {
        events,
        owners,
        texts: texts.0,
    })
}

impl Extent {
    /// Whether a text repeats something of the person.
    pub fn is_named_in(&self, text: &str) -> bool {
        are_in(&self.texts, text)
    }
}

fn each(store: &Store, doing: &'static str, mut see: impl FnMut(&Fact)) -> Result<(), Failure> {
    let mut progress = Progress::of_events(doing, store.end().0);
    for event in store.read(Position(0)) {
        let event = event.map_err(|error| read_failure(&error))?;
        progress.to_event(event.position.0);
        see(&event);
    }
    Ok(())
}

/// What is known of a person.
#[derive(Default)]
struct Texts(Vec<Plaintext>);

impl Texts {
    fn person(&mut self, plaintext: &Plaintext) {
        let value: Value = serde_json::from_str(plaintext.expose()).unwrap_or_default();
        for text in ["address", "name", "phone"].map(|name| value.get(name).and_then(Value::as_str))
        {
            let known = |text: &str| self.0.iter().any(|known| known.expose() == text);
            if let Some(text) = text.filter(|text| !known(text)) {
                self.0.push(Plaintext::new(text.to_owned()));
            }
        }
    }

    fn are_in(&self, text: &str) -> bool {
        are_in(&self.0, text)
    }
}

/// Whether a text holds one of some others as words of its own, whatever their case.
fn are_in(texts: &[Plaintext], text: &str) -> bool {
    let text = text.to_lowercase();
    texts.iter().any(|known| {
        let known = known.expose().to_lowercase();
        !known.is_empty()
            && text.match_indices(&known).any(|(at, found)| {
                let before = text.get(..at).and_then(|text| text.chars().next_back());
                let after = text
                    .get(at + found.len()..)
                    .and_then(|text| text.chars().next());
                !before.is_some_and(char::is_alphanumeric)
                    && !after.is_some_and(char::is_alphanumeric)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_as_words_only() {
        let texts = ["Jo Blake", "+49 30 1234567"].map(|text| Plaintext::new(text.to_owned()));
        for (text, found) in [
            ("JO BLAKE called", true),
            ("(Jo Blake)", true),
            ("ask Jo Blakely", false),
            ("Banjo Blake", false),
            ("call +49 30 1234567.", true),
            ("call 49 30 1234567", false),
            ("", false),
        ] {
            assert_eq!(are_in(&texts, text), found, "{text}");
        }
    }
}
