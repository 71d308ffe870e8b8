//! The view of a customer number: whose it is, its agreements, and where they are bound (E1, E3).
//! A remap moves all agreements of a number by design, and a number whose agreements are bound apart
//! is a weaker expectation.

use crate::seen::Seen;
use crate::view::agreement::Agreement;
use crate::view::{Fold, kind_ids};
use ledger::event::{Event, KindId, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::subject::{Names, Subject, SubjectKind};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The projection.
#[derive(Debug)]
pub struct Pcn;

/// What a customer number looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PcnView {
    /// The number.
    pub pcn: String,
    /// Customers that have it.
    pub customers: BTreeSet<CustomerId>,
    /// The agreements that have it now, each with the tenant that it is bound to.
    pub agreements: BTreeMap<LicenseId, Option<TenantId>>,
    /// Tenants that these are bound to.
    pub tenants: BTreeSet<TenantId>,
    /// How many times it was remapped.
    pub remapped: usize,
    /// Agreements that were moved although nobody had requested it (W25).
    pub moved_unrequested: BTreeSet<LicenseId>,
}

/// What the events of a customer number add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    customers: BTreeSet<CustomerId>,
    agreements: BTreeSet<LicenseId>,
    remapped: usize,
    moved_unrequested: BTreeSet<LicenseId>,
}

impl Fold for Pcn {
    type State = State;
    type View = PcnView;

    const KIND: SubjectKind = SubjectKind::Pcn;
    const DOC: &'static str =
        "A customer number: whose it is, its agreements, where they are bound.";
    const FOLLOWS: &'static [SubjectKind] = &[SubjectKind::Agreement];
    const READS: &'static [SubjectKind] = &[];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        AgreementRenewedAs AgreementSigned CustomerRegistered TenantRemapped
    ];

    fn evolve(state: &mut State, subject: &Subject, event: &Event) {
        match &event.payload {
            Payload::CustomerRegistered(registered) => {
                state.customers.insert(registered.customer.clone());
            }
            Payload::AgreementSigned(signed) => {
                state.customers.insert(signed.customer.clone());
                state.agreements.insert(signed.license_id.clone());
            }
            Payload::AgreementRenewedAs(renewed) => {
                if renewed.pcn_old.as_str() == subject.id {
                    state.agreements.insert(renewed.old_license_id.clone());
                }
                if renewed.pcn_new.as_str() == subject.id {
                    state.agreements.insert(renewed.new_license_id.clone());
                }
            }
            Payload::TenantRemapped(remapped) => {
                state.remapped += 1;
                let moved = remapped.moves.iter().map(|moved| &moved.license_id);
                state.agreements.extend(moved.clone().cloned());
                let unrequested = moved.filter(|license| !remapped.requested.contains(license));
                if !remapped.requested.is_empty() {
                    state.moved_unrequested.extend(unrequested.cloned());
                }
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AuthorizationReceived
                BypassTransitioned CaseClosed CaseOpened ClockSkewObserved ConfirmationGiven
                ContactChanged CreditConsumed CreditExpired CreditForfeited
                CreditLotActivated CustomersRelated DelegatedAdminGranted
                DelegatedAdminRevoked DesktopSetupRun DomainOptionChosen DomainRemoved
                DomainVerified EndDateCorrected ExistingSubscriptionsShown FindingConfirmed
                FindingDismissed IdentityVerified ImportRecorded IncarnationBegun KeyEntered
                KeyIssued KeyReissued KeyRejected KeyRevealed KeysRedeemed
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
                TenantCreated TenantObserved TenantRetired TenantRoleAssigned
                TenantRoleRemoved TrialAbandoned TrialConverted TrialDataDeleted
                TrialDeletionAdvised TrialExpired TrialStarted UserAuthenticated
                UserDeprovisioned UserNotified UserPrompted UserReprovisioned VlRoleAssigned
                VlRoleRemoved
            ] => {}
        }
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<PcnView> {
        let mut agreements = BTreeMap::new();
        for license in &state.agreements {
            let view = seen.view::<Agreement>(&license.subject());
            let elsewhere = |pcn: &ledger::id::Pcn| pcn.as_str() != subject.id;
            let left = view
                .as_ref()
                .is_some_and(|view| view.pcn.as_ref().is_some_and(elsewhere));
            if !left {
                agreements.insert(license.clone(), view.and_then(|view| view.tenant.clone()));
            }
        }
        Some(PcnView {
            pcn: subject.id.clone(),
            customers: state.customers.clone(),
            tenants: agreements.values().flatten().cloned().collect(),
            agreements,
            remapped: state.remapped,
            moved_unrequested: state.moved_unrequested.clone(),
        })
    }
}
