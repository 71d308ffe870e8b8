use crate::error::{Failure, Outcome};
use crate::format::{Format, table};
use crate::import::Refusal;
use crate::import::locate::value_at;
use crate::keyring::PepperOnly;
use crate::place::append_failure;
use crate::session::Session;
use crate::subject;
use ledger::event::json::read_fact;
use ledger::id::{Position, Revision};
use ledger::secret::Keyring;
use ledger::store::{Condition, Known, Receipt};
use serde_json::{Value, json};
use std::io::Read;

const EVENT_LENGTH_MAX_BYTES: u64 = 4 << 20;

/// Append one event, if all conditions hold.
///
/// Reads the event in its JSON form from standard input, or from the argument; an event with a key
/// or a person in it belongs on standard input, because arguments are seen by others. Prints the
/// receipt. An event that is known already gets its first receipt again. Exit code 4 if a condition
/// does not hold; nothing is appended then. Makes the store and its vault if there are none.
#[derive(Debug, clap::Args)]
pub struct Append {
    /// The event; without it, or with `-`, it is read from standard input.
    event: Option<String>,

    /// Only if exactly so many events name the subject.
    #[arg(long, value_name = "SUBJECT@REVISION")]
    expect: Vec<String>,

    /// Only if no event names the subject.
    #[arg(long, value_name = "SUBJECT")]
    expect_absent: Vec<String>,

    /// Only if no event after the position names the subject.
    #[arg(long, value_name = "SUBJECT@POSITION")]
    expect_unchanged: Vec<String>,
}

impl Append {
    /// Appends it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let text = match self.event.as_deref() {
            None | Some("-") => read_stdin()?,
            Some(text) => text.to_owned(),
        };
        let value: Value = serde_json::from_str(&text).map_err(|error| {
            let hint =
                "the event has to be one whole JSON object; `actl schema events` describes it";
            Failure::new(
                "cannot append the event",
                format!("it is not JSON: {error}"),
                hint,
            )
        })?;
        own_command(&value)?;
        let prepared = session.place.prepare()?;
        let pepper = prepared.vault().pepper();
        let conditions = self.conditions(&mut || Ok(pepper.clone()))?;
        // Nothing is made for an event that cannot be read.
        let mut check = PepperOnly(pepper);
        read_fact(&value, &mut check).map_err(|error| refused(&text, &error))?;
        let mut open = session.place.make(prepared)?;
        let fact = read_fact(&value, &mut open.vault).map_err(|error| refused(&text, &error))?;
        open.vault.save()?;
        let id = fact.id;
        let receipt = open
            .store
            .append(vec![fact], &conditions, Known::Refuse)
            .map_err(|error| append_failure("cannot append the event", &error))?;
        session.place.close(open.store)?;
        write(session, &receipt, &id.to_string())?;
        Ok(Outcome::Clean)
    }

    fn conditions(
        &self,
        pepper: &mut dyn FnMut() -> Result<ledger::secret::Pepper, Failure>,
    ) -> Result<Vec<Condition>, Failure> {
        let mut conditions = Vec::new();
        for text in &self.expect {
            let (subject, number) = numbered(text, "--expect")?;
            let subject = subject::read(subject, pepper)?;
            let revision = Revision(number);
            conditions.push(Condition::SubjectAt { subject, revision });
        }
        for text in &self.expect_absent {
            let subject = subject::read(text, pepper)?;
            conditions.push(Condition::SubjectAbsent { subject });
        }
        for text in &self.expect_unchanged {
            let (subject, number) = numbered(text, "--expect-unchanged")?;
            let subject = subject::read(subject, pepper)?;
            let position = Position(number);
            conditions.push(Condition::SubjectUnchangedSince { subject, position });
        }
        Ok(conditions)
    }
}

/// Refuses the events that only their own commands may make, because more has to happen with them.
fn own_command(value: &Value) -> Result<(), Failure> {
    let command = match value.get("kind").and_then(Value::as_str) {
        Some("PersonErased") => "actl person erase",
        Some("PersonsMerged") => "actl person merge",
        Some("PersonalDataRevealed") => "--reveal",
        _ => return Ok(()),
    };
    let why = format!("an event of this kind comes about by `{command}` only");
    let hint = "use that; `actl help person` says how";
    Err(Failure::new("cannot append the event", why, hint))
}

fn read_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let mut stdin = std::io::stdin().lock().take(EVENT_LENGTH_MAX_BYTES);
    stdin.read_to_string(&mut text).map_err(|error| {
        let hint = "give one event as UTF-8 text";
        Failure::new(
            "cannot read the event from standard input",
            error.to_string(),
            hint,
        )
    })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn refused(text: &str, error: &ledger::event::field::FieldError) -> Failure {
    let before = text.get(..value_at(text, &error.path)).unwrap_or_default();
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
    let refusal = Refusal::field(line, column as u64 + 1, error);
    let what = format!("cannot append the event{}", refusal.place());
    Failure::new(what, refusal.reason, refusal.hint)
}

fn numbered<'t>(text: &'t str, option: &str) -> Result<(&'t str, u64), Failure> {
    let parts = text.rsplit_once('@');
    parts
        .and_then(|(subject, number)| Some((subject, number.trim().parse().ok()?)))
        .ok_or_else(|| {
            Failure::new(
                format!("cannot read {option}"),
                "it does not have the form SUBJECT@NUMBER",
                "for example tenant:contoso.onmicrosoft.example@3",
            )
        })
}

fn write(session: &mut Session, receipt: &Receipt, id: &str) -> Result<(), Failure> {
    let recorded = receipt.recorded_at.map(|time| time.to_string());
    let value = json!({
        "schema": "actl.receipt/1",
        "event": id,
        "position": receipt.last.0,
        "appended": receipt.appended,
        "known": receipt.known,
        "recorded_at": recorded,
    });
    match session.format {
        Format::Table => {
            let did = if receipt.appended > 0 {
                "appended"
            } else {
                "known already"
            };
            session.out.text(&table::pairs(&[
                ("receipt", did.to_owned()),
                ("event", id.to_owned()),
                ("position", receipt.last.to_string()),
                ("recorded", recorded.unwrap_or_default()),
            ]))
        }
        Format::Json => session.out.json(&value),
        Format::Jsonl => session.out.json_line(&value),
    }
}
