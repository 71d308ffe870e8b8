use crate::error::{Failure, Outcome};
use crate::format::{Format, table};
use crate::place::{pepper_of, read_failure};
use crate::reveal::RevealArgs;
use crate::session::Session;
use crate::subject;
use ledger::event::field::Shape;
use ledger::event::{KINDS, KindInfo};
use ledger::id::{Position, Revision};
use ledger::secret::Keyring;
use ledger::store::Store;
use ledger::subject::{Subject, SubjectKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const LAST_FIVE: usize = 5;

/// Find what is known under a text: subjects and how many events name each.
///
/// The text can be the last five characters of a key, a License ID, a domain, an order number, a
/// tenant, any other identifier or a part of it; or a whole key, an address or a machine's name,
/// which are looked up by their pseudonyms and not shown.
#[derive(Debug, clap::Args)]
pub struct Find {
    /// What to look for.
    text: String,

    #[command(flatten)]
    reveal: RevealArgs,
}

impl Find {
    /// Finds it. Costs a walk over the names of all subjects.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let text = self.text.trim();
        if text.is_empty() {
            let hint = "give a part of an identifier, for example the last five of a key";
            return Err(Failure::new("cannot find that", "the text is empty", hint));
        }
        let store = session.place.open_store()?;
        let mut found = BTreeSet::new();
        secret_subjects(session, &store, text, &mut found)?;
        if !text.contains('@') {
            named_subjects(&store, text, &mut found)?;
            subjects_of_domain(&store, text, &mut found)?;
        }
        let mut rows = Vec::with_capacity(found.len());
        for subject in found {
            let Revision(events) = store.revision(&subject).map_err(|e| read_failure(&e))?;
            if events > 0 {
                rows.push((subject, events));
            }
        }
        if rows.is_empty() {
            crate::output::note("nothing is known under this text");
        }
        let place = session.place.clone();
        let texts = rows.iter().map(|(subject, _)| subject.to_string());
        let request = format!("find {} subjects", rows.len());
        let labels = self.reveal.labels(&place, &store, &request, texts)?;
        let rows = rows.into_iter();
        let rows =
            rows.map(|(subject, events)| (subject.kind, labels.text(&subject.to_string()), events));
        write(session, rows.collect())?;
        if self.reveal.is_asked() {
            place.close(store)?;
        }
        Ok(Outcome::Clean)
    }
}

/// Keys, persons and machines that are named in clear. Without the vault they cannot be recognised.
fn secret_subjects(
    session: &Session,
    store: &Store,
    text: &str,
    found: &mut BTreeSet<Subject>,
) -> Result<(), Failure> {
    let vault = match session.place.open_vault(store) {
        Ok(vault) => vault,
        Err(failure) if text.contains('@') => return Err(failure),
        Err(_) => {
            let says = "without the vault no key, person or machine can be recognised by its name";
            crate::output::note(says);
            return Ok(());
        }
    };
    let pepper = vault.pepper();
    found.extend(subject::key(&pepper, text));
    found.extend(subject::person(&pepper, text));
    found.extend(subject::seat(pepper, text));
    Ok(())
}

fn named_subjects(store: &Store, text: &str, found: &mut BTreeSet<Subject>) -> Result<(), Failure> {
    let lower = text.to_lowercase();
    let last_five = text.len() == LAST_FIVE && text.bytes().all(|b| b.is_ascii_alphanumeric());
    for kind in SubjectKind::ALL {
        for subject in store.subjects(*kind).map_err(|e| read_failure(&e))? {
            let matches = match kind {
                SubjectKind::Key => {
                    last_five
                        && subject
                            .id
                            .rsplit('-')
                            .next()
                            .is_some_and(|l| l.eq_ignore_ascii_case(text))
                }
                SubjectKind::Person | SubjectKind::Seat => subject.id == lower,
                _ => subject.id.to_lowercase().contains(&lower),
            };
            if matches {
                found.insert(subject);
            }
        }
    }
    Ok(())
}

/// Subjects that an event says this domain of. Costs a walk over the events of the kinds that have a
/// domain in them.
fn subjects_of_domain(
    store: &Store,
    text: &str,
    found: &mut BTreeSet<Subject>,
) -> Result<(), Failure> {
    let domain = text.to_lowercase();
    if !domain.contains('.') {
        return Ok(());
    }
    let organisations = [
        SubjectKind::Customer,
        SubjectKind::Partner,
        SubjectKind::Tenant,
    ];
    let pepper = pepper_of(store)?;
    for kind in KINDS.iter().filter(|kind| holds_domain(kind)) {
        for event in store.of_kind(kind.id, Position(0)) {
            let event = event.map_err(|e| read_failure(&e))?;
            let data = event.payload.write_json(pepper);
            if says(&data, &domain) {
                let subjects = event.subjects().into_iter();
                found.extend(subjects.filter(|subject| organisations.contains(&subject.kind)));
            }
        }
    }
    Ok(())
}

fn holds_domain(kind: &KindInfo) -> bool {
    fn in_shape(shape: &Shape) -> bool {
        match shape {
            Shape::Text(name) => *name == "DomainName",
            Shape::Optional(inner) | Shape::List(inner) => in_shape(inner),
            Shape::Record(_, fields) => fields.iter().any(|field| in_shape(&field.shape)),
            Shape::Names(..)
            | Shape::Integer(..)
            | Shape::Boolean
            | Shape::Date
            | Shape::Instant
            | Shape::Secret(_)
            | Shape::Choice(..) => false,
        }
    }
    (kind.fields)().iter().any(|field| in_shape(&field.shape))
}

fn says(value: &Value, text: &str) -> bool {
    match value {
        Value::String(one) => one == text,
        Value::Array(list) => list.iter().any(|one| says(one, text)),
        Value::Object(map) => map.values().any(|one| says(one, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

type Row = (SubjectKind, String, u64);

fn write(session: &mut Session, rows: Vec<Row>) -> Result<(), Failure> {
    let json = |(kind, subject, events): &Row| json!({ "subject": subject, "kind": kind.name(), "events": events });
    match session.format {
        Format::Table if rows.is_empty() => Ok(()),
        Format::Table => {
            let rows = rows.iter().map(|(_, s, n)| vec![s.clone(), n.to_string()]);
            session
                .out
                .text(&table::table(&["subject", "events"], &[1], rows.collect()))
        }
        Format::Json => {
            let found: Vec<Value> = rows.iter().map(json).collect();
            session
                .out
                .json(&json!({ "schema": "actl.find/1", "found": found }))
        }
        Format::Jsonl => rows
            .iter()
            .try_for_each(|row| session.out.json_line(&json(row))),
    }
}
