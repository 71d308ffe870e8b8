//! The view of a finding on which somebody decided. Findings themselves are derived, never events;
//! the decisions on them are (DOMAIN section A).

use crate::seen::Seen;
use crate::view::{Fold, kind_ids, shown_option};
use ledger::event::{Event, KindId, Payload};
use ledger::id::{CaseId, Name};
use ledger::kinds;
use ledger::secret::PersonId;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// The projection.
#[derive(Debug)]
pub struct Finding;

/// What was decided about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FindingState {
    /// Nothing yet.
    Suspected,
    /// It is right.
    Confirmed,
    /// It is wrong, or accepted as it is.
    Dismissed,
}

/// What a finding looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingView {
    /// Its id.
    pub finding: String,
    /// What was decided last.
    pub state: FindingState,
    /// When.
    #[serde(serialize_with = "shown_option")]
    pub decided_at: Option<Timestamp>,
    /// By whom, as pseudonym.
    #[serde(serialize_with = "shown_option")]
    pub decided_by: Option<PersonId>,
    /// Digest of the evidence that was judged.
    pub evidence_digest: Option<Name>,
    /// How many decisions there were.
    pub decisions: usize,
    /// Cases about it.
    pub cases: BTreeSet<CaseId>,
}

/// What the events of a finding add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    decision: Option<Decision>,
    decisions: usize,
    cases: BTreeSet<CaseId>,
}

#[derive(Debug, Clone, PartialEq)]
struct Decision {
    confirmed: bool,
    at: Timestamp,
    by: Option<PersonId>,
    digest: Name,
}

impl State {
    /// What was decided last.
    pub(super) fn decided(&self) -> FindingState {
        match &self.decision {
            None => FindingState::Suspected,
            Some(decision) if decision.confirmed => FindingState::Confirmed,
            Some(_) => FindingState::Dismissed,
        }
    }

    fn decide(&mut self, decision: Decision) {
        self.decisions += 1;
        self.decision = Some(decision);
    }
}

impl Fold for Finding {
    type State = State;
    type View = FindingView;

    const KIND: SubjectKind = SubjectKind::Finding;
    const DOC: &'static str = "A finding on which somebody decided, and the cases about it.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const READS: &'static [SubjectKind] = &[];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        CaseOpened FindingConfirmed FindingDismissed
    ];

    fn evolve(state: &mut State, _: &Subject, event: &Event) {
        let at = event.occurred_at.start;
        match &event.payload {
            Payload::FindingConfirmed(decided) => state.decide(Decision {
                confirmed: true,
                at,
                by: decided.by.as_ref().map(|person| person.id),
                digest: decided.evidence_digest.clone(),
            }),
            Payload::FindingDismissed(decided) => state.decide(Decision {
                confirmed: false,
                at,
                by: decided.by.as_ref().map(|person| person.id),
                digest: decided.evidence_digest.clone(),
            }),
            Payload::CaseOpened(opened) => {
                state.cases.insert(opened.case.clone());
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned
                AuthorizationReceived BypassTransitioned CaseClosed ClockSkewObserved
                ConfirmationGiven ContactChanged CreditConsumed CreditExpired
                CreditForfeited CreditLotActivated CustomerRegistered CustomersRelated
                DelegatedAdminGranted DelegatedAdminRevoked DesktopSetupRun
                DomainOptionChosen DomainRemoved DomainVerified EndDateCorrected
                ExistingSubscriptionsShown IdentityVerified ImportRecorded IncarnationBegun
                KeyEntered KeyIssued KeyReissued KeyRejected KeyRevealed KeysRedeemed
                LicenseStateObserved LicensesAssigned LicensesUnassigned MachineBumped
                MachineKeyIssued MachineRegistered NotifierStarted OfficeInstalled
                OnlineServicesIdAdded OrderAmended OrderCancelled OrderPlaced OrderRelayed
                OrderReturned PartnerRegistered PartyNotified PersonErased
                PersonalDataRevealed PersonsMerged ProfileEntered ProvisioningConfirmed
                RedemptionAbandoned RedemptionModeChosen RedemptionOutcomeDiverged
                RedemptionReversed RedemptionReviewed RedemptionStarted RedemptionSubmitted
                ReservationCancelled ReservationPlaced RevalidationFailed ScenarioAssessed
                SeatLicensed SeatProvisioned SeatReset SeatResetRequested SeatRevalidated
                SeatsAdded SeatsReassigned SeatsReduced SeatsTransferred
                ServicesAutoAssigned ServicesBoundToTenant SessionEnded SessionStarted
                SignInChosen SignUpChosen SourceRecordKept SubscriptionCancelled
                SubscriptionDeleted SubscriptionDisabled SubscriptionExpired
                SubscriptionObserved SubscriptionReactivated SubscriptionRenewed
                SubscriptionStarted SubscriptionsReviewed SupportEscalated TblParametersSet
                TenantCreated TenantObserved TenantRemapped TenantRetired TenantRoleAssigned
                TenantRoleRemoved TrialAbandoned TrialConverted TrialDataDeleted
                TrialDeletionAdvised TrialExpired TrialStarted UserAuthenticated
                UserDeprovisioned UserNotified UserPrompted UserReprovisioned VlRoleAssigned
                VlRoleRemoved
            ] => {}
        }
    }

    fn view(state: &State, subject: &Subject, _: &Seen<'_>) -> Option<FindingView> {
        let decision = state.decision.as_ref();
        Some(FindingView {
            finding: subject.id.clone(),
            state: state.decided(),
            decided_at: decision.map(|decision| decision.at),
            decided_by: decision.and_then(|decision| decision.by),
            evidence_digest: decision.map(|decision| decision.digest.clone()),
            decisions: state.decisions,
            cases: state.cases.clone(),
        })
    }
}
