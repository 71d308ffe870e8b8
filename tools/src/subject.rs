//! Subjects as people name them: keys, addresses and machines in clear are turned into pseudonyms
//! with the vault, and are kept nowhere.

use crate::error::Failure;
use crate::keyring::PepperOnly;
use ledger::event::field::{Field, Reader};
use ledger::event::protected::{Machine, Person};
use ledger::secret::{KeyFingerprint, Pepper};
use ledger::subject::{Names, Subject, SubjectKind};
use serde_json::Value;

/// Reads `KIND:ID`. A key, person or seat may be named by its pseudonym, or in clear by the key, the
/// address or the machine's name; only then is the pepper asked for.
pub fn read(
    text: &str,
    pepper: &mut dyn FnMut() -> Result<Pepper, Failure>,
) -> Result<Subject, Failure> {
    let Some((kind, id)) = text.trim().split_once(':') else {
        return Err(no_subject());
    };
    let id = id.trim();
    let pseudonym = |id: &str| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    let stored_key = id
        .split_once('-')
        .is_some_and(|(digest, _)| pseudonym(digest));
    let subject = match kind {
        "person" if !pseudonym(id) => person(&pepper()?, id),
        "key" if !stored_key => key(&pepper()?, id),
        "seat" if !pseudonym(id) => seat(pepper()?, id),
        _ => Subject::parse(text.trim()),
    };
    subject.ok_or_else(no_subject)
}

fn no_subject() -> Failure {
    let kinds: Vec<&str> = SubjectKind::ALL.iter().map(|kind| kind.name()).collect();
    Failure::new(
        "cannot read a subject",
        "it does not have the form KIND:ID",
        format!(
            "for example tenant:contoso.onmicrosoft.example; the kinds are: {}",
            kinds.join(", ")
        ),
    )
}

/// The subject of an activation key as it was typed.
pub fn key(pepper: &Pepper, typed: &str) -> Option<Subject> {
    KeyFingerprint::of_key(pepper, typed).map(|key| key.subject())
}

/// The subject of a person's address.
pub fn person(pepper: &Pepper, address: &str) -> Option<Subject> {
    Person::id_of_address(pepper, address).map(|person| person.subject())
}

/// The subject of a machine's name.
pub fn seat(pepper: Pepper, name: &str) -> Option<Subject> {
    let mut keyring = PepperOnly(pepper);
    let machine = Machine::read(&Value::from(name), &mut Reader::new(&mut keyring));
    machine.ok().map(|machine| machine.id.subject())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(text: &str) -> Option<Subject> {
        read(text, &mut || Ok(Pepper::public())).ok()
    }

    #[test]
    fn secrets_in_clear_and_their_pseudonyms_name_the_same_subject() {
        for text in [
            "key:AAAAA-BBBBB-CCCCC-DDDDD-EEEE2",
            "key:aaaaabbbbbcccccdddddeeee2",
            "person:Jo.Blake@contoso.example",
            "seat:PC-0042",
        ] {
            let named = subject(text).unwrap();
            assert!(
                !named.id.contains("PC") && !named.id.contains("lake"),
                "{named}"
            );
            let again = read(&named.to_string(), &mut || {
                panic!("the pepper is not needed")
            });
            assert_eq!(again, Ok(named));
        }
    }

    #[test]
    fn other_texts_are_refused_without_being_repeated() {
        for text in [
            "tenant",
            "tennant:x",
            "tenant:",
            "key:AAAAA",
            "person:Jo Blake",
            "",
        ] {
            let failure = read(text, &mut || Ok(Pepper::public())).map(|_| ());
            if let Err(failure) = &failure {
                assert!(!failure.to_string().contains("Jo"), "{failure}");
            }
            assert!(failure.is_err(), "{text}");
        }
    }
}
