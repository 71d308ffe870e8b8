//! What the events of a machine add up to.

use super::Install;
use super::observe::Printed;
use crate::view::person;
use ledger::event::word::{LicenseState, NotifiedCondition, ResetTool, RevalidationFailure};
use ledger::event::{Event, Payload};
use ledger::id::{CaseId, Name, SubscriptionId, TenantId};
use ledger::kinds;
use ledger::secret::{Last5, MachineId, PersonId};
use ledger::subject::Subject;
use ledger::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What the licence state of an install follows from; the state itself depends on when one looks.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum Basis {
    #[default]
    Nothing,
    /// Installed at; out-of-box grace since.
    OutOfBox(Timestamp),
    /// Licensed until; extended grace after that.
    Licensed(Timestamp),
    /// Extended grace since.
    Extended(Timestamp),
    /// Learnt at that instant that the subscription was cancelled; licensed until.
    Cancelled(Timestamp, Option<Timestamp>),
    /// Reduced.
    Reduced,
}

/// What a contact said while the machine may still have been licensed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Told {
    pub(super) cause: RevalidationFailure,
    pub(super) at: Timestamp,
}

/// What the events of a machine add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    me: Option<MachineId>,
    pub(super) user: Option<PersonId>,
    pub(super) tenant: Option<TenantId>,
    pub(super) subscription: Option<SubscriptionId>,
    /// Tenants that later reports name, other than the one that the first sign-in attached (W22).
    pub(super) other_tenants: BTreeSet<TenantId>,
    pub(super) present: Install,
    pub(super) basis: Basis,
    pub(super) former_installs: usize,
    pub(super) ttl_days: Option<i64>,
    pub(super) grace_days: Option<i64>,
    pub(super) parameters_by: Option<Name>,
    pub(super) machine_key_last5: Option<Last5>,
    pub(super) machine_key_ttl_days: Option<u32>,
    pub(super) machine_key_by: Option<Name>,
    pub(super) machine_key_at: Option<Timestamp>,
    pub(super) setup_ran: Option<Timestamp>,
    pub(super) prompted: usize,
    pub(super) notified: BTreeMap<NotifiedCondition, usize>,
    pub(super) failures: usize,
    pub(super) last_failure: Option<Told>,
    pub(super) bumped_for: Option<MachineId>,
    pub(super) took_place_of: BTreeSet<MachineId>,
    pub(super) last_reset: Option<(ResetTool, Timestamp)>,
    pub(super) resets: usize,
    pub(super) reset_requested: Option<Timestamp>,
    pub(super) cases: BTreeSet<CaseId>,
    pub(super) clock_skew_seconds: Option<i64>,
    /// The last print of each product.
    pub(super) printed: BTreeMap<Option<Name>, Printed>,
}

impl State {
    fn is_me(&mut self, subject: &Subject, machine: MachineId) -> bool {
        if self.me.is_none() {
            self.me = person::pseudonym(subject).map(MachineId);
        }
        self.me == Some(machine)
    }

    /// User and tenant attach at the first sign-in (R26); what is named later is noted.
    fn attach(&mut self, user: Option<PersonId>, tenant: Option<&TenantId>) {
        self.user = self.user.or(user);
        match (&self.tenant, tenant) {
            (None, named) => self.tenant = named.cloned(),
            (Some(known), Some(named)) if known != named => {
                self.other_tenants.insert(named.clone());
            }
            (Some(_), _) => {}
        }
    }

    fn license(&mut self, at: Timestamp, valid_until: Timestamp) {
        // Validity never moves back but by a reset (invariant 13).
        let before = self.present.valid_until;
        let until = before.map_or(valid_until, |before| before.max(valid_until));
        self.present.valid_until = Some(until);
        self.present.first_validated = self.present.first_validated.or(Some(at));
        self.present.last_validated = Some(at);
        self.present.registered = true;
        self.basis = Basis::Licensed(until);
        self.reset_requested = None;
    }

    fn install(&mut self, event: &Event, install: Option<&Name>, version: Option<&Name>) {
        let same = self.present.install.as_ref() == install
            && self.present.version.as_ref() == version
            && install.is_some();
        let fresh = matches!(self.basis, Basis::Nothing);
        if same && !fresh {
            return;
        }
        if !fresh {
            self.former_installs += 1;
            self.user = None;
            self.tenant = None;
            self.subscription = None;
            self.other_tenants.clear();
        }
        // A reinstall does not undo that another machine took the place, nor that the components
        // and the registration of a machine were seen before anybody told of its first install.
        let before = std::mem::take(&mut self.present);
        self.present = Install {
            install: install.cloned(),
            version: version.cloned(),
            installed_at: Some(event.occurred_at.start),
            bumped: before.bumped,
            agent_started: fresh && before.agent_started,
            notifier_started: fresh && before.notifier_started,
            registered: fresh && before.registered,
            ..Install::default()
        };
        self.basis = Basis::OutOfBox(event.occurred_at.start);
    }

    fn fail(&mut self, cause: RevalidationFailure, at: Timestamp) {
        self.failures += 1;
        self.last_failure = Some(Told { cause, at });
        match cause {
            // Contact never restarts a grace that runs already (section A, "Seats").
            RevalidationFailure::Bumped | RevalidationFailure::Deprovisioned => {
                if matches!(self.basis, Basis::Licensed(until) if at < until) {
                    self.basis = Basis::Extended(at);
                }
            }
            RevalidationFailure::Cancelled => {
                let licensed_until = match self.basis {
                    Basis::Licensed(until) => Some(until),
                    Basis::Extended(since) => Some(since),
                    Basis::Nothing | Basis::OutOfBox(_) | Basis::Cancelled(..) | Basis::Reduced => {
                        None
                    }
                };
                if !matches!(self.basis, Basis::Cancelled(..)) {
                    self.basis = Basis::Cancelled(at, licensed_until);
                }
            }
            RevalidationFailure::Offline
            | RevalidationFailure::Clock
            | RevalidationFailure::Service
            | RevalidationFailure::ComponentMissing
            | RevalidationFailure::Authentication => {}
        }
    }

    /// Takes one event in.
    pub(super) fn evolve(&mut self, subject: &Subject, event: &Event) {
        let at = event.occurred_at.start;
        match &event.payload {
            Payload::OfficeInstalled(installed) => {
                self.install(
                    event,
                    installed.install.as_ref(),
                    installed.version.as_ref(),
                );
                self.present.product = installed.product.clone().or(self.present.product.take());
            }
            Payload::AgentStarted(_) => self.present.agent_started = true,
            Payload::NotifierStarted(_) => self.present.notifier_started = true,
            Payload::DesktopSetupRun(_) => self.setup_ran = Some(at),
            Payload::UserPrompted(_) => self.prompted += 1,
            Payload::UserNotified(told) => {
                *self.notified.entry(told.condition).or_default() += 1;
            }
            Payload::UserAuthenticated(who) => self.attach(Some(who.user.id), who.tenant.as_ref()),
            Payload::SeatProvisioned(given) => {
                self.attach(Some(given.user.id), Some(&given.tenant));
                self.subscription = given.subscription.clone().or(self.subscription.take());
            }
            Payload::MachineRegistered(registered) => {
                self.attach(Some(registered.user.id), Some(&registered.tenant));
                self.present.registered = true;
                self.present.bumped = false;
                self.bumped_for = None;
            }
            Payload::MachineKeyIssued(issued) => {
                self.machine_key_last5 = Some(issued.machine_key_last5);
                self.machine_key_ttl_days = Some(issued.ttl_days.0);
                self.machine_key_by = issued.issued_by.clone().or(self.machine_key_by.take());
                self.machine_key_at = Some(at);
            }
            Payload::TblParametersSet(set) => {
                self.ttl_days = Some(i64::from(set.ttl_days.0));
                self.grace_days = set
                    .grace_days
                    .map(|days| i64::from(days.0))
                    .or(self.grace_days);
                self.parameters_by = set.service.clone().or(self.parameters_by.take());
            }
            Payload::SeatLicensed(licensed) => {
                let user = licensed.user.as_ref().map(|user| user.id);
                self.attach(user, licensed.tenant.as_ref());
                self.license(at, licensed.valid_until);
            }
            Payload::SeatRevalidated(again) => {
                let user = again.user.as_ref().map(|user| user.id);
                self.attach(user, again.tenant.as_ref());
                self.subscription = again.subscription.clone().or(self.subscription.take());
                self.license(at, again.valid_until);
            }
            Payload::RevalidationFailed(failed) => self.fail(failed.cause, at),
            Payload::MachineBumped(bumped) => {
                if self.is_me(subject, bumped.machine.id) {
                    self.present.bumped = true;
                    self.present.registered = false;
                    self.bumped_for = Some(bumped.beneficiary.id);
                } else {
                    self.took_place_of.insert(bumped.machine.id);
                }
            }
            Payload::SeatReset(reset) => {
                self.resets += 1;
                self.last_reset = Some((reset.tool, at));
                self.reset_requested = None;
                self.present.valid_until = None;
                self.user = None;
                self.tenant = None;
                self.subscription = None;
                self.other_tenants.clear();
                self.basis = Basis::Reduced;
            }
            Payload::SeatResetRequested(asked) => {
                self.reset_requested = Some(at);
                self.cases.extend(asked.case.clone());
            }
            Payload::LicenseStateObserved(seen) => {
                self.printed
                    .insert(seen.product.clone(), Printed::of(seen, at));
                if self.basis == Basis::Nothing && seen.state == LicenseState::Notifications {
                    self.basis = Basis::Reduced;
                }
            }
            Payload::ClockSkewObserved(skew) => {
                self.clock_skew_seconds = Some(skew.offset_seconds.0)
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgreementRenewedAs AgreementSigned
                AuthorizationReceived BypassTransitioned CaseClosed CaseOpened
                ConfirmationGiven ContactChanged CreditConsumed CreditExpired
                CreditForfeited CreditLotActivated CustomerRegistered CustomersRelated
                DelegatedAdminGranted DelegatedAdminRevoked DomainOptionChosen DomainRemoved
                DomainVerified EndDateCorrected ExistingSubscriptionsShown FindingConfirmed
                FindingDismissed IdentityVerified ImportRecorded IncarnationBegun KeyEntered
                KeyIssued KeyReissued KeyRejected KeyRevealed KeysRedeemed LicensesAssigned
                LicensesUnassigned OnlineServicesIdAdded OrderAmended OrderCancelled
                OrderPlaced OrderRelayed OrderReturned PartnerRegistered PartyNotified
                PersonErased PersonalDataRevealed PersonsMerged ProfileEntered
                ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen
                RedemptionOutcomeDiverged RedemptionReversed RedemptionReviewed
                RedemptionStarted RedemptionSubmitted ReservationCancelled ReservationPlaced
                ScenarioAssessed SeatsAdded SeatsReassigned SeatsReduced SeatsTransferred
                ServicesAutoAssigned ServicesBoundToTenant SessionEnded SessionStarted
                SignInChosen SignUpChosen SourceRecordKept SubscriptionCancelled
                SubscriptionDeleted SubscriptionDisabled SubscriptionExpired
                SubscriptionObserved SubscriptionReactivated SubscriptionRenewed
                SubscriptionStarted SubscriptionsReviewed SupportEscalated TenantCreated
                TenantObserved TenantRemapped TenantRetired TenantRoleAssigned
                TenantRoleRemoved TrialAbandoned TrialConverted TrialDataDeleted
                TrialDeletionAdvised TrialExpired TrialStarted UserDeprovisioned
                UserReprovisioned VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }
}
