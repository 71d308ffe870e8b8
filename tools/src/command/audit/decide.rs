use crate::audited::audited;
use crate::error::{Class, Failure, Outcome};
use crate::format::{Format, table};
use crate::histories::{self, PointArgs};
use crate::keyring::PepperOnly;
use crate::near::near;
use crate::place::append_failure;
use crate::session::Session;
use ledger::event::subject_of;
use ledger::secret::Keyring;
use ledger::store::{Condition, Known};
use ledger::time::Occurred;
use replay::audit::decide::{Decision, Verdict};
use serde_json::json;
use std::io::Read;

/// An address, or a reason of a few sentences.
const INPUT_MAX_BYTES: u64 = 1 << 14;

/// Record that a finding is right.
///
/// The event carries the digest of the evidence that was judged: when the evidence changes, the
/// finding is open again. Who decided and why are sealed. Recording the same again changes nothing.
#[derive(Debug, clap::Args)]
pub struct Confirm {
    #[command(flatten)]
    decide: Decide,
}

/// Record that nothing is wrong, and why.
///
/// The event carries the digest of the evidence that was judged: when the evidence changes, the
/// finding is open again. Who decided and why are sealed. Recording the same again changes nothing.
#[derive(Debug, clap::Args)]
pub struct Dismiss {
    #[command(flatten)]
    decide: Decide,
}

#[derive(Debug, clap::Args)]
struct Decide {
    /// The finding, as the audit names it.
    finding: String,

    /// The address of the person who decides; `-` reads it from standard input.
    #[arg(long, value_name = "ADDRESS")]
    by: String,

    /// Why, in a sentence.
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// When it was decided. Default: now.
    #[arg(long, value_name = "TIME")]
    occurred_at: Option<String>,

    #[command(flatten)]
    point: PointArgs,
}

impl Confirm {
    /// Records it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        self.decide.run(session, Verdict::Confirmed)
    }
}

impl Dismiss {
    /// Records it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        self.decide.run(session, Verdict::Dismissed)
    }
}

impl Decide {
    fn run(self, session: &mut Session, verdict: Verdict) -> Result<Outcome, Failure> {
        let (what, done) = match verdict {
            Verdict::Confirmed => ("cannot confirm the finding", "confirmed"),
            Verdict::Dismissed => ("cannot dismiss the finding", "dismissed"),
        };
        if self.reason.trim().is_empty() {
            let hint = "say in a sentence what was checked, and with whom";
            return Err(Failure::new(what, "a decision needs a reason", hint));
        }
        let store = session.place.open_store()?;
        let mut vault = session.place.open_vault(&store)?;
        let point = self.point.point_of(&store, histories::now())?;
        let end = store.end().min(point.as_of);
        let report = audited(&store, point)?;
        let id = self.finding.trim();
        let found = report.findings.iter().find(|one| one.id.as_str() == id);
        let Some(finding) = found else {
            let known = report.findings.iter().map(|one| one.id.as_str());
            let hint = match near(id, known).first() {
                Some(one) => format!("did you mean {one}?"),
                None => {
                    "`actl audit replay` lists the findings; look at the same --valid-at".to_owned()
                }
            };
            let why = "there is no such finding at this point in time";
            return Err(Failure::new(what, why, hint));
        };
        let by = match self.by.trim() {
            "-" => read_stdin(what)?,
            address => address.to_owned(),
        };
        let at_time = match self.occurred_at.as_deref() {
            None => Occurred::at(histories::now()),
            Some(text) => occurred(text)?,
        };
        let decision = Decision {
            verdict,
            by: by.trim(),
            reason: self.reason.trim(),
            at: at_time,
        };
        let known = finding.is_decided(verdict);
        let mut event = None;
        if !known {
            let refused = |error: ledger::event::field::FieldError| {
                let why = format!("{} {}", error.path.join("."), error.reason);
                let hint = error.hint.unwrap_or_else(|| "correct it".to_owned());
                Failure::new(what, why, hint)
            };
            // Nothing is written to the vault for a decision that cannot be read.
            let mut check = PepperOnly(vault.pepper());
            finding.decide(&decision, &mut check).map_err(refused)?;
            let fact = finding.decide(&decision, &mut vault).map_err(refused)?;
            event = Some(fact.id.to_string());
            vault.save()?;
            let unchanged = Condition::SubjectUnchangedSince {
                subject: subject_of(&finding.id),
                position: end,
            };
            store
                .append(vec![fact], &[unchanged], Known::Refuse)
                .map_err(|error| append_failure(what, &error))?;
        }
        let digest = finding.evidence_digest();
        let receipt = if known {
            "recorded already"
        } else {
            "recorded"
        };
        let value = json!({
            "schema": "activation-ledger/decision/1",
            "finding": finding.id.as_str(),
            "decision": done,
            "evidence_digest": digest,
            "recorded": receipt,
            "event": event,
        });
        let mut rows = vec![
            ("finding", format!("{} {done}", finding.id)),
            ("evidence", digest),
            ("receipt", receipt.to_owned()),
        ];
        rows.extend(event.map(|event| ("event", event)));
        session.place.close(store)?;
        match session.format {
            Format::Table => session.out.text(&table::pairs(&rows))?,
            Format::Json => session.out.json(&value)?,
            Format::Jsonl => session.out.json_line(&value)?,
        }
        Ok(Outcome::Clean)
    }
}

fn occurred(text: &str) -> Result<Occurred, Failure> {
    Occurred::parse(text.trim()).ok_or_else(|| {
        let hint = "write an instant with its offset (2024-03-11T09:42:00Z), or a day (2024-03-11)";
        Failure::new("cannot read --occurred-at", "it is no time", hint).class(Class::CouldNotRun)
    })
}

fn read_stdin(what: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let mut stdin = std::io::stdin().lock().take(INPUT_MAX_BYTES);
    stdin
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(what, error.to_string(), "give it as UTF-8 text"))?;
    Ok(text)
}
