//! The view of a legal customer: its names, numbers and domains, its agreements and tenants, and
//! the customers that it belongs together with.

use crate::seen::Seen;
use crate::view::agreement::Agreement;
use crate::view::{Fold, kind_ids, shown_option};
use ledger::event::word::Relation;
use ledger::event::{Event, KindId, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The projection.
#[derive(Debug)]
pub struct Customer;

/// How a customer belongs together with another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RelationView {
    /// How, as told of the first of the two.
    pub relation: Relation,
    /// Whether this customer is the first of the two.
    pub first: bool,
    /// The other one.
    pub customer: CustomerId,
    /// The first day of it.
    #[serde(serialize_with = "shown_option")]
    pub from: Option<Date>,
    /// The last day of it.
    #[serde(serialize_with = "shown_option")]
    pub until: Option<Date>,
    /// Whether it holds today.
    pub holds: bool,
}

/// What a customer looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerView {
    /// Its id.
    pub customer: String,
    /// Names that it goes by.
    pub names: BTreeSet<Name>,
    /// ISO 3166 code of its seat.
    pub country: Option<Name>,
    /// Its customer numbers at the vendor.
    pub pcns: BTreeSet<Pcn>,
    /// Domains that it has proved to own.
    pub domains: BTreeSet<DomainName>,
    /// Its agreements.
    pub agreements: BTreeSet<LicenseId>,
    /// Orders for its use.
    pub orders: BTreeSet<OrderId>,
    /// Tenants that a source says are its own.
    pub tenants_owned: BTreeSet<TenantId>,
    /// Tenants that its agreements are bound to.
    pub tenants_bound: BTreeSet<TenantId>,
    /// Tenants of its trials.
    pub tenants_of_trials: BTreeSet<TenantId>,
    /// Customers that it belongs together with.
    pub relations: Vec<RelationView>,
    /// Partners that sold to it.
    pub partners: BTreeSet<PartnerId>,
    /// The partner that it is itself.
    pub is_partner: Option<PartnerId>,
    /// Support cases about it.
    pub cases: BTreeSet<CaseId>,
    /// How many times it was notified.
    pub notified: usize,
    /// When it first was.
    #[serde(serialize_with = "shown_option")]
    pub first_notified: Option<Timestamp>,
}

/// The first and the last day of something, as far as they are known.
type Period = (Option<Date>, Option<Date>);

/// What the events of a customer add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    names: BTreeSet<Name>,
    country: Option<Name>,
    pcns: BTreeSet<Pcn>,
    domains: BTreeSet<DomainName>,
    agreements: BTreeSet<LicenseId>,
    orders: BTreeSet<OrderId>,
    tenants_owned: BTreeSet<TenantId>,
    tenants_of_trials: BTreeSet<TenantId>,
    relations: BTreeMap<(CustomerId, Relation, bool), Period>,
    partners: BTreeSet<PartnerId>,
    is_partner: Option<PartnerId>,
    cases: BTreeSet<CaseId>,
    notified: usize,
    first_notified: Option<Timestamp>,
}

impl Fold for Customer {
    type State = State;
    type View = CustomerView;

    const KIND: SubjectKind = SubjectKind::Customer;
    const DOC: &'static str =
        "A customer: its names, numbers and domains, its agreements and tenants, its relations.";
    const FOLLOWS: &'static [SubjectKind] = &[SubjectKind::Agreement];
    const READS: &'static [SubjectKind] = &[];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        AgreementSigned CaseOpened CustomerRegistered CustomersRelated OrderPlaced
        PartnerRegistered PartyNotified TenantObserved TrialStarted
    ];

    fn evolve(state: &mut State, subject: &Subject, event: &Event) {
        match &event.payload {
            Payload::CustomerRegistered(registered) => {
                state.names.extend(registered.names.iter().cloned());
                state.country = registered.country.clone().or(state.country.take());
                state.pcns.extend(registered.pcns.iter().cloned());
                let domains = registered.verified_domains.iter();
                state
                    .domains
                    .extend(domains.map(|domain| domain.name.clone()));
            }
            Payload::CustomersRelated(related) => {
                let first = related.customer.as_str() == subject.id;
                let other = if first {
                    &related.related
                } else {
                    &related.customer
                };
                let key = (other.clone(), related.relation, first);
                let (from, until) = state.relations.entry(key).or_default();
                *from = related.from.or(*from);
                *until = related.until.or(*until);
            }
            Payload::PartnerRegistered(partner) => {
                state.is_partner = Some(partner.partner.clone());
            }
            Payload::TenantObserved(observed) => {
                state.tenants_owned.insert(observed.tenant.clone());
            }
            Payload::AgreementSigned(signed) => {
                state.agreements.insert(signed.license_id.clone());
                state.pcns.insert(signed.pcn.clone());
                state.partners.extend(signed.partner.clone());
            }
            Payload::OrderPlaced(placed) => {
                state.orders.insert(placed.order.clone());
                state.agreements.insert(placed.license_id.clone());
                state.partners.extend(placed.partner.clone());
            }
            Payload::TrialStarted(trial) => {
                state.tenants_of_trials.insert(trial.tenant.clone());
            }
            Payload::CaseOpened(opened) => {
                state.cases.insert(opened.case.clone());
            }
            Payload::PartyNotified(_) => {
                state.notified += 1;
                let at = event.occurred_at.start;
                state.first_notified = state.first_notified.or(Some(at));
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AgreementRenewedAs
                AuthorizationReceived BypassTransitioned CaseClosed ClockSkewObserved
                ConfirmationGiven ContactChanged CreditConsumed CreditExpired
                CreditForfeited CreditLotActivated DelegatedAdminGranted
                DelegatedAdminRevoked DesktopSetupRun DomainOptionChosen DomainRemoved
                DomainVerified EndDateCorrected ExistingSubscriptionsShown FindingConfirmed
                FindingDismissed IdentityVerified ImportRecorded IncarnationBegun KeyEntered
                KeyIssued KeyReissued KeyRejected KeyRevealed KeysRedeemed
                LicenseStateObserved LicensesAssigned LicensesUnassigned MachineBumped
                MachineKeyIssued MachineRegistered NotifierStarted OfficeInstalled
                OnlineServicesIdAdded OrderAmended OrderCancelled OrderRelayed OrderReturned
                PersonErased PersonalDataRevealed PersonsMerged ProfileEntered
                ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen
                RedemptionOutcomeDiverged RedemptionReversed RedemptionReviewed
                RedemptionStarted RedemptionSubmitted ReservationCancelled ReservationPlaced
                RevalidationFailed ScenarioAssessed SeatLicensed SeatProvisioned SeatReset
                SeatResetRequested SeatRevalidated SeatsAdded SeatsReassigned SeatsReduced
                SeatsTransferred ServicesAutoAssigned ServicesBoundToTenant SessionEnded
                SessionStarted SignInChosen SignUpChosen SourceRecordKept
                SubscriptionCancelled SubscriptionDeleted SubscriptionDisabled
                SubscriptionExpired SubscriptionObserved SubscriptionReactivated
                SubscriptionRenewed SubscriptionStarted SubscriptionsReviewed
                SupportEscalated TblParametersSet TenantCreated TenantRemapped TenantRetired
                TenantRoleAssigned TenantRoleRemoved TrialAbandoned TrialConverted
                TrialDataDeleted TrialDeletionAdvised TrialExpired UserAuthenticated
                UserDeprovisioned UserNotified UserPrompted UserReprovisioned VlRoleAssigned
                VlRoleRemoved
            ] => {}
        }
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<CustomerView> {
        let agreements = state.agreements.iter();
        let bound = agreements
            .filter_map(|license| seen.view::<Agreement>(&license.subject())?.tenant.clone());
        let today = seen.today();
        let relations =
            state
                .relations
                .iter()
                .map(
                    |((customer, relation, first), (from, until))| RelationView {
                        relation: *relation,
                        first: *first,
                        customer: customer.clone(),
                        from: *from,
                        until: *until,
                        holds: from.is_none_or(|from| today >= from)
                            && until.is_none_or(|until| today <= until),
                    },
                );
        Some(CustomerView {
            customer: subject.id.clone(),
            names: state.names.clone(),
            country: state.country.clone(),
            pcns: state.pcns.clone(),
            domains: state.domains.clone(),
            orders: state.orders.clone(),
            tenants_owned: state.tenants_owned.clone(),
            tenants_bound: bound.collect(),
            tenants_of_trials: state.tenants_of_trials.clone(),
            relations: relations.collect(),
            partners: state.partners.clone(),
            is_partner: state.is_partner.clone(),
            cases: state.cases.clone(),
            notified: state.notified,
            first_notified: state.first_notified,
            agreements: state.agreements.clone(),
        })
    }
}
