//! The view of a seat: a machine, its present install, its licence state and the components that
//! keep it (DOMAIN sections 5.5 and A "Seats"; S3).

mod observe;
mod state;

use crate::policy::{Cancellation, Policies};
use crate::seen::Seen;
use crate::view::person::Person;
use crate::view::{Fold, kind_ids, shown_each, shown_option};
use ledger::event::{Event, KindId};
use ledger::id::{CaseId, Name, SubscriptionId, TenantId};
use ledger::secret::{Last5, MachineId, PersonId};
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::Timestamp;
pub use observe::Printed;
use serde::Serialize;
use state::Basis;
pub use state::State;
use std::collections::{BTreeMap, BTreeSet};

/// The projection.
#[derive(Debug)]
pub struct Seat;

/// The four licence states (R21), and what a seat is in before anything is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum SeatState {
    /// Nothing says that Office was installed or licensed.
    Unknown,
    /// Installed within the last days and not activated yet; full function.
    OobGrace,
    /// Licensed; full function.
    Licensed,
    /// Not revalidated in time; full function, at risk.
    ExtendedGrace,
    /// Reduced functionality mode.
    Notifications,
}

/// What one install on a machine looked like, apart from its state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Install {
    /// Which install, where the source tells them apart.
    pub install: Option<Name>,
    /// Its version.
    pub version: Option<Name>,
    /// Its product.
    pub product: Option<Name>,
    /// When it was installed.
    #[serde(serialize_with = "shown_option")]
    pub installed_at: Option<Timestamp>,
    /// Until when it is licensed (`t < limit`).
    #[serde(serialize_with = "shown_option")]
    pub valid_until: Option<Timestamp>,
    /// The first time that it was licensed.
    #[serde(serialize_with = "shown_option")]
    pub first_validated: Option<Timestamp>,
    /// The last time that it was licensed or revalidated.
    #[serde(serialize_with = "shown_option")]
    pub last_validated: Option<Timestamp>,
    /// Whether it lost its place to another machine.
    pub bumped: bool,
    /// Whether it is registered at the subscription service.
    pub registered: bool,
    /// Whether the agent's core service was started on it.
    pub agent_started: bool,
    /// Whether the notifier was started on it.
    pub notifier_started: bool,
}

/// What a seat looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeatView {
    /// The machine, as pseudonym.
    pub machine: String,
    /// The user, as pseudonym; attached at the first sign-in.
    #[serde(serialize_with = "shown_option")]
    pub user: Option<PersonId>,
    /// The tenant; attached at the first sign-in (R26).
    pub tenant: Option<TenantId>,
    /// The subscription that it is provisioned from, where a source says.
    pub subscription: Option<SubscriptionId>,
    /// Other tenants that reports of it name since then (W22).
    pub other_tenants: BTreeSet<TenantId>,
    /// Its state, one of four.
    pub state: SeatState,
    /// The present install.
    #[serde(flatten)]
    pub present: Install,
    /// Until when the grace that it is in lasts (`t < limit`).
    #[serde(serialize_with = "shown_option")]
    pub grace_until: Option<Timestamp>,
    /// When it enters reduced functionality if nothing happens (`t < limit`); absent once it has.
    #[serde(serialize_with = "shown_option")]
    pub reduced_from: Option<Timestamp>,
    /// Whether it counts among the five of its user (section A, "Seats").
    pub counted: bool,
    /// The machine that took its place, as pseudonym.
    #[serde(serialize_with = "shown_option")]
    pub bumped_for: Option<MachineId>,
    /// Machines whose place it took, as pseudonyms.
    #[serde(serialize_with = "shown_each")]
    pub took_place_of: BTreeSet<MachineId>,
    /// Whether its user was deprovisioned in its tenant and not provisioned again; the machine learns
    /// of it at its next contact.
    pub user_deprovisioned: bool,
    /// Components that were not seen to start on it though it is installed or licensed.
    pub components_missing: Vec<&'static str>,
    /// The last five characters of its machine key.
    #[serde(serialize_with = "shown_option")]
    pub machine_key_last5: Option<Last5>,
    /// Days that the machine key licenses.
    pub machine_key_ttl_days: Option<u32>,
    /// The service that issued the machine key.
    pub machine_key_by: Option<Name>,
    /// Days that a licence lasts, by the parameters of time based licensing.
    pub ttl_days: Option<i64>,
    /// Days that the extended grace lasts, by these parameters.
    pub grace_days: Option<i64>,
    /// The service that set these parameters.
    pub parameters_by: Option<Name>,
    /// When Desktop Setup ran last.
    #[serde(serialize_with = "shown_option")]
    pub setup_ran: Option<Timestamp>,
    /// How many times a user was asked for credentials.
    pub prompted: usize,
    /// How many times the notifier told a user what.
    pub notified: BTreeMap<&'static str, usize>,
    /// How many revalidations failed.
    pub failures: usize,
    /// Why the last one did.
    pub last_failure: Option<&'static str>,
    /// When that was.
    #[serde(serialize_with = "shown_option")]
    pub last_failure_at: Option<Timestamp>,
    /// How many times its licence was reset.
    pub resets: usize,
    /// With which tool last.
    pub reset_by: Option<&'static str>,
    /// Since when somebody waits for a reset.
    #[serde(serialize_with = "shown_option")]
    pub reset_requested: Option<Timestamp>,
    /// Support cases that asked for one.
    pub cases: BTreeSet<CaseId>,
    /// Seconds by which its clock was wrong; positive when ahead.
    pub clock_skew_seconds: Option<i64>,
    /// The state that a tool printed last for the subscription, one of eight.
    pub observed_state: Option<&'static str>,
    /// When it printed it.
    #[serde(serialize_with = "shown_option")]
    pub observed_at: Option<Timestamp>,
    /// Whether the print differs from what the seat was in then.
    pub observed_differs: bool,
    /// What tools printed last of each product.
    pub printed: BTreeMap<String, Printed>,
    /// How many installs came before.
    pub former_installs: usize,
    /// The policies that decided its state, as `name@version`.
    pub policies: BTreeSet<String>,
}

/// The time limits of one seat: its own parameters, else those of the policies.
#[derive(Debug, Clone, Copy)]
struct Limits {
    oob_days: i64,
    grace_days: i64,
    cancellation: Cancellation,
}

impl Limits {
    fn of(state: &State, policies: &Policies) -> Self {
        Self {
            oob_days: policies.limits.oob_grace_days,
            grace_days: state
                .grace_days
                .unwrap_or(policies.limits.extended_grace_days),
            cancellation: policies.cancellation,
        }
    }
}

impl Basis {
    /// The state at an instant, and until when it lasts, where it is a grace.
    fn stands(self, at: Timestamp, limits: Limits) -> (SeatState, Option<Timestamp>) {
        let grace = |state, until: Timestamp| match at < until {
            true => (state, Some(until)),
            false => (SeatState::Notifications, None),
        };
        match self {
            Self::Nothing => (SeatState::Unknown, None),
            Self::OutOfBox(since) => grace(SeatState::OobGrace, since.plus_days(limits.oob_days)),
            Self::Licensed(until) if at < until => (SeatState::Licensed, None),
            Self::Licensed(since) | Self::Extended(since) => {
                grace(SeatState::ExtendedGrace, since.plus_days(limits.grace_days))
            }
            Self::Cancelled(told, until) => match limits.cancellation {
                Cancellation::ReducesAtContact => (SeatState::Notifications, None),
                // Where it was in its grace already, that one goes on (section A, "Seats").
                Cancellation::GraceFirst => {
                    let since = until.map_or(told, |until| until.min(told));
                    grace(SeatState::ExtendedGrace, since.plus_days(limits.grace_days))
                }
            },
            Self::Reduced => (SeatState::Notifications, None),
        }
    }

    /// When it enters reduced functionality if nothing happens.
    fn reduced_from(self, limits: Limits) -> Option<Timestamp> {
        match self {
            Self::Nothing | Self::Reduced => None,
            Self::OutOfBox(since) => Some(since.plus_days(limits.oob_days)),
            Self::Licensed(since) | Self::Extended(since) => {
                Some(since.plus_days(limits.grace_days))
            }
            Self::Cancelled(..) => self.stands(Timestamp::from_micros(i64::MIN), limits).1,
        }
    }
}

impl State {
    /// Whether it counts among the five of its user: licensed, out of the box with a machine key, or
    /// offline in its extended grace; not if it was bumped or deprovisioned (section A, "Seats").
    pub(super) fn counts(&self, now: Timestamp, policies: &Policies) -> bool {
        let (state, _) = self.basis.stands(now, Limits::of(self, policies));
        let told_off = matches!(self.basis, Basis::Extended(_) | Basis::Cancelled(..));
        !self.present.bumped
            && match state {
                SeatState::Licensed => true,
                SeatState::OobGrace => self.machine_key_at.is_some(),
                SeatState::ExtendedGrace => !told_off,
                SeatState::Notifications | SeatState::Unknown => false,
            }
    }

    /// What the bump rules go by: the last validation, the install.
    pub(super) fn used(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.present.last_validated, self.present.installed_at)
    }

    /// Whose it is, and in which tenant.
    pub(super) fn holder(&self) -> (Option<PersonId>, Option<&TenantId>) {
        (self.user, self.tenant.as_ref())
    }
}

/// Folds the view of a seat; `None` if no event that is seen names it.
pub fn fold(seen: &Seen<'_>, machine: &Subject) -> Option<SeatView> {
    let view = seen.view::<Seat>(machine)?;
    Some(view.as_ref().clone())
}

impl Fold for Seat {
    type State = State;
    type View = SeatView;

    const KIND: SubjectKind = SubjectKind::Seat;
    const DOC: &'static str =
        "A seat: a machine, its install, its licence state, and the components that keep it.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const READS: &'static [SubjectKind] = &[SubjectKind::Person];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        AgentStarted ClockSkewObserved DesktopSetupRun LicenseStateObserved
        MachineBumped MachineKeyIssued MachineRegistered NotifierStarted OfficeInstalled
        RevalidationFailed SeatLicensed SeatProvisioned SeatReset SeatResetRequested
        SeatRevalidated TblParametersSet UserAuthenticated UserNotified UserPrompted
    ];

    fn evolve(state: &mut State, subject: &Subject, event: &Event) {
        state.evolve(subject, event);
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<SeatView> {
        let limits = Limits::of(state, seen.policies());
        let (stands, grace_until) = state.basis.stands(seen.now(), limits);
        let print = observe::speaking(state.printed.values());
        // Only the present basis is known: an older print is compared with nothing.
        let comparable = print.filter(|print| {
            Some(print.at) >= state.present.last_validated.or(state.present.installed_at)
        });
        let differs = comparable.is_some_and(|print| {
            let (then, _) = state.basis.stands(print.at, limits);
            then != SeatState::Unknown && observe::of_four(print.word).is_some_and(|p| p != then)
        });
        let person = state.user.map(|user| user.subject());
        let person = person.and_then(|person| seen.state::<Person>(&person));
        let deprovisioned = person.zip(state.tenant.as_ref());
        let in_use = state.basis != Basis::Nothing;
        let missing = [
            ("agent", state.present.agent_started),
            ("notifier", state.present.notifier_started),
        ];
        let mut policies = BTreeSet::new();
        if matches!(state.basis, Basis::Cancelled(..)) {
            policies.insert(limits.cancellation.policy().to_string());
        }
        Some(SeatView {
            machine: subject.id.clone(),
            user: state.user,
            tenant: state.tenant.clone(),
            subscription: state.subscription.clone(),
            other_tenants: state.other_tenants.clone(),
            state: stands,
            present: state.present.clone(),
            grace_until,
            reduced_from: state
                .basis
                .reduced_from(limits)
                .filter(|from| seen.now() < *from),
            counted: state.counts(seen.now(), seen.policies()),
            bumped_for: state.bumped_for,
            took_place_of: state.took_place_of.clone(),
            user_deprovisioned: deprovisioned
                .is_some_and(|(person, tenant)| person.is_deprovisioned(tenant)),
            components_missing: missing
                .iter()
                .filter(|(_, started)| in_use && !started)
                .map(|(component, _)| *component)
                .collect(),
            machine_key_last5: state.machine_key_last5,
            machine_key_ttl_days: state.machine_key_ttl_days,
            machine_key_by: state.machine_key_by.clone(),
            ttl_days: state.ttl_days,
            grace_days: state.grace_days,
            parameters_by: state.parameters_by.clone(),
            setup_ran: state.setup_ran,
            prompted: state.prompted,
            notified: state
                .notified
                .iter()
                .map(|(what, n)| (what.as_str(), *n))
                .collect(),
            failures: state.failures,
            last_failure: state.last_failure.map(|told| told.cause.as_str()),
            last_failure_at: state.last_failure.map(|told| told.at),
            resets: state.resets,
            reset_by: state.last_reset.map(|(tool, _)| tool.as_str()),
            reset_requested: state.reset_requested,
            cases: state.cases.clone(),
            clock_skew_seconds: state.clock_skew_seconds,
            observed_state: print.map(|print| print.state),
            observed_at: print.map(|print| print.at),
            observed_differs: differs,
            printed: state
                .printed
                .iter()
                .map(|(product, print)| (name(product.as_ref()), print.clone()))
                .collect(),
            former_installs: state.former_installs,
            policies,
        })
    }
}

/// The name that a product's print is listed under.
fn name(product: Option<&Name>) -> String {
    product.map_or("unnamed", Name::as_str).to_owned()
}
