use crate::audited::kept_failure;
use crate::error::{Failure, Outcome};
use crate::format::Format;
use crate::format::audit::Origins;
use crate::format::walk as form;
use crate::ground::Ground;
use crate::session::Session;
use crate::subject;
use ledger::id::EventId;
use ledger::secret::{Keyring, PublicKeyring};
use ledger::store::Store;
use ledger::subject::Subject;
use projections::{At, Point};
use replay::audit::kept::KeptFindings;
use replay::audit::walk::{Step, walk};

/// What is walked through.
pub struct Walked {
    subject: Subject,
    until: Option<EventId>,
}

impl Walked {
    /// What was named, and the event up to which.
    pub fn named(
        session: &Session,
        named: &str,
        until: Option<&str>,
        of_files: bool,
    ) -> Result<Self, Failure> {
        let place = &session.place;
        let subject = subject::read(named, &mut || match of_files {
            true => Ok(PublicKeyring.pepper()),
            false => Ok(place.read_vault()?.pepper()),
        })?;
        let until = until.map(event).transpose()?;
        Ok(Self { subject, until })
    }

    /// Walks through histories in memory.
    pub fn through(&self, at: &At<'_>) -> Option<Vec<Step>> {
        walk(at, &self.subject, self.until)
    }

    /// Walks through what a store has of it at a point.
    pub fn through_store(&self, store: &Store, point: Point) -> Result<Option<Vec<Step>>, Failure> {
        let ground = Ground::open(store)?;
        let kept = KeptFindings::open(store).map_err(|error| kept_failure(&error))?;
        let steps = kept.walk(ground.stored(), point, &self.subject, self.until);
        ground.close();
        steps.map_err(|error| kept_failure(&error))
    }
}

/// Writes down every step of a walk. Exit code 1 if a rule is awake at the end.
pub fn show(
    session: &mut Session,
    origins: &Origins,
    walked: &Walked,
    steps: Option<Vec<Step>>,
) -> Result<Outcome, Failure> {
    let subject = &walked.subject;
    let steps = steps.ok_or_else(|| {
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
