use crate::error::{Failure, Outcome};
use crate::format::Format;
use crate::format::audit::Origins;
use crate::format::walk as form;
use crate::session::Session;
use crate::subject;
use ledger::id::EventId;
use ledger::secret::{Keyring, PublicKeyring};
use projections::At;
use replay::audit::walk::{Step, walk};

/// Walks through the history of a subject and writes down every step. Exit code 1 if a rule is awake
/// at the end.
pub fn show(
    session: &mut Session,
    at: &At<'_>,
    origins: &Origins,
    named: &str,
    until: Option<&str>,
    of_files: bool,
) -> Result<Outcome, Failure> {
    let place = &session.place;
    let subject = subject::read(named, &mut || match of_files {
        true => Ok(PublicKeyring.pepper()),
        false => Ok(place.read_vault()?.pepper()),
    })?;
    let until = until.map(event).transpose()?;
    let steps = walk(at, &subject, until).ok_or_else(|| {
        let why = format!("the event is not in the history of {subject}");
        let hint = format!("`actl log --subject {subject}` lists that history with its ids");
        Failure::new("cannot walk through the history", why, hint)
    })?;
    if steps.is_empty() {
        let why = format!("no event names {subject} at this point in time");
        let hint = "`actl find` looks for names that are like it";
        return Err(Failure::new("cannot walk through the history", why, hint));
    }
    match session.format {
        Format::Table => {
            let width = crate::output::width();
            let text = form::text(&subject.to_string(), &steps, origins, width);
            session.out.text(&text)?;
        }
        Format::Json => {
            let value = form::json(&subject.to_string(), &steps, origins);
            session.out.json(&value)?;
        }
        Format::Jsonl => {
            for step in &steps {
                session.out.json_line(&form::step(step, origins))?;
            }
        }
    }
    Ok(match awake(&steps) {
        true => Outcome::Findings,
        false => Outcome::Clean,
    })
}

/// Whether the last word of any rule is that it woke.
fn awake(steps: &[Step]) -> bool {
    let mut last = std::collections::BTreeMap::new();
    for answer in steps.iter().flat_map(|step| &step.answers) {
        last.insert((&answer.about, answer.code), answer.woke);
    }
    last.values().any(|woke| *woke)
}

fn event(text: &str) -> Result<EventId, Failure> {
    EventId::parse(text.trim()).ok_or_else(|| {
        let hint = "an event's id has 32 hexadecimal digits; `actl log --format jsonl` shows them";
        Failure::new("cannot read --until", "it is no event id", hint)
    })
}
