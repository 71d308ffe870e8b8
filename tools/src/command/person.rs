use crate::erase::extent;
use crate::error::{Failure, Outcome};
use crate::format::{Format, event, table};
use crate::keyring::PepperOnly;
use crate::output::note;
use crate::persons::{history, named, read};
use crate::place::{Place, pepper_of};
use crate::reveal::{self, ByArgs, Reveal, refused, unknown};
use crate::session::Session;
use ledger::event::Event;
use ledger::event::json::write_event_revealed;
use ledger::secret::{Keyring, Opened, PepperId, PersonId, Pseudonym, SealedKind};
use ledger::store::Store;
use projections::Persons;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Find, hand over, merge and forget persons.
///
/// A person is named by the address, or by the pseudonym that `actl log` and `actl show` print. Of
/// several addresses of one person, any will do once they are merged.
#[derive(Debug, clap::Args)]
pub struct Person {
    #[command(subcommand)]
    command: PersonCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PersonCommand {
    Find(Find),
    Export(Export),
    Erase(Erase),
    Merge(Merge),
}

/// Say under which pseudonyms a person is known, and how much there is.
///
/// Nothing is decrypted, so it is not recorded.
#[derive(Debug, clap::Args)]
struct Find {
    /// Whom.
    #[arg(value_name = "ADDRESS|PSEUDONYM")]
    person: String,
}

/// Hand over all that the ledger holds on a person.
///
/// Every event with the person in it, the person's own data in clear; other persons stay pseudonyms, and
/// notes are shown only where nobody else is in the event. The ledger records who did it and why before
/// anything is shown.
#[derive(Debug, clap::Args)]
struct Export {
    /// Whom.
    #[arg(value_name = "ADDRESS|PSEUDONYM")]
    person: String,

    /// Why, for example the number of the request.
    #[arg(long, value_name = "WHY")]
    reason: String,

    #[command(flatten)]
    by: ByArgs,
}

/// Forget a person for ever.
///
/// Destroys the keys of everything that is sealed about the person: the address and the name; machines,
/// IP addresses and notes in the same events; machines and IP addresses that nobody else has to do with;
/// and notes that mention the person. The events stay, with their pseudonyms, and so do all proofs.
/// Importing the same sources again brings nothing back. It cannot be undone.
#[derive(Debug, clap::Args)]
struct Erase {
    /// Whom.
    #[arg(value_name = "ADDRESS|PSEUDONYM")]
    person: String,

    /// Why, for example the number of the request. It is kept in clear, so it may not name the person.
    #[arg(long, value_name = "WHY")]
    reason: String,

    #[command(flatten)]
    by: ByArgs,
}

/// Say that two addresses are one person's.
///
/// From then on the two are found, handed over and erased together.
#[derive(Debug, clap::Args)]
struct Merge {
    /// One.
    #[arg(value_name = "ADDRESS|PSEUDONYM")]
    person: String,

    /// The other.
    #[arg(value_name = "ADDRESS|PSEUDONYM")]
    with: String,

    /// Why.
    #[arg(long, value_name = "WHY")]
    reason: String,

    #[command(flatten)]
    by: ByArgs,
}

impl Person {
    /// Does it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self.command {
            PersonCommand::Find(find) => find.run(session),
            PersonCommand::Export(export) => export.run(session),
            PersonCommand::Erase(erase) => erase.run(session),
            PersonCommand::Merge(merge) => merge.run(session),
        }
    }
}

/// A person as the log knows one.
struct Known {
    /// All pseudonyms.
    all: BTreeSet<PersonId>,
    events: Vec<Event>,
}

impl Known {
    /// Reads what the log has of a person; refused if that is nothing.
    fn read(
        store: &Store,
        persons: &Persons,
        person: PersonId,
        what: &str,
    ) -> Result<Self, Failure> {
        let all = persons.all_of(person);
        let events = history(store, &all)?;
        match events.is_empty() {
            true => Err(unknown(what)),
            false => Ok(Self { all, events }),
        }
    }

    fn pseudonyms(&self) -> Vec<String> {
        self.all.iter().map(PersonId::to_string).collect()
    }

    /// What can be said without a key.
    fn json(&self, schema: &str, persons: &Persons) -> Value {
        let time = |event: Option<&Event>| event.map(|event| event.occurred_at.to_string());
        let by_time = |event: &&Event| event.order();
        let erased_at = self.all.first().and_then(|one| persons.erased_at(*one));
        json!({
            "schema": schema,
            "persons": self.pseudonyms(),
            "events": self.events.len(),
            "first": time(self.events.iter().min_by_key(by_time)),
            "last": time(self.events.iter().max_by_key(by_time)),
            "erased_at": erased_at.map(|position| position.0),
        })
    }

    fn rows(&self, persons: &Persons) -> Vec<(&'static str, String)> {
        let value = self.json("", persons);
        let text = |name: &str| match value.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => "-".to_owned(),
        };
        vec![
            ("person", self.pseudonyms().join(" ")),
            ("events", text("events")),
            ("first", text("first")),
            ("last", text("last")),
            ("erased at position", text("erased_at")),
        ]
    }
}

fn id(place: &Place, store: &Store, text: &str) -> Result<PersonId, Failure> {
    named(text, || place.open_vault(store))
}

fn protected(pepper: PepperId, person: PersonId) -> String {
    format!("person:{pepper}:{person}")
}

impl Find {
    fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let store = session.place.open_store()?;
        let person = id(&session.place, &store, &self.person)?;
        let persons = read(&store)?;
        let known = Known::read(&store, &persons, person, "cannot find the person")?;
        let value = known.json("actl.person/1", &persons);
        write(session, &value, &known.rows(&persons))
    }
}

impl Export {
    fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let place = session.place.clone();
        let store = place.open_store()?;
        let person = id(&place, &store, &self.person)?;
        let persons = read(&store)?;
        let known = Known::read(
            &store,
            &persons,
            person,
            "cannot hand the person's data over",
        )?;
        let mut reveal = Reveal::begin(&self.reason, &self.by, &place, &store)?;
        let own: BTreeSet<Pseudonym> = known.all.iter().map(|one| one.0).collect();
        let mut opened: Vec<Opened> = Vec::with_capacity(known.events.len());
        for event in &known.events {
            let alone = event.sealed_persons().iter().all(|one| own.contains(one));
            opened.push(reveal.open(event, |found| match found.kind {
                SealedKind::Person => own.contains(&found.owner),
                SealedKind::Machine | SealedKind::Network | SealedKind::Note => alone,
            }));
        }
        reveal.record(&store, &format!("person export {person}"))?;
        let pepper = pepper_of(&store)?;
        let all = known.events.iter().zip(&opened);
        let width = store.end().to_string().len();
        match session.format {
            Format::Table => {
                session.out.text(&table::pairs(&known.rows(&persons)))?;
                session.out.text("")?;
                session.out.text(&event::head(width))?;
                for (one, opened) in all {
                    session.out.text(&event::row(one, width))?;
                    for found in opened.iter() {
                        session.out.text(&event::revealed(found, width))?;
                    }
                }
            }
            Format::Json => {
                let events = all.map(|(event, opened)| write_event_revealed(event, pepper, opened));
                let mut value = known.json("actl.person-export/1", &persons);
                if let Value::Object(map) = &mut value {
                    map.insert("events".to_owned(), events.collect());
                }
                session.out.json(&value)?;
            }
            Format::Jsonl => {
                for (event, opened) in all {
                    let value = write_event_revealed(event, pepper, opened);
                    session.out.json_line(&value)?;
                }
            }
        }
        place.close(store)?;
        Ok(Outcome::Clean)
    }
}

impl Erase {
    fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let what = "cannot erase the person";
        let place = session.place.clone();
        let store = place.open_store()?;
        let mut vault = place.open_vault(&store)?;
        let pepper = vault.pepper().id();
        let person = named(&self.person, || Ok(PepperOnly(vault.pepper())))?;
        let persons = read(&store)?;
        let known = Known::read(&store, &persons, person, what)?;
        if let Some(position) = persons.erased_at(person) {
            note(&format!(
                "the person is erased already, at position {position}"
            ));
            let value = known.json("actl.person/1", &persons);
            return write(session, &value, &known.rows(&persons));
        }
        let extent = extent(&store, &vault, &known.all, &persons.destroyed())?;
        if extent.is_named_in(&self.reason) {
            let hint = "give the number of the request or the case";
            let why = "--reason is kept in clear for ever, and it names the person";
            return Err(Failure::new(what, why, hint));
        }
        let also = known.all.iter().filter(|one| **one != person);
        let also: Vec<Value> = also
            .map(|one| Value::from(protected(pepper, *one)))
            .collect();
        let owners = extent.owners.iter();
        let owners = owners.map(|owner| format!("owner:{pepper}:{}", crate::hex::write(owner)));
        let data = json!({
            "person": protected(pepper, person),
            "also": also,
            "owners": owners.collect::<Vec<_>>(),
            "reason": self.reason,
        });
        let Value::Object(data) = data else {
            return Err(unknown(what));
        };
        let fact = reveal::fact("PersonErased", data, &self.by, &mut vault)?;
        // The log says it first: if the vault cannot be saved now, it is applied when it is opened next.
        let position = reveal::append(&store, &mut vault, vec![fact])?;
        let mut gone: BTreeSet<Pseudonym> = known.all.iter().map(|one| one.0).collect();
        gone.extend(&extent.owners);
        let destroyed = vault.destroy(&gone);
        vault.save()?;
        let persons = read(&store)?;
        place.close(store)?;
        note(
            "copies of the vault that were made before still hold the keys: make a new one with `actl vault backup`, and destroy the older ones",
        );
        let value = json!({
            "schema": "actl.person-erase/1",
            "persons": known.pseudonyms(),
            "events": extent.events,
            "destroyed_keys": destroyed,
            "position": position.0,
        });
        debug_assert_eq!(persons.erased_at(person), Some(position));
        let rows = [
            ("person", known.pseudonyms().join(" ")),
            ("events", extent.events.to_string()),
            ("destroyed keys", destroyed.to_string()),
            ("erased at position", position.to_string()),
        ];
        write(session, &value, &rows)
    }
}

impl Merge {
    fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let what = "cannot merge the persons";
        let place = session.place.clone();
        let store = place.open_store()?;
        let mut vault = place.open_vault(&store)?;
        let pepper = vault.pepper().id();
        let one = named(&self.person, || Ok(PepperOnly(vault.pepper())))?;
        let other = named(&self.with, || Ok(PepperOnly(vault.pepper())))?;
        let mut persons = read(&store)?;
        for person in [one, other] {
            Known::read(&store, &persons, person, what)?;
            if persons.erased_at(person).is_some() {
                let hint = "if the other one is the same person, erase it as well with `actl person erase`";
                return Err(refused(what, "one of them is erased", hint));
            }
        }
        if persons.all_of(one).contains(&other) {
            note("the two are one person already");
        } else {
            let data = json!({
                "person": protected(pepper, one),
                "with": protected(pepper, other),
                "reason": self.reason,
            });
            let Value::Object(data) = data else {
                return Err(unknown(what));
            };
            let fact = reveal::fact("PersonsMerged", data, &self.by, &mut vault)?;
            reveal::append(&store, &mut vault, vec![fact])?;
            persons = read(&store)?;
        }
        let known = Known::read(&store, &persons, one, what)?;
        place.close(store)?;
        let value = known.json("actl.person/1", &persons);
        write(session, &value, &known.rows(&persons))
    }
}

fn write(
    session: &mut Session,
    value: &Value,
    rows: &[(&str, String)],
) -> Result<Outcome, Failure> {
    match session.format {
        Format::Table => session.out.text(&table::pairs(rows))?,
        Format::Json => session.out.json(value)?,
        Format::Jsonl => session.out.json_line(value)?,
    }
    Ok(Outcome::Clean)
}
