//! Recording a step: the events that say it was done, and the guards under which they may be
//! appended.

use super::build::Builder;
use super::ground::Ground;
use super::plan::{Plan, of_ground};
use super::refusal::Refusal;
use super::step::{Action, StepState};
use ledger::event::{Event, Fact, Source};
use ledger::id::{CaseId, EventId, Position};
use ledger::secret::Keyring;
use ledger::store::Condition;
use ledger::time::{Occurred, Timestamp};
use projections::{At, Histories};
use std::fmt;

/// What a person says of a step that was done. Texts are checked when the event is built.
#[derive(Clone)]
pub struct Details {
    /// When it was done.
    pub occurred_at: Occurred,
    /// Who says so, and under which record.
    pub source: Source,
    /// The support case.
    pub case: Option<CaseId>,
    /// The address of the person who confirmed, agreed, asked, signed in or redeemed.
    pub person: Option<String>,
    /// Number of the mail or form that proves an agreement.
    pub proof: Option<String>,
    /// The new keys, in the order of the old ones' last five characters.
    pub keys: Vec<String>,
    /// The session of the new sign-in.
    pub session: Option<String>,
    /// The new redemption.
    pub redemption: Option<String>,
    /// The subscription in the right tenant, or the one whose end date was corrected.
    pub subscription: Option<String>,
    /// How the new key was redeemed.
    pub mode: Option<String>,
    /// How a party was told, or the case was opened.
    pub channel: Option<String>,
    /// Addresses of users.
    pub users: Vec<String>,
    /// A corrected last day.
    pub end: Option<String>,
    /// What could not be undone.
    pub residuals: Vec<String>,
}

impl Details {
    /// Nothing but when it was done and who says so.
    pub fn new(occurred_at: Occurred, source: Source) -> Self {
        Self {
            occurred_at,
            source,
            case: None,
            person: None,
            proof: None,
            keys: Vec::new(),
            session: None,
            redemption: None,
            subscription: None,
            mode: None,
            channel: None,
            users: Vec::new(),
            end: None,
            residuals: Vec::new(),
        }
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses and keys stay out of every log.
        write!(f, "Details({}, {:?})", self.occurred_at, self.source)
    }
}

/// A guard of an append.
pub type Guard = Condition;

/// A step that was recorded already, or is to be appended.
#[derive(Debug, Clone)]
pub struct Applied {
    /// What the step is called.
    pub title: String,
    /// The events that record it.
    pub facts: Vec<Fact>,
    /// What has to hold when they are appended: nothing that the plan was made from has moved.
    pub guards: Vec<Guard>,
    /// Whether the ledger holds them already.
    pub known: bool,
}

/// Builds the events that record a step of the plan of a finding. Pure. Refuses a step out of order,
/// a step that was recorded with another content, and details that would not make the step done.
/// Keys and persons are protected with the keyring on the way. Costs two plans.
pub fn apply(
    at: &At<'_>,
    finding: &str,
    number: usize,
    details: &Details,
    keyring: &mut dyn Keyring,
) -> Result<Applied, Refusal> {
    let ground = Ground::of(at, finding)?;
    let plan = of_ground(&ground)?;
    let index = number.checked_sub(1);
    let step = index.and_then(|index| plan.steps.get(index));
    let step = step.ok_or(Refusal::NoSuchStep {
        step: number,
        last: plan.steps.len(),
    })?;
    let applied = |facts, known| Applied {
        title: step.title.clone(),
        facts,
        guards: guards(&plan),
        known,
    };
    match &step.state {
        StepState::Done { event, .. } => {
            let known = again(
                at,
                finding,
                step.number,
                step.action,
                *event,
                details,
                keyring,
            )?;
            Ok(applied(known, true))
        }
        StepState::NotNeeded => Err(Refusal::NotNeeded { step: number }),
        StepState::Waits { first } => {
            let waits_for = plan.steps.iter().find(|step| step.number == *first);
            Err(Refusal::NotYet {
                step: number,
                first: *first,
                title: waits_for.map_or_else(String::new, |step| step.title.clone()),
            })
        }
        StepState::Ready => {
            let facts = Builder::new(&ground, number, step.action, details, keyring).facts()?;
            fulfils(at, finding, step.action, &facts)?;
            Ok(applied(facts, false))
        }
    }
}

/// The conditions under which the plan still holds.
fn guards(plan: &Plan) -> Vec<Guard> {
    let unchanged = |subject: &ledger::subject::Subject| Condition::SubjectUnchangedSince {
        subject: subject.clone(),
        position: plan.as_of,
    };
    plan.subjects.iter().map(unchanged).collect()
}

/// The same details once more: built from what was known before the step was recorded, they give the
/// same events, or the second telling differs.
fn again(
    at: &At<'_>,
    finding: &str,
    number: usize,
    action: Action,
    event: EventId,
    details: &Details,
    keyring: &mut dyn Keyring,
) -> Result<Vec<Fact>, Refusal> {
    let differs = Refusal::RecordedOtherwise {
        step: number,
        event,
    };
    let position = at.event(event).map_or(0, |event| event.position.0);
    let earlier = at.as_of(Position(position.saturating_sub(1)));
    let Ok(ground) = Ground::of(&earlier, finding) else {
        return Err(differs);
    };
    let facts = Builder::new(&ground, number, action, details, keyring).facts();
    let facts = facts.map_err(|refusal| match refusal.is_misuse() {
        true => refusal,
        false => differs.clone(),
    })?;
    match facts.iter().all(|fact| at.event(fact.id).is_some()) {
        true => Ok(facts),
        false => Err(differs),
    }
}

/// Refuses events after which the step would not count as done.
fn fulfils(at: &At<'_>, finding: &str, action: Action, facts: &[Fact]) -> Result<(), Refusal> {
    let new = facts.iter().map(|fact| Event {
        position: Position(u64::MAX - 1),
        recorded_at: Timestamp::from_micros(0),
        fact: fact.clone(),
    });
    let histories = Histories::gather(at.all().cloned().chain(new));
    let after = histories.at(projections::Point::valid(at.point().valid_at));
    let done = Ground::of(&after, finding)?.recorded(action).is_some();
    match done {
        true => Ok(()),
        false => Err(Refusal::Wrong {
            why: "with these details the step would not count as done: check when it happened, in which tenant, and with which keys".to_owned(),
        }),
    }
}
