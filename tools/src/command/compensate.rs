use crate::error::{Class, Failure, Outcome};
use crate::format::{Format, compensate as form, table};
use crate::histories::{self, PointArgs};
use crate::place::append_failure;
use crate::session::Session;
use ledger::event::Source;
use ledger::id::{CaseId, Name, TextError};
use ledger::secret::Keyring;
use ledger::store::Known;
use ledger::time::Occurred;
use replay::compensate::{Details, Refusal, apply, plan};
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A file of keys holds a few lines.
const KEY_FILE_MAX_BYTES: u64 = 1 << 16;

/// Plan how a wrong-tenant redemption is undone, and record each step when it was done.
#[derive(Debug, clap::Args)]
pub struct Compensate {
    #[command(subcommand)]
    command: CompensateCommand,
}

#[derive(Debug, clap::Subcommand)]
enum CompensateCommand {
    Plan(Plan),
    Apply(Box<Apply>),
}

/// Show who has to agree, which steps are done, which comes next, and how it will end.
///
/// Writes nothing. Exit code 4 if the finding cannot be planned for: it was dismissed, the record
/// does not say which tenant is right, or something later depends on what landed.
#[derive(Debug, clap::Args)]
struct Plan {
    /// The finding, as the audit names it.
    finding: String,

    #[command(flatten)]
    point: PointArgs,
}

/// Record that a step of the plan was done.
///
/// The steps are recorded in their order, each once; the same again is answered and changes nothing.
/// Nothing is recorded if any subject of the plan has moved since the plan was made (with --as-of:
/// since that position): exit code 4. A new key is read from a file or from standard input.
#[derive(Debug, clap::Args)]
struct Apply {
    /// The finding, as the audit names it.
    finding: String,

    /// The number of the step.
    #[arg(long, value_name = "N")]
    step: usize,

    /// When it was done.
    #[arg(long, value_name = "TIME")]
    occurred_at: String,

    /// Who says so, and under which record there.
    #[arg(long, value_name = "SYSTEM:RECORD")]
    source: String,

    /// The number of the support case.
    #[arg(long)]
    case: Option<String>,

    /// The address of the person who confirmed, asked, agreed, signed in or redeemed; `-` reads it
    /// from standard input.
    #[arg(long, value_name = "ADDRESS")]
    person: Option<String>,

    /// The number of the mail or form that proves an agreement.
    #[arg(long)]
    proof: Option<String>,

    /// The file with the new keys, one a line; without it they are read from standard input.
    #[arg(long, value_name = "PATH")]
    key_file: Option<PathBuf>,

    /// The session of the new sign-in.
    #[arg(long)]
    session: Option<String>,

    /// The new redemption.
    #[arg(long)]
    redemption: Option<String>,

    /// The subscription in the right tenant.
    #[arg(long)]
    subscription: Option<String>,

    /// How the new key was redeemed: NewSubscription, AddKeepEnd or RenewPlus12.
    #[arg(long)]
    mode: Option<String>,

    /// How a party was told, or the case was opened: Portal, Phone, Mail or Partner.
    #[arg(long)]
    channel: Option<String>,

    /// The address of a user; may be given several times.
    #[arg(long, value_name = "ADDRESS")]
    user: Vec<String>,

    /// A corrected last day.
    #[arg(long, value_name = "DATE")]
    end: Option<String>,

    /// What could not be undone; may be given several times.
    #[arg(long)]
    residual: Vec<String>,

    #[command(flatten)]
    point: PointArgs,
}

impl Compensate {
    /// Plans or records.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self.command {
            CompensateCommand::Plan(plan) => plan.run(session),
            CompensateCommand::Apply(apply) => apply.run(session),
        }
    }
}

impl Plan {
    fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let histories = histories::gather(&session.place.open_store()?)?;
        let at = histories.at(self.point.point(&histories, histories::now())?);
        let made = plan(&at, self.finding.trim())
            .map_err(|refusal| refused("cannot plan a compensation", &refusal))?;
        match session.format {
            Format::Table => {
                let text = form::text(&made, crate::output::width());
                session.out.text(&text)?;
            }
            Format::Json => session.out.json(&form::json(&made))?,
            Format::Jsonl => session.out.json_line(&form::json(&made))?,
        }
        Ok(Outcome::Clean)
    }
}

impl Apply {
    fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let store = session.place.open_store()?;
        let mut vault = session.place.open_vault(&store)?;
        let histories = histories::gather(&store)?;
        let at = histories.at(self.point.point(&histories, histories::now())?);
        let finding = self.finding.trim();
        let what = format!("cannot record step {}", self.step);
        let made = plan(&at, finding).map_err(|refusal| refused(&what, &refusal))?;
        let step = made.steps.iter().find(|step| step.number == self.step);
        let takes_keys = step.is_some_and(|step| step.action.kind() == "KeyReissued");
        let details = self.details(takes_keys)?;
        // Nothing is written to the vault for a step that is refused.
        let mut check = crate::keyring::PepperOnly(vault.pepper());
        apply(&at, finding, self.step, &details, &mut check)
            .map_err(|refusal| refused(&what, &refusal))?;
        let applied = apply(&at, finding, self.step, &details, &mut vault)
            .map_err(|refusal| refused(&what, &refusal))?;
        let ids: Vec<String> = applied
            .facts
            .iter()
            .map(|fact| fact.id.to_string())
            .collect();
        if !applied.known {
            vault.save()?;
            store
                .append(applied.facts, &applied.guards, Known::Refuse)
                .map_err(|error| append_failure(what, &error))?;
        }
        session.place.close(store)?;
        let did = if applied.known {
            "recorded already"
        } else {
            "recorded"
        };
        let value = json!({
            "schema": "activation-ledger/compensation-step/1",
            "finding": finding,
            "step": self.step,
            "title": applied.title,
            "recorded": did,
            "events": ids,
        });
        match session.format {
            Format::Table => session.out.text(&table::pairs(&[
                ("step", format!("{} {}", self.step, applied.title)),
                ("receipt", did.to_owned()),
                ("event", ids.join(" ")),
            ]))?,
            Format::Json => session.out.json(&value)?,
            Format::Jsonl => session.out.json_line(&value)?,
        }
        Ok(Outcome::Clean)
    }

    fn details(&self, takes_keys: bool) -> Result<Details, Failure> {
        let occurred_at = Occurred::parse(self.occurred_at.trim()).ok_or_else(|| {
            let hint = "write an instant with its offset (2024-03-11T09:42:00Z), a minute (2024-03-11T09:42Z), a day (2024-03-11) or a month (2024-03)";
            Failure::new("cannot read --occurred-at", "it is no time", hint)
        })?;
        let mut details = Details::new(occurred_at, source(&self.source)?);
        let case = self.case.as_deref().map(CaseId::new).transpose();
        details.case = case.map_err(|error| wrong_text("--case", &error))?;
        details.person = match self.person.as_deref() {
            Some("-") => Some(read_stdin()?.trim().to_owned()),
            person => person.map(str::to_owned),
        };
        if takes_keys {
            let text = match &self.key_file {
                Some(path) => read_keys(path)?,
                None => read_stdin()?,
            };
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            details.keys = lines.map(str::to_owned).collect();
        }
        details.proof.clone_from(&self.proof);
        details.session.clone_from(&self.session);
        details.redemption.clone_from(&self.redemption);
        details.subscription.clone_from(&self.subscription);
        details.mode.clone_from(&self.mode);
        details.channel.clone_from(&self.channel);
        details.users.clone_from(&self.user);
        details.end.clone_from(&self.end);
        details.residuals.clone_from(&self.residual);
        Ok(details)
    }
}

fn source(text: &str) -> Result<Source, Failure> {
    let hint =
        "for example support:sr-4711; the record is the number under which that system keeps it";
    let (system, record) = text.split_once(':').ok_or_else(|| {
        Failure::new(
            "cannot read --source",
            "it does not have the form SYSTEM:RECORD",
            hint,
        )
    })?;
    let name = |text: &str| Name::new(text).map_err(|error| wrong_text("--source", &error));
    Ok(Source {
        system: name(system)?,
        record: Some(name(record)?),
    })
}

fn wrong_text(option: &str, error: &TextError) -> Failure {
    let hint = "keys belong into a file, and persons into --person or --user";
    Failure::new(format!("cannot read {option}"), format!("it {error}"), hint)
}

fn read_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let mut stdin = std::io::stdin().lock().take(KEY_FILE_MAX_BYTES);
    stdin.read_to_string(&mut text).map_err(|error| {
        Failure::new(
            "cannot read standard input",
            error.to_string(),
            "give it as UTF-8 text",
        )
    })?;
    Ok(text)
}

fn read_keys(path: &Path) -> Result<String, Failure> {
    let file = std::fs::File::open(path);
    let mut text = String::new();
    file.and_then(|file| file.take(KEY_FILE_MAX_BYTES).read_to_string(&mut text))
        .map_err(|error| {
            let what = format!("cannot read {}", crate::privacy::shown_path(path));
            Failure::new(
                what,
                error.to_string(),
                "give a text file with one new key a line",
            )
        })?;
    Ok(text)
}

/// A refusal as people see it: exit code 4, or 2 if the question was wrong.
fn refused(what: &str, refusal: &Refusal) -> Failure {
    let class = match refusal.is_misuse() {
        true => Class::CouldNotRun,
        false => Class::Refused,
    };
    Failure::new(what, refusal.to_string(), refusal.hint()).class(class)
}
