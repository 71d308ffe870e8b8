//! The view of one subject.

use super::{ViewArgs, why};
use crate::answer::{self, Answer};
use crate::error::{Failure, Outcome};
use crate::format::view as form;
use crate::ground::{Ground, readable};
use crate::near::near;
use crate::session::Session;
use crate::subject;
use ledger::secret::Keyring;
use ledger::store::Store;
use ledger::subject::{Subject, SubjectKind};
use projections::Seen;
use projections::query::{Listing, Row};

/// How many names are looked through for near ones.
const NAMES_READ: usize = 100_000;

pub(super) fn run(
    id: &str,
    args: &ViewArgs,
    kind: SubjectKind,
    session: &mut Session,
) -> Result<Outcome, Failure> {
    let store = session.place.open_store()?;
    let named = named(kind, id, &store, session)?;
    let ground = Ground::open(&store)?;
    let seen = Seen::new(ground.source(), ground.point(&args.point)?);
    let subjects = match named {
        Named::Subject(subject) => vec![subject],
        Named::Last5(last5) => ending_with(&seen, &last5),
    };
    let mut answers = Vec::new();
    for subject in &subjects {
        let Some(row) = row(&seen, subject) else {
            continue;
        };
        answers.push(match &args.why {
            None => {
                let pseudonyms = form::Pseudonyms::of(args.reveal.is_asked());
                let page = || form::page(&seen, subject, row.as_ref(), pseudonyms);
                Answer::of(session.format, page, || row.json())
            }
            Some(field) => why::answer(&store, &ground, &seen, subject, field, session.format)?,
        });
    }
    if answers.is_empty() {
        return Err(unknown(&seen, kind, id));
    }
    readable(&seen)?;
    let request = format!("{} show", kind.name());
    let request = subjects.first().map_or(request, Subject::to_string);
    let place = session.place.clone();
    answer::show(&answers, &args.reveal, &place, &store, &request, session)?;
    ground.close();
    if args.reveal.is_asked() {
        place.close(store)?;
    }
    Ok(Outcome::Clean)
}

enum Named {
    Subject(Subject),
    Last5(String),
}

fn named(kind: SubjectKind, id: &str, store: &Store, session: &Session) -> Result<Named, Failure> {
    let id = id.trim();
    if kind == SubjectKind::Key && id.len() == 5 {
        return Ok(Named::Last5(id.to_ascii_uppercase()));
    }
    let mut pepper = || Ok(session.place.open_vault(store)?.pepper());
    let text = format!("{}:{id}", kind.name());
    Ok(Named::Subject(subject::read(&text, &mut pepper)?))
}

fn row(seen: &Seen<'_>, subject: &Subject) -> Option<Box<dyn Row>> {
    (Listing::of(subject.kind)?.row)(seen, subject)
}

/// The keys that end with five characters. Costs a walk over the names of all keys.
fn ending_with(seen: &Seen<'_>, last5: &str) -> Vec<Subject> {
    let ending = format!("-{last5}");
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = seen.subjects(SubjectKind::Key, after.as_deref(), 1024);
        let matching = page.iter().filter(|id| id.ends_with(&ending));
        found.extend(matching.map(|id| Subject::new(SubjectKind::Key, id)));
        after = match page.into_iter().next_back() {
            Some(last) => Some(last),
            None => return found,
        };
    }
}

/// Fails if no event names a subject.
pub(super) fn known(seen: &Seen<'_>, kind: SubjectKind, id: &str) -> Result<(), Failure> {
    match row(seen, &Subject::new(kind, id.trim())) {
        Some(_) => Ok(()),
        None => Err(unknown(seen, kind, id)),
    }
}

fn unknown(seen: &Seen<'_>, kind: SubjectKind, id: &str) -> Failure {
    let name = kind.name();
    let shown = match kind {
        SubjectKind::Key if id.trim().len() == 5 => format!("key:…{}", id.trim()),
        // It may be an address, a key or a machine's name.
        SubjectKind::Key | SubjectKind::Seat | SubjectKind::Person => format!("this {name}"),
        _ => format!("{name}:{}", id.trim()),
    };
    let offered = match kind {
        // A pseudonym that is near another one means nothing.
        SubjectKind::Key | SubjectKind::Seat | SubjectKind::Person => Vec::new(),
        _ => {
            let known = seen.subjects(kind, None, NAMES_READ);
            near(id.trim(), known.iter().map(String::as_str))
        }
    };
    let hint = match offered.is_empty() {
        true => format!(
            "`actl {name}` lists those that are known; `actl find` looks for a part of a name"
        ),
        false => format!("did you mean {}?", offered.join(" or ")),
    };
    Failure::new(
        format!("cannot show {shown}"),
        format!("no event names this {name} at this point in time"),
        hint,
    )
}
