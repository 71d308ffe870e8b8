//! The view of a seat: a machine, its installs, and the licence state of each (DOMAIN sections 5.5
//! and A "Seats").
//!
//! Follows: nothing but the machine's own history.

use crate::policy;
use crate::seen::Seen;
use crate::view::{Fold, kind_ids, shown_option};
use ledger::event::word::{LicenseState, RevalidationFailure};
use ledger::event::{Event, KindId, Payload};
use ledger::id::{Name, TenantId};
use ledger::kinds;
use ledger::secret::PersonId;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use serde::Serialize;

/// The projection.
#[derive(Debug)]
pub struct Seat;

impl Fold for Seat {
    type State = ();
    type View = Option<SeatView>;

    const KIND: SubjectKind = SubjectKind::Seat;
    const DOC: &'static str = "A seat: a machine, its installs, and the licence state of each.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![AgentStarted LicenseStateObserved MachineBumped MachineRegistered NotifierStarted OfficeInstalled RevalidationFailed SeatLicensed SeatProvisioned SeatReset SeatRevalidated UserAuthenticated];

    fn evolve((): &mut (), _subject: &Subject, _event: &Event) {}

    fn view((): &(), subject: &Subject, seen: &Seen<'_>) -> Option<SeatView> {
        fold(seen, subject)
    }
}

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

/// What one install on a machine looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstallView {
    /// Which install, where the source tells them apart.
    pub install: Option<Name>,
    /// Its version.
    pub version: Option<Name>,
    /// Its state.
    pub state: SeatState,
    /// Until when it is licensed (`t < limit`).
    #[serde(serialize_with = "shown_option")]
    pub valid_until: Option<Timestamp>,
    /// Until when the grace that it is in lasts (`t < limit`).
    #[serde(serialize_with = "shown_option")]
    pub grace_until: Option<Timestamp>,
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

/// What a seat looked like: the present install first hand, former ones in `former`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeatView {
    /// The machine, as pseudonym.
    pub machine: String,
    /// The user, as pseudonym; attached at the first sign-in.
    #[serde(serialize_with = "shown_option")]
    pub user: Option<PersonId>,
    /// The tenant; attached at the first sign-in (R26).
    pub tenant: Option<TenantId>,
    /// The present install.
    #[serde(flatten)]
    pub present: InstallView,
    /// The state that a tool printed last.
    pub observed_state: Option<&'static str>,
    /// When it printed it.
    #[serde(serialize_with = "shown_option")]
    pub observed_at: Option<Timestamp>,
    /// How many installs came before.
    pub former_installs: usize,
}

/// What a state follows from; the state itself depends on when one looks.
#[derive(Debug, Clone, Copy, Default)]
enum Basis {
    #[default]
    Nothing,
    /// Installed; out-of-box grace until.
    OutOfBox(Timestamp),
    /// Licensed until; extended grace after that.
    Licensed(Timestamp),
    /// Extended grace until.
    Extended(Timestamp),
    /// Reduced.
    Reduced,
}

impl Basis {
    fn state_at(self, at: Timestamp) -> SeatState {
        match self {
            Self::Nothing => SeatState::Unknown,
            Self::OutOfBox(until) if at < until => SeatState::OobGrace,
            Self::Licensed(until) if at < until => SeatState::Licensed,
            Self::Licensed(until) if at < until.plus_days(policy::SEAT_GRACE_DAYS) => {
                SeatState::ExtendedGrace
            }
            Self::Extended(until) if at < until => SeatState::ExtendedGrace,
            Self::OutOfBox(_) | Self::Licensed(_) | Self::Extended(_) | Self::Reduced => {
                SeatState::Notifications
            }
        }
    }

    fn grace_until(self, at: Timestamp) -> Option<Timestamp> {
        match (self.state_at(at), self) {
            (SeatState::OobGrace, Self::OutOfBox(until)) => Some(until),
            (SeatState::ExtendedGrace, Self::Extended(until)) => Some(until),
            (SeatState::ExtendedGrace, Self::Licensed(until)) => {
                Some(until.plus_days(policy::SEAT_GRACE_DAYS))
            }
            _ => None,
        }
    }
}

/// Folds the view of a seat; `None` if no event that is seen names it.
pub fn fold(at: &Seen<'_>, machine: &Subject) -> Option<SeatView> {
    let mut seat = None;
    let mut basis = Basis::default();
    for event in at.of_any([machine]) {
        let seat = seat.get_or_insert_with(|| new_seat(machine));
        evolve(seat, &mut basis, machine, &event);
    }
    let mut seat = seat?;
    let now = at.point().valid_at;
    seat.present.state = basis.state_at(now);
    seat.present.grace_until = basis.grace_until(now);
    Some(seat)
}

fn new_seat(machine: &Subject) -> SeatView {
    SeatView {
        machine: machine.id.clone(),
        user: None,
        tenant: None,
        present: new_install(None, None),
        observed_state: None,
        observed_at: None,
        former_installs: 0,
    }
}

fn new_install(install: Option<Name>, version: Option<Name>) -> InstallView {
    InstallView {
        install,
        version,
        state: SeatState::Unknown,
        valid_until: None,
        grace_until: None,
        last_validated: None,
        bumped: false,
        registered: false,
        agent_started: false,
        notifier_started: false,
    }
}

fn attach(seat: &mut SeatView, user: Option<PersonId>, tenant: Option<&TenantId>) {
    seat.user = seat.user.or(user);
    seat.tenant = seat.tenant.take().or_else(|| tenant.cloned());
}

fn license(seat: &mut SeatView, basis: &mut Basis, at: Timestamp, valid_until: Timestamp) {
    // Validity never moves back but by a reset (invariant 13).
    let until = seat
        .present
        .valid_until
        .map_or(valid_until, |before| before.max(valid_until));
    seat.present.valid_until = Some(until);
    seat.present.last_validated = Some(at);
    seat.present.registered = true;
    *basis = Basis::Licensed(until);
}

fn evolve(seat: &mut SeatView, basis: &mut Basis, machine: &Subject, event: &Event) {
    let at = event.occurred_at.start;
    match &event.payload {
        Payload::OfficeInstalled(installed) => {
            let same = seat.present.install == installed.install
                && seat.present.version == installed.version
                && !matches!(basis, Basis::Nothing)
                && installed.install.is_some();
            if same {
                return;
            }
            if !matches!(basis, Basis::Nothing) {
                seat.former_installs += 1;
                seat.user = None;
                seat.tenant = None;
            }
            let before = seat.present.clone();
            seat.present = new_install(installed.install.clone(), installed.version.clone());
            // A reinstall does not undo that another machine took the place.
            seat.present.bumped = before.bumped;
            *basis = Basis::OutOfBox(at.plus_days(policy::SEAT_GRACE_DAYS));
        }
        Payload::AgentStarted(_) => seat.present.agent_started = true,
        Payload::NotifierStarted(_) => seat.present.notifier_started = true,
        Payload::UserAuthenticated(who) => attach(seat, Some(who.user.id), who.tenant.as_ref()),
        Payload::SeatProvisioned(given) => {
            attach(seat, Some(given.user.id), Some(&given.tenant));
        }
        Payload::MachineRegistered(registered) => {
            attach(seat, Some(registered.user.id), Some(&registered.tenant));
            seat.present.registered = true;
            seat.present.bumped = false;
        }
        Payload::SeatLicensed(licensed) => {
            let user = licensed.user.as_ref().map(|user| user.id);
            attach(seat, user, licensed.tenant.as_ref());
            license(seat, basis, at, licensed.valid_until);
        }
        Payload::SeatRevalidated(again) => {
            let user = again.user.as_ref().map(|user| user.id);
            attach(seat, user, again.tenant.as_ref());
            license(seat, basis, at, again.valid_until);
        }
        Payload::RevalidationFailed(failed) => match failed.cause {
            RevalidationFailure::Bumped | RevalidationFailure::Deprovisioned => {
                // Contact never restarts a grace that runs already (section A, "Seats").
                if basis.state_at(at) == SeatState::Licensed {
                    *basis = Basis::Extended(at.plus_days(policy::SEAT_GRACE_DAYS));
                }
            }
            RevalidationFailure::Cancelled => *basis = Basis::Reduced,
            RevalidationFailure::Offline
            | RevalidationFailure::Clock
            | RevalidationFailure::Service
            | RevalidationFailure::ComponentMissing
            | RevalidationFailure::Authentication => {}
        },
        Payload::MachineBumped(bumped) => {
            let subject = ledger::event::subject_of(&bumped.machine.id);
            if subject == *machine {
                seat.present.bumped = true;
                seat.present.registered = false;
            }
        }
        Payload::SeatReset(_) => {
            seat.present.valid_until = None;
            seat.user = None;
            seat.tenant = None;
            *basis = Basis::Reduced;
        }
        Payload::LicenseStateObserved(observed) => {
            seat.observed_state = Some(observed.state.as_str());
            seat.observed_at = Some(at);
            if matches!(basis, Basis::Nothing) && observed.state == LicenseState::Notifications {
                *basis = Basis::Reduced;
            }
        }
        kinds![
            AccountProfileCreated AcknowledgementShown ActivationEmailBounced
            ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
            ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
            ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
            ActivationStatusObserved AgreementRenewedAs AgreementSigned AuthorizationReceived
            BypassTransitioned CaseClosed CaseOpened ClockSkewObserved ConfirmationGiven
            ContactChanged CreditConsumed CreditExpired CreditForfeited CreditLotActivated
            CustomerRegistered CustomersRelated DelegatedAdminGranted DelegatedAdminRevoked
            DesktopSetupRun DomainOptionChosen DomainRemoved DomainVerified EndDateCorrected
            ExistingSubscriptionsShown FindingConfirmed FindingDismissed IdentityVerified
            ImportRecorded IncarnationBegun KeyEntered KeyIssued KeyReissued KeyRejected
            KeyRevealed KeysRedeemed LicensesAssigned LicensesUnassigned MachineKeyIssued
            OnlineServicesIdAdded OrderAmended OrderCancelled OrderPlaced OrderRelayed
            OrderReturned PartnerRegistered PartyNotified
            PersonErased PersonalDataRevealed PersonsMerged ProfileEntered ProvisioningConfirmed
            RedemptionAbandoned RedemptionModeChosen RedemptionOutcomeDiverged
            RedemptionReversed RedemptionReviewed RedemptionStarted RedemptionSubmitted
            ReservationCancelled ReservationPlaced ScenarioAssessed SeatResetRequested
            SeatsAdded SeatsReassigned SeatsReduced SeatsTransferred ServicesAutoAssigned
            ServicesBoundToTenant SessionEnded SessionStarted SignInChosen SignUpChosen
            SourceRecordKept SubscriptionCancelled SubscriptionDeleted SubscriptionDisabled
            SubscriptionExpired SubscriptionObserved SubscriptionReactivated SubscriptionRenewed
            SubscriptionStarted SubscriptionsReviewed SupportEscalated TblParametersSet
            TenantCreated TenantObserved TenantRemapped TenantRetired TenantRoleAssigned
            TenantRoleRemoved TrialAbandoned TrialConverted TrialDataDeleted
            TrialDeletionAdvised TrialExpired TrialStarted UserDeprovisioned UserNotified
            UserPrompted UserReprovisioned VlRoleAssigned VlRoleRemoved
        ] => {}
    }
}
