//! The view of a reseller or distributor: its own tenants, whom it sells to, what is delegated to
//! it, and what it redeemed (S1; DOMAIN section 1.1; W6, W7).

use crate::seen::Seen;
use crate::view::{Fold, kind_ids, shown_option};
use ledger::event::word::{PartnerKind, TenantRole};
use ledger::event::{Event, KindId, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Date;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The projection.
#[derive(Debug)]
pub struct Partner;

/// A delegation of administration to a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DelegationView {
    /// The tenant that delegates.
    pub tenant: TenantId,
    /// The roles that go with it.
    pub roles: BTreeSet<TenantRole>,
    /// Its last day.
    #[serde(serialize_with = "shown_option")]
    pub until: Option<Date>,
    /// Whether it is live today.
    pub live: bool,
}

/// What a partner looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartnerView {
    /// Its id.
    pub partner: String,
    /// Its place in the channel.
    pub kind: Option<PartnerKind>,
    /// The customer that it is itself, when it buys for its own use.
    pub customer: Option<CustomerId>,
    /// Tenants that are its own.
    pub tenants: BTreeSet<TenantId>,
    /// Domains that are its own.
    pub domains: BTreeSet<DomainName>,
    /// Customers that it sells to.
    pub customers: BTreeSet<CustomerId>,
    /// Agreements that it is on.
    pub agreements: BTreeSet<LicenseId>,
    /// Orders that it is on.
    pub orders: BTreeSet<OrderId>,
    /// Orders that it passed on.
    pub relayed: usize,
    /// Orders that it received.
    pub received: usize,
    /// Delegations to it.
    pub delegations: Vec<DelegationView>,
    /// Keys that it handled.
    pub keys_handled: usize,
    /// Redemptions in which somebody of it acted.
    pub redemptions: BTreeSet<RedemptionId>,
    /// Tenants that these landed in.
    pub redeemed_into: BTreeSet<TenantId>,
    /// Sessions in which somebody of it acted.
    pub sessions: BTreeSet<SessionId>,
    /// Cases that it escalated.
    pub escalated: BTreeSet<CaseId>,
    /// Cases that were escalated to it.
    pub escalated_to: BTreeSet<CaseId>,
}

/// What the events of a partner add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    kind: Option<PartnerKind>,
    customer: Option<CustomerId>,
    tenants: BTreeSet<TenantId>,
    domains: BTreeSet<DomainName>,
    customers: BTreeSet<CustomerId>,
    agreements: BTreeSet<LicenseId>,
    orders: BTreeSet<OrderId>,
    relayed: BTreeSet<OrderId>,
    received: BTreeSet<OrderId>,
    delegations: BTreeMap<TenantId, (BTreeSet<TenantRole>, Option<Date>)>,
    keys_handled: usize,
    redemptions: BTreeSet<RedemptionId>,
    redeemed_into: BTreeSet<TenantId>,
    sessions: BTreeSet<SessionId>,
    escalated: BTreeSet<CaseId>,
    escalated_to: BTreeSet<CaseId>,
}

impl State {
    fn acted(&mut self, redemption: Option<&RedemptionId>, session: Option<&SessionId>) {
        self.redemptions.extend(redemption.cloned());
        self.sessions.extend(session.cloned());
    }
}

/// Whether the actor of an event works for this partner: an event can name it in another place only.
fn acts(subject: &Subject, event: &Event) -> bool {
    let actor = event.actor.as_ref();
    let partner = actor.and_then(|actor| actor.partner.as_ref());
    partner.is_some_and(|partner| partner.as_str() == subject.id)
}

impl Fold for Partner {
    type State = State;
    type View = PartnerView;

    const KIND: SubjectKind = SubjectKind::Partner;
    const DOC: &'static str =
        "A partner: its own tenants, whom it sells to, what is delegated to it, what it redeemed.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const READS: &'static [SubjectKind] = &[];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        AgreementSigned CreditLotActivated DelegatedAdminGranted KeyRevealed
        KeysRedeemed OrderPlaced OrderRelayed PartnerRegistered RedemptionStarted
        SupportEscalated
    ];

    fn evolve(state: &mut State, subject: &Subject, event: &Event) {
        let me = |partner: Option<&PartnerId>| partner.is_some_and(|p| p.as_str() == subject.id);
        match &event.payload {
            Payload::PartnerRegistered(registered) => {
                if me(Some(&registered.partner)) {
                    state.kind = Some(registered.kind);
                    state.customer = registered.customer.clone().or(state.customer.take());
                    state.tenants.extend(registered.tenants.iter().cloned());
                    let domains = registered.domains.iter();
                    state
                        .domains
                        .extend(domains.map(|domain| domain.name.clone()));
                }
            }
            Payload::AgreementSigned(signed) => {
                if me(signed.partner.as_ref()) || me(signed.distributor.as_ref()) {
                    state.agreements.insert(signed.license_id.clone());
                    state.customers.insert(signed.customer.clone());
                }
            }
            Payload::OrderPlaced(placed) => {
                if me(placed.partner.as_ref()) || me(placed.distributor.as_ref()) {
                    state.orders.insert(placed.order.clone());
                    state.agreements.insert(placed.license_id.clone());
                    state.customers.insert(placed.end_customer.clone());
                }
            }
            Payload::OrderRelayed(relayed) => {
                if me(Some(&relayed.from)) {
                    state.relayed.insert(relayed.order.clone());
                }
                if me(Some(&relayed.to)) {
                    state.received.insert(relayed.order.clone());
                }
            }
            Payload::DelegatedAdminGranted(granted) => {
                if me(granted.partner.as_ref()) {
                    let roles = granted.roles.iter().copied().collect();
                    let delegation = (roles, granted.until);
                    state.delegations.insert(granted.tenant.clone(), delegation);
                }
            }
            Payload::KeyRevealed(revealed) => {
                state.keys_handled += usize::from(me(revealed.partner.as_ref()));
            }
            Payload::RedemptionStarted(started) => {
                if acts(subject, event) {
                    state.acted(Some(&started.redemption), started.session.as_ref());
                }
            }
            Payload::KeysRedeemed(redeemed) => {
                if acts(subject, event) {
                    state.acted(Some(&redeemed.redemption), redeemed.session.as_ref());
                    state.redeemed_into.insert(redeemed.tenant.clone());
                }
            }
            Payload::CreditLotActivated(lot) => {
                if acts(subject, event) {
                    state.acted(lot.redemption.as_ref(), lot.session.as_ref());
                    state.redeemed_into.extend(lot.tenant.clone());
                }
            }
            Payload::SupportEscalated(escalated) => {
                if me(Some(&escalated.from)) {
                    state.escalated.insert(escalated.case.clone());
                }
                if me(escalated.to.as_ref()) {
                    state.escalated_to.insert(escalated.case.clone());
                }
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AgreementRenewedAs
                AuthorizationReceived BypassTransitioned CaseClosed CaseOpened
                ClockSkewObserved ConfirmationGiven ContactChanged CreditConsumed
                CreditExpired CreditForfeited CustomerRegistered CustomersRelated
                DelegatedAdminRevoked DesktopSetupRun DomainOptionChosen DomainRemoved
                DomainVerified EndDateCorrected ExistingSubscriptionsShown FindingConfirmed
                FindingDismissed IdentityVerified ImportRecorded IncarnationBegun KeyEntered
                KeyIssued KeyReissued KeyRejected LicenseStateObserved LicensesAssigned
                LicensesUnassigned MachineBumped MachineKeyIssued MachineRegistered
                NotifierStarted OfficeInstalled OnlineServicesIdAdded OrderAmended
                OrderCancelled OrderReturned PartyNotified PersonErased PersonalDataRevealed
                PersonsMerged ProfileEntered ProvisioningConfirmed RedemptionAbandoned
                RedemptionModeChosen RedemptionOutcomeDiverged RedemptionReversed
                RedemptionReviewed RedemptionSubmitted ReservationCancelled
                ReservationPlaced RevalidationFailed ScenarioAssessed SeatLicensed
                SeatProvisioned SeatReset SeatResetRequested SeatRevalidated SeatsAdded
                SeatsReassigned SeatsReduced SeatsTransferred ServicesAutoAssigned
                ServicesBoundToTenant SessionEnded SessionStarted SignInChosen SignUpChosen
                SourceRecordKept SubscriptionCancelled SubscriptionDeleted
                SubscriptionDisabled SubscriptionExpired SubscriptionObserved
                SubscriptionReactivated SubscriptionRenewed SubscriptionStarted
                SubscriptionsReviewed TblParametersSet TenantCreated TenantObserved
                TenantRemapped TenantRetired TenantRoleAssigned TenantRoleRemoved
                TrialAbandoned TrialConverted TrialDataDeleted TrialDeletionAdvised
                TrialExpired TrialStarted UserAuthenticated UserDeprovisioned UserNotified
                UserPrompted UserReprovisioned VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<PartnerView> {
        let delegations = state.delegations.iter().map(|(tenant, (roles, until))| {
            // The end of a delegation is told of the two tenants only.
            DelegationView {
                tenant: tenant.clone(),
                roles: roles.clone(),
                until: *until,
                live: until.is_none_or(|until| seen.today() <= until),
            }
        });
        Some(PartnerView {
            partner: subject.id.clone(),
            kind: state.kind,
            customer: state.customer.clone(),
            tenants: state.tenants.clone(),
            domains: state.domains.clone(),
            customers: state.customers.clone(),
            agreements: state.agreements.clone(),
            orders: state.orders.clone(),
            relayed: state.relayed.len(),
            received: state.received.len(),
            delegations: delegations.collect(),
            keys_handled: state.keys_handled,
            redemptions: state.redemptions.clone(),
            redeemed_into: state.redeemed_into.clone(),
            sessions: state.sessions.clone(),
            escalated: state.escalated.clone(),
            escalated_to: state.escalated_to.clone(),
        })
    }
}
