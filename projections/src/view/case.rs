//! The view of a support case: what it is for, who agreed, what was done, and how it ended (DOMAIN
//! section 5.6, S1, E3).

use crate::seen::Seen;
use crate::view::finding::{Finding, FindingState};
use crate::view::{Fold, kind_ids, shown_option};
use ledger::event::word::{
    AuthorizingRole, CaseChannel, CaseOutcome, CasePurpose, NotifiedParty, Residual,
};
use ledger::event::{Event, KindId, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::secret::PersonId;
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The projection.
#[derive(Debug)]
pub struct Case;

/// Where a case stands (section 5.6). That what was done matches the plan is proved by whoever plans,
/// not by this view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CaseState {
    /// Only named by others: nothing says that it was opened.
    Unknown,
    /// Opened, and nobody decided about its finding yet.
    Suspected,
    /// Opened, and its finding was confirmed, or it is about none.
    Confirmed,
    /// Somebody with the authority agreed.
    Authorised,
    /// Steps were taken.
    Executing,
    /// Its finding was dismissed before any step was taken.
    Dismissed,
    /// Closed.
    Closed,
}

/// What a case looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseView {
    /// Its number.
    pub case: String,
    /// Where it stands.
    pub state: CaseState,
    /// What it is for.
    pub purpose: Option<CasePurpose>,
    /// How it was opened.
    pub channel: Option<CaseChannel>,
    /// When.
    #[serde(serialize_with = "shown_option")]
    pub opened_at: Option<Timestamp>,
    /// Who asked, as pseudonym.
    #[serde(serialize_with = "shown_option")]
    pub requested_by: Option<PersonId>,
    /// For which customer.
    pub customer: Option<CustomerId>,
    /// About which finding.
    pub finding: Option<FindingId>,
    /// About which agreements.
    pub license_ids: BTreeSet<LicenseId>,
    /// The tenant that is wrong.
    pub wrong_tenant: Option<TenantId>,
    /// The tenant that is right.
    pub right_tenant: Option<TenantId>,
    /// Its way along the channel; no second partner where it went to the vendor.
    pub escalated: Vec<(PartnerId, Option<PartnerId>)>,
    /// In which roles somebody agreed.
    pub authorised_by: BTreeSet<AuthorizingRole>,
    /// When the first one did.
    #[serde(serialize_with = "shown_option")]
    pub authorised_at: Option<Timestamp>,
    /// How many steps of each sort were taken.
    pub steps: BTreeMap<&'static str, usize>,
    /// When the last step was taken.
    #[serde(serialize_with = "shown_option")]
    pub last_step_at: Option<Timestamp>,
    /// Whether a step was taken before anybody had agreed.
    pub unauthorised: bool,
    /// Parties that were notified.
    pub notified: BTreeSet<&'static str>,
    /// How it ended.
    pub outcome: Option<CaseOutcome>,
    /// When.
    #[serde(serialize_with = "shown_option")]
    pub closed_at: Option<Timestamp>,
    /// What could not be undone.
    pub residuals: BTreeSet<&'static str>,
}

/// What the events of a case add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    opened_at: Option<Timestamp>,
    purpose: Option<CasePurpose>,
    channel: Option<CaseChannel>,
    requested_by: Option<PersonId>,
    customer: Option<CustomerId>,
    finding: Option<FindingId>,
    license_ids: BTreeSet<LicenseId>,
    wrong_tenant: Option<TenantId>,
    right_tenant: Option<TenantId>,
    escalated: Vec<(PartnerId, Option<PartnerId>)>,
    authorised_by: BTreeSet<AuthorizingRole>,
    authorised_at: Option<Timestamp>,
    steps: BTreeMap<&'static str, usize>,
    first_step_at: Option<Timestamp>,
    last_step_at: Option<Timestamp>,
    notified: BTreeSet<NotifiedParty>,
    closed: Option<(Timestamp, CaseOutcome, BTreeSet<Residual>)>,
}

impl State {
    fn step(&mut self, event: &Event) {
        let at = event.occurred_at.start;
        *self.steps.entry(event.kind().name).or_default() += 1;
        self.first_step_at = self.first_step_at.or(Some(at));
        self.last_step_at = Some(at);
    }
}

impl Fold for Case {
    type State = State;
    type View = CaseView;

    const KIND: SubjectKind = SubjectKind::Case;
    const DOC: &'static str =
        "A support case: what it is for, who agreed, what was done, how it ended.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const READS: &'static [SubjectKind] = &[SubjectKind::Finding];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        ActivationLinkReactivated AuthorizationReceived CaseClosed CaseOpened
        EndDateCorrected KeyReissued PartyNotified RedemptionReversed SeatResetRequested
        SeatsReassigned SeatsTransferred SupportEscalated TenantRemapped TenantRetired
    ];

    fn evolve(state: &mut State, _: &Subject, event: &Event) {
        let at = event.occurred_at.start;
        match &event.payload {
            Payload::CaseOpened(opened) => {
                state.opened_at = state.opened_at.or(Some(at));
                state.purpose = Some(opened.purpose);
                state.channel = Some(opened.channel);
                let asked = opened.requested_by.as_ref().map(|person| person.id);
                state.requested_by = asked.or(state.requested_by);
                state.customer = opened.customer.clone().or(state.customer.take());
                state.finding = opened.finding.clone().or(state.finding.take());
                state.license_ids.extend(opened.license_ids.iter().cloned());
                state.wrong_tenant = opened.wrong_tenant.clone().or(state.wrong_tenant.take());
                state.right_tenant = opened.right_tenant.clone().or(state.right_tenant.take());
            }
            Payload::SupportEscalated(escalated) => {
                let step = (escalated.from.clone(), escalated.to.clone());
                if !state.escalated.contains(&step) {
                    state.escalated.push(step);
                }
            }
            Payload::AuthorizationReceived(given) => {
                state.authorised_by.insert(given.role);
                state.authorised_at = state.authorised_at.or(Some(at));
            }
            kinds![
                RedemptionReversed KeyReissued TenantRemapped SeatsTransferred EndDateCorrected
                SeatsReassigned SeatResetRequested TenantRetired ActivationLinkReactivated
            ] => state.step(event),
            Payload::PartyNotified(told) => {
                state.notified.insert(told.party);
            }
            Payload::CaseClosed(closed) => {
                let residuals = closed.residuals.iter().copied().collect();
                state.closed = Some((at, closed.outcome, residuals));
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationStatusObserved
                AgentStarted AgreementRenewedAs AgreementSigned BypassTransitioned
                ClockSkewObserved ConfirmationGiven ContactChanged CreditConsumed
                CreditExpired CreditForfeited CreditLotActivated CustomerRegistered
                CustomersRelated DelegatedAdminGranted DelegatedAdminRevoked DesktopSetupRun
                DomainOptionChosen DomainRemoved DomainVerified ExistingSubscriptionsShown
                FindingConfirmed FindingDismissed IdentityVerified ImportRecorded
                IncarnationBegun KeyEntered KeyIssued KeyRejected KeyRevealed KeysRedeemed
                LicenseStateObserved LicensesAssigned LicensesUnassigned MachineBumped
                MachineKeyIssued MachineRegistered NotifierStarted OfficeInstalled
                OnlineServicesIdAdded OrderAmended OrderCancelled OrderPlaced OrderRelayed
                OrderReturned PartnerRegistered PersonErased PersonalDataRevealed
                PersonsMerged ProfileEntered ProvisioningConfirmed RedemptionAbandoned
                RedemptionModeChosen RedemptionOutcomeDiverged RedemptionReviewed
                RedemptionStarted RedemptionSubmitted ReservationCancelled ReservationPlaced
                RevalidationFailed ScenarioAssessed SeatLicensed SeatProvisioned SeatReset
                SeatRevalidated SeatsAdded SeatsReduced ServicesAutoAssigned
                ServicesBoundToTenant SessionEnded SessionStarted SignInChosen SignUpChosen
                SourceRecordKept SubscriptionCancelled SubscriptionDeleted
                SubscriptionDisabled SubscriptionExpired SubscriptionObserved
                SubscriptionReactivated SubscriptionRenewed SubscriptionStarted
                SubscriptionsReviewed TblParametersSet TenantCreated TenantObserved
                TenantRoleAssigned TenantRoleRemoved TrialAbandoned TrialConverted
                TrialDataDeleted TrialDeletionAdvised TrialExpired TrialStarted
                UserAuthenticated UserDeprovisioned UserNotified UserPrompted
                UserReprovisioned VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<CaseView> {
        let finding = state.finding.as_ref().map(Names::subject);
        let decided = finding.map(|finding| {
            let found = seen.state::<Finding>(&finding);
            found.map_or(FindingState::Suspected, |found| found.decided())
        });
        let stands = match (&state.closed, decided) {
            (Some(_), _) => CaseState::Closed,
            (None, _) if !state.steps.is_empty() => CaseState::Executing,
            (None, Some(FindingState::Dismissed)) => CaseState::Dismissed,
            (None, _) if state.authorised_at.is_some() => CaseState::Authorised,
            (None, _) if state.opened_at.is_none() => CaseState::Unknown,
            (None, Some(FindingState::Suspected)) => CaseState::Suspected,
            (None, Some(FindingState::Confirmed) | None) => CaseState::Confirmed,
        };
        let closed = state.closed.as_ref();
        let unauthorised = |step: Timestamp| state.authorised_at.is_none_or(|agreed| agreed > step);
        Some(CaseView {
            case: subject.id.clone(),
            state: stands,
            purpose: state.purpose,
            channel: state.channel,
            opened_at: state.opened_at,
            requested_by: state.requested_by,
            customer: state.customer.clone(),
            finding: state.finding.clone(),
            license_ids: state.license_ids.clone(),
            wrong_tenant: state.wrong_tenant.clone(),
            right_tenant: state.right_tenant.clone(),
            escalated: state.escalated.clone(),
            authorised_by: state.authorised_by.clone(),
            authorised_at: state.authorised_at,
            steps: state.steps.clone(),
            last_step_at: state.last_step_at,
            unauthorised: state.first_step_at.is_some_and(unauthorised),
            notified: state.notified.iter().map(|party| party.as_str()).collect(),
            outcome: closed.map(|(_, outcome, _)| *outcome),
            closed_at: closed.map(|(at, _, _)| *at),
            residuals: closed
                .map(|(_, _, residuals)| residuals.iter().map(|r| r.as_str()).collect())
                .unwrap_or_default(),
        })
    }
}
