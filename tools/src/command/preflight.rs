use crate::audited;
use crate::error::{Failure, Outcome};
use crate::format::Format;
use crate::format::preflight as form;
use crate::ground::Ground;
use crate::histories::{self, PointArgs};
use crate::keyring::PepperOnly;
use crate::session::Session;
use ledger::event::field::FieldError;
use ledger::event::json::read_fact;
use ledger::event::{Fact, subject_of};
use ledger::id::{LicenseId, SessionId, TenantId, TextError};
use ledger::secret::Keyring;
use ledger::store::Store;
use projections::{Histories, Point};
use replay::audit::kept::KeptFindings;
use replay::audit::preflight::{Plan, Preflight as Judged, assumed, is_by_choice, preflight};
use std::io::Read;

const INPUT_MAX_BYTES: u64 = 1 << 14;

/// Say before a redemption or a sign-in which tenant is expected, and what would be found.
///
/// Judges the landing as if it had happened, by the same rules as the audit, and writes nothing. An
/// agreement of an Open program is judged as a redemption, of another program as a Sign In. Exit code
/// 0 if the tenant is the expected one, the session is clean and nothing would be found; otherwise 1.
#[derive(Debug, clap::Args)]
pub struct Preflight {
    /// The License ID that is about to be activated.
    #[arg(long, value_name = "LICENSE-ID")]
    agreement: String,

    /// The tenant that whoever does it is signed in to.
    #[arg(long, value_name = "TENANT")]
    tenant: String,

    /// The session in which it would be done.
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,

    /// The address of whoever would do it; `-` reads it from standard input.
    #[arg(long, value_name = "ADDRESS")]
    person: Option<String>,

    #[command(flatten)]
    point: PointArgs,
}

impl Preflight {
    /// Judges it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let plan = Plan {
            agreement: LicenseId::new(self.agreement.trim())
                .map_err(|error| wrong("--agreement", &error))?,
            tenant: TenantId::new(&self.tenant.trim().to_lowercase())
                .map_err(|error| wrong("--tenant", &error))?,
            session: self
                .session
                .as_deref()
                .map(|text| SessionId::new(text.trim()))
                .transpose()
                .map_err(|error| wrong("--session", &error))?,
        };
        let person = match self.person.as_deref().map(str::trim) {
            Some("-") => Some(read_stdin()?.trim().to_owned()),
            person => person.map(str::to_owned),
        };
        let store = session.place.open_store()?;
        let vault = session.place.open_vault(&store)?;
        let point = self.point.point_of(&store, histories::now())?;
        let world = World::open(&store, point)?;
        let Some(by_choice) = world.is_by_choice(&plan.agreement)? else {
            let why = format!("no event names agreement {} by then", plan.agreement);
            let hint = "import its order first, or correct the License ID";
            return Err(Failure::new("cannot judge it beforehand", why, hint));
        };
        // The person becomes a pseudonym only: nothing is kept of a question.
        let mut keyring = PepperOnly(vault.pepper());
        let facts = assumed(&plan, person.as_deref(), by_choice, point.valid_at)
            .iter()
            .map(|value| read_fact(value, &mut keyring).map_err(|error| refused(&error)))
            .collect::<Result<Vec<_>, Failure>>()?;
        let judged = world.judge(&store, &plan, facts)?.ok_or_else(|| {
            let hint = "please report this with the program of the agreement";
            Failure::new("cannot judge it beforehand", "it would be no landing", hint)
        })?;
        world.close();
        session.place.close(store)?;
        match session.format {
            Format::Table => {
                let text = form::text(&plan, &judged, crate::output::width());
                session.out.text(&text)?;
            }
            Format::Json => session.out.json(&form::json(&plan, &judged))?,
            Format::Jsonl => session.out.json_line(&form::json(&plan, &judged))?,
        }
        Ok(match judged.is_clean() {
            true => Outcome::Clean,
            false => Outcome::Findings,
        })
    }
}

/// What a landing is judged over.
enum World {
    /// The kept findings, brought up to the point.
    Kept(Box<KeptFindings>, Ground, Point),
    /// Everything that there is, in memory.
    Whole(Box<Histories>, Point),
}

impl World {
    /// The kept findings if they can answer for a point.
    fn open(store: &Store, point: Point) -> Result<Self, Failure> {
        if let Some(kept) = audited::kept_for(store, point)? {
            let ground = Ground::open(store)?;
            if audited::catch_up(&kept, ground.stored(), store, point.valid_at)? {
                return Ok(Self::Kept(Box::new(kept), ground, point));
            }
        }
        Ok(Self::Whole(Box::new(histories::gather(store)?), point))
    }

    /// Whether an agreement is activated by a choice; `None` if nothing names it.
    fn is_by_choice(&self, agreement: &LicenseId) -> Result<Option<bool>, Failure> {
        match self {
            Self::Kept(kept, ground, point) => kept
                .is_by_choice(ground.stored(), point.valid_at, agreement)
                .map_err(|error| audited::kept_failure(&error)),
            Self::Whole(histories, point) => {
                let at = histories.at(*point);
                let known = at.knows(&subject_of(agreement));
                Ok(known.then(|| is_by_choice(&at, agreement)))
            }
        }
    }

    /// Judges the facts of a plan as if they had happened; `None` if they make no landing.
    fn judge(
        &self,
        store: &Store,
        plan: &Plan,
        facts: Vec<Fact>,
    ) -> Result<Option<Judged>, Failure> {
        let point = match self {
            Self::Whole(histories, point) => {
                return Ok(preflight(&histories.at(*point), plan, facts));
            }
            Self::Kept(kept, ground, point) => {
                let judged = kept.preflight(ground.stored(), point.valid_at, plan, &facts);
                if let Some(judged) = judged.map_err(|error| audited::kept_failure(&error))? {
                    return Ok(judged);
                }
                point
            }
        };
        Ok(preflight(
            &histories::gather(store)?.at(*point),
            plan,
            facts,
        ))
    }

    fn close(&self) {
        if let Self::Kept(kept, ground, _) = self {
            audited::close(kept);
            ground.close();
        }
    }
}

fn wrong(option: &str, error: &TextError) -> Failure {
    let hint = "write it as the audit and the log show it";
    Failure::new(format!("cannot read {option}"), format!("it {error}"), hint)
}

fn refused(error: &FieldError) -> Failure {
    let why = format!("{} {}", error.path.join("."), error.reason);
    let hint = error
        .hint
        .clone()
        .unwrap_or_else(|| "correct it".to_owned());
    Failure::new("cannot judge it beforehand", why, hint)
}

fn read_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let mut stdin = std::io::stdin().lock().take(INPUT_MAX_BYTES);
    stdin.read_to_string(&mut text).map_err(|error| {
        let hint = "give the address as UTF-8 text";
        Failure::new("cannot read standard input", error.to_string(), hint)
    })?;
    Ok(text)
}
