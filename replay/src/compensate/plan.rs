//! The plan: who agrees, which steps, what is not known yet, and whether the result is exact.

use super::ground::{Ground, Method};
use super::holders::to_free;
use super::obstacle;
use super::proof::{Proof, prove};
use super::radius::{Radius, radius};
use super::refusal::Refusal;
use super::step::{Action, Step, StepState};
use super::words;
use crate::audit::landing::LandingKind;
use ledger::event::word::{AuthorizingRole, ContactRole};
use ledger::id::{CaseId, FindingId, LicenseId, Position, TenantId};
use ledger::subject::Subject;
use ledger::time::Timestamp;
use projections::At;
use std::collections::BTreeSet;

/// Somebody who has to agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authoriser {
    /// In which role.
    pub role: AuthorizingRole,
    /// Who that is and what to bring, in a sentence without names of persons.
    pub who: String,
}

/// How one finding is compensated, and how far that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which finding.
    pub finding: FindingId,
    /// What went wrong, in a sentence.
    pub summary: String,
    /// How the vendor undoes it.
    pub method: Method,
    /// The tenant that it has to leave.
    pub wrong: TenantId,
    /// The tenant that it has to reach.
    pub right: TenantId,
    /// The agreement.
    pub license_id: Option<LicenseId>,
    /// The support case, once it was opened.
    pub case: Option<CaseId>,
    /// Who has to agree.
    pub authorisers: Vec<Authoriser>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What nobody knows before it happens: a name, and what is assumed for the proof.
    pub unknowns: Vec<(&'static str, String)>,
    /// A text for the support request. It holds no secret.
    pub request: String,
    /// Everything downstream.
    pub radius: Radius,
    /// Users who have to give up a licence first.
    pub users_to_free: usize,
    /// Whether the result will be exact.
    pub proof: Proof,
    /// Up to when things that happened count in it.
    pub valid_at: Timestamp,
    /// The last position that it was made from.
    pub as_of: Position,
    /// The subjects that it was made from: a step is recorded only while they are unchanged.
    pub subjects: BTreeSet<Subject>,
}

impl Plan {
    /// The step that comes next: the first that is ready and has to be done.
    pub fn next(&self) -> Option<&Step> {
        let ready = |step: &&Step| step.state == StepState::Ready;
        let mut steps = self.steps.iter().filter(ready);
        let first = steps.find(|step| !step.action.is_optional());
        first.or_else(|| self.steps.iter().find(ready))
    }

    /// Whether every step that has to be done is done.
    pub fn is_complete(&self) -> bool {
        let mut needed = self.steps.iter().filter(|step| !step.action.is_optional());
        needed.all(|step| step.state.is_over())
    }
}

/// Plans the compensation of a finding, or says why there is none. Pure. Costs an audit and a few
/// copies of the events that are seen.
pub fn plan(at: &At<'_>, finding: &str) -> Result<Plan, Refusal> {
    let ground = Ground::of(at, finding)?;
    of_ground(&ground)
}

pub(super) fn of_ground(ground: &Ground<'_>) -> Result<Plan, Refusal> {
    obstacle::check(ground)?;
    let users_to_free = match ground.method {
        Method::Reissue => to_free(ground).len(),
        Method::Remap => 0,
    };
    let radius = radius(ground);
    Ok(Plan {
        finding: ground.finding.id.clone(),
        summary: ground.finding.summary.clone(),
        method: ground.method,
        wrong: ground.wrong.clone(),
        right: ground.right.clone(),
        license_id: ground.landing.license_id.clone(),
        case: ground.case.clone(),
        authorisers: authorisers(ground),
        steps: steps(ground, users_to_free),
        unknowns: words::unknowns(ground),
        request: words::request(ground, &radius),
        users_to_free,
        proof: prove(ground),
        valid_at: ground.at.point().valid_at,
        as_of: ground.at.end(),
        subjects: ground.touched(),
        radius,
    })
}

/// Who has to agree, by program (E3, E4, P6).
fn authorisers(ground: &Ground<'_>) -> Vec<Authoriser> {
    roles(ground)
        .into_iter()
        .map(|role| Authoriser {
            role,
            who: words::authoriser(ground, role),
        })
        .collect()
}

fn roles(ground: &Ground<'_>) -> Vec<AuthorizingRole> {
    match ground.method {
        Method::Reissue => vec![AuthorizingRole::PrimaryContact],
        Method::Remap => {
            let manager = match ground.manager_role() {
                ContactRole::NoticesContact => AuthorizingRole::NoticesContact,
                ContactRole::OnlineServicesManager
                | ContactRole::PrimaryContact
                | ContactRole::OnlineAdministrator => AuthorizingRole::OnlineServicesManager,
            };
            vec![
                manager,
                AuthorizingRole::AdministratorOfSource,
                AuthorizingRole::AdministratorOfTarget,
            ]
        }
    }
}

fn actions(ground: &Ground<'_>) -> Vec<Action> {
    let mut actions = vec![Action::Confirm, Action::OpenCase];
    actions.extend(roles(ground).into_iter().map(Action::Authorise));
    match ground.method {
        Method::Reissue => {
            actions.extend([Action::Unassign, Action::Reverse]);
            if !ground.landing.keys.is_empty() {
                actions.push(Action::Reissue);
            }
            actions.extend([Action::SignIn, Action::Redeem, Action::CorrectEnd]);
        }
        Method::Remap => {
            actions.extend([Action::Remap, Action::Reassign, Action::TellUsers]);
            // A tenant that somebody's Sign Up has made exists for no other reason.
            if ground.landing.kind == LandingKind::SignUp {
                actions.push(Action::Retire);
            }
        }
    }
    actions.extend([Action::NotifyAffected, Action::NotifyOther, Action::Close]);
    actions
}

fn steps(ground: &Ground<'_>, users_to_free: usize) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (number, action) in (1..).zip(actions(ground)) {
        let first = steps
            .iter()
            .find(|step| !step.state.is_over() && !step.action.is_optional());
        let idle = action == Action::Unassign && users_to_free == 0;
        let state = match ground.recorded(action) {
            Some(event) if action != Action::Unassign || users_to_free == 0 => StepState::Done {
                event: event.id,
                at: event.occurred_at,
            },
            _ if idle => StepState::NotNeeded,
            _ => match first {
                Some(first) => StepState::Waits {
                    first: first.number,
                },
                None => StepState::Ready,
            },
        };
        steps.push(Step {
            number,
            action,
            title: words::title(ground, action, users_to_free),
            state,
        });
    }
    steps
}
