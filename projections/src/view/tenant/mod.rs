//! The view of a tenant: what is bound to it, its seats and who uses them.
//!
//! Its users and machines are counters, not inputs: a tenant with a million seats has millions of
//! events about them, which are folded from their changes alone.

mod counters;

use crate::seen::Seen;
use crate::source::{Change, Step};
use crate::view::agreement::Agreement;
use crate::view::subscription::{Subscription, SubscriptionState, SubscriptionView};
use crate::view::{Fold, kind_ids, shown_each, shown_option};
use counters::{Counters, MachineUse};
use ledger::event::word::{Cloud, CreatedVia, TenantRole};
use ledger::event::{Event, KindId, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::secret::PersonId;
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::{Date, Occurred, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The projection.
#[derive(Debug)]
pub struct Tenant;

/// What a tenant looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantView {
    /// Its id.
    pub tenant: TenantId,
    /// Its first domain.
    pub initial_domain: Option<DomainName>,
    /// The organisation's name in it.
    pub name: Option<Name>,
    /// Names that it had before.
    pub former_names: BTreeSet<Name>,
    /// ISO 3166 code.
    pub country: Option<Name>,
    /// The cloud that it lives in.
    pub cloud: Option<Cloud>,
    /// How it came to be.
    pub created_via: Option<CreatedVia>,
    /// The day it came to be.
    #[serde(serialize_with = "shown_option")]
    pub created_on: Option<Date>,
    /// The customer whose tenant it is, where a source says so.
    pub owner: Option<CustomerId>,
    /// Its verified domains.
    pub domains: BTreeSet<DomainName>,
    /// Domains that were its own before.
    pub former_domains: BTreeSet<DomainName>,
    /// The agreements that are bound to it.
    pub agreements: BTreeSet<LicenseId>,
    /// The subscriptions that are in it and not reversed.
    pub subscriptions: BTreeSet<SubscriptionId>,
    /// Seats that can be used: active ones, and those in grace that no active subscription of the
    /// same SKU replaces (section A, "Conservation").
    pub seats: Seats,
    /// Seats by SKU.
    pub seats_by_sku: BTreeMap<String, Seats>,
    /// Users that hold a licence.
    pub assigned: usize,
    /// The same by SKU.
    pub assigned_by_sku: BTreeMap<String, usize>,
    /// SKUs of which more users hold a licence than there are seats (invariant 8).
    pub overassigned: BTreeSet<String>,
    /// Machines that are registered in it.
    pub machines: usize,
    /// Machines that are licensed in it by the reports that name it.
    pub machines_licensed: usize,
    /// Global and billing administrators, as pseudonyms.
    #[serde(serialize_with = "shown_each")]
    pub administrators: Vec<PersonId>,
    /// Tenants of partners that administration is delegated to.
    pub delegated_to: BTreeSet<TenantId>,
    /// Services whose provisioning was confirmed in it.
    pub services: BTreeSet<Name>,
    /// When somebody first looked at its subscriptions: a mistake could be noticed then.
    #[serde(serialize_with = "shown_option")]
    pub first_reviewed: Option<Timestamp>,
    /// The partner whose own tenant it is.
    pub partner: Option<PartnerId>,
    /// Orders that were meant for it.
    pub orders_intended: BTreeSet<OrderId>,
    /// Keys that were refused in it: perhaps their owner looks for them (W8).
    pub keys_refused: usize,
    /// Redemptions into it that were reversed.
    pub reversed: BTreeSet<RedemptionId>,
    /// Sessions of it: its users', and those that were in it.
    pub sessions: usize,
    /// Support cases that name it as wrong or right.
    pub cases: BTreeSet<CaseId>,
    /// How many times its administrators were notified.
    pub notified: usize,
    /// Whether it was retired as a duplicate.
    pub retired: bool,
}

/// What the events of a tenant add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    initial_domain: Option<DomainName>,
    name: Option<Name>,
    former_names: BTreeSet<Name>,
    country: Option<Name>,
    cloud: Option<Cloud>,
    created_via: Option<CreatedVia>,
    created: Option<Occurred>,
    created_on: Option<Date>,
    owner: Option<CustomerId>,
    domains: BTreeSet<DomainName>,
    former_domains: BTreeSet<DomainName>,
    agreements: BTreeSet<LicenseId>,
    subscriptions: BTreeSet<SubscriptionId>,
    /// Each with the instant until which it is held.
    administrators: BTreeMap<(PersonId, TenantRole), Option<Timestamp>>,
    /// Each with its last day.
    delegated_to: BTreeMap<TenantId, Option<Date>>,
    confirmed: Vec<Confirmed>,
    first_reviewed: Option<Timestamp>,
    partner: Option<PartnerId>,
    orders_intended: BTreeSet<OrderId>,
    keys_refused: usize,
    reversed: BTreeSet<RedemptionId>,
    cases: BTreeSet<CaseId>,
    notified: usize,
    retired: bool,
    counters: Counters,
}

#[derive(Debug, Clone, PartialEq)]
struct Confirmed {
    last: Timestamp,
    of_agreement: bool,
    service: Name,
}

impl State {
    /// Services whose provisioning was confirmed by mails that name no agreement, at an instant or
    /// after it.
    pub(super) fn confirmed_since(&self, since: Timestamp) -> impl Iterator<Item = &Name> {
        let since = move |told: &&Confirmed| !told.of_agreement && told.last >= since;
        self.confirmed
            .iter()
            .filter(since)
            .map(|told| &told.service)
    }

    /// When it was created, where a source says so.
    pub(super) fn created(&self) -> Option<Occurred> {
        self.created
    }

    fn rename(&mut self, name: Option<&Name>) {
        let Some(name) = name else { return };
        if let Some(before) = self.name.replace(name.clone()) {
            self.former_names.insert(before);
        }
        self.former_names.remove(name);
    }

    fn verify(&mut self, domain: &DomainName) {
        self.former_domains.remove(domain);
        self.domains.insert(domain.clone());
    }
}

/// Roles that give authority over the tenant (R13, P5).
pub(super) fn administers(role: TenantRole) -> bool {
    match role {
        TenantRole::GlobalAdministrator | TenantRole::BillingAdministrator => true,
        TenantRole::UserAdministrator | TenantRole::Other => false,
    }
}

/// Folds the view of a tenant; `None` if no event that is seen names it.
pub fn fold(seen: &Seen<'_>, id: &TenantId) -> Option<TenantView> {
    let view = seen.view::<Tenant>(&id.subject())?;
    Some(view.as_ref().clone())
}

impl Fold for Tenant {
    type State = State;
    type View = TenantView;

    const KIND: SubjectKind = SubjectKind::Tenant;
    const DOC: &'static str =
        "A tenant: its domains, agreements, subscriptions, seats, users and administrators.";
    const FOLLOWS: &'static [SubjectKind] = &[SubjectKind::Subscription, SubjectKind::Agreement];
    const READS: &'static [SubjectKind] = &[];
    const VERSION: u16 = 2;
    const TRACES: &'static [&'static str] = &[
        "keys_refused",
        "reversed",
        "sessions",
        "cases",
        "notified",
        "first_reviewed",
    ];
    const TAKES: &'static [KindId] = kind_ids![
        AccountProfileCreated AcknowledgementShown AuthorizationReceived
        BypassTransitioned CaseOpened CreditLotActivated DelegatedAdminGranted
        DelegatedAdminRevoked DomainRemoved DomainVerified KeyEntered KeyRejected
        KeysRedeemed OnlineServicesIdAdded OrderAmended OrderPlaced PartnerRegistered
        PartyNotified ProvisioningConfirmed RedemptionReversed ScenarioAssessed
        ServicesAutoAssigned ServicesBoundToTenant SignInChosen SubscriptionObserved
        SubscriptionStarted SubscriptionsReviewed TenantCreated TenantObserved
        TenantRemapped TenantRetired TenantRoleAssigned TenantRoleRemoved TrialAbandoned
        TrialConverted TrialDataDeleted TrialDeletionAdvised TrialExpired TrialStarted
    ];
    const SERIES: &'static [KindId] = kind_ids![
        LicensesAssigned LicensesUnassigned MachineBumped MachineRegistered SeatLicensed
        SeatProvisioned SeatRevalidated SeatsReassigned SessionStarted UserDeprovisioned
        UserReprovisioned
    ];

    fn evolve(state: &mut State, subject: &Subject, event: &Event) {
        if !concerns(event, subject) {
            return;
        }
        let here = |tenant: &TenantId| tenant.as_str() == subject.id;
        match &event.payload {
            Payload::TenantCreated(created) => {
                let initial = created.initial_domain.clone();
                state.initial_domain = initial.or(state.initial_domain.take());
                state.rename(created.company.as_ref());
                state.country = created.country.clone().or(state.country.take());
                state.created_via = Some(created.created_via);
                state.created = state.created.or(Some(event.occurred_at));
                state.created_on = Some(event.occurred_at.start.date());
            }
            Payload::TenantObserved(observed) => {
                let initial = observed.initial_domain.clone();
                state.initial_domain = initial.or(state.initial_domain.take());
                state.rename(observed.name.as_ref());
                state.country = observed.country.clone().or(state.country.take());
                state.cloud = observed.cloud.or(state.cloud);
                state.created_via = observed.created_via.or(state.created_via);
                state.created_on = observed.created_on.or(state.created_on);
                state.owner = observed.owner.clone().or(state.owner.take());
                observed
                    .domains
                    .iter()
                    .for_each(|domain| state.verify(&domain.name));
            }
            Payload::DomainVerified(verified) => state.verify(&verified.domain.name),
            Payload::DomainRemoved(removed) => {
                if state.domains.remove(&removed.domain.name) {
                    state.former_domains.insert(removed.domain.name.clone());
                }
            }
            Payload::TenantRoleAssigned(given) => {
                if here(&given.tenant) && administers(given.role) {
                    let role = (given.user.id, given.role);
                    state.administrators.insert(role, given.until);
                }
            }
            Payload::TenantRoleRemoved(taken) => {
                if here(&taken.tenant) {
                    state.administrators.remove(&(taken.user.id, taken.role));
                }
            }
            Payload::DelegatedAdminGranted(granted) => {
                if here(&granted.tenant) {
                    let partner = granted.partner_tenant.clone();
                    state.delegated_to.insert(partner, granted.until);
                }
            }
            Payload::DelegatedAdminRevoked(revoked) => {
                if here(&revoked.tenant) {
                    state.delegated_to.remove(&revoked.partner_tenant);
                }
            }
            Payload::ServicesBoundToTenant(bound) => {
                state.agreements.insert(bound.license_id.clone());
            }
            Payload::ServicesAutoAssigned(assigned) => {
                state.agreements.insert(assigned.license_id.clone());
            }
            Payload::ProvisioningConfirmed(confirmed) => state.confirmed.push(Confirmed {
                last: event.occurred_at.last(),
                of_agreement: confirmed.license_id.is_some(),
                service: confirmed.service.clone(),
            }),
            Payload::KeysRedeemed(redeemed) => {
                state.agreements.extend(redeemed.license_id.clone());
                let effects = redeemed.effects.iter();
                let effects = effects.map(|effect| effect.subscription.clone());
                state.subscriptions.extend(effects);
            }
            Payload::CreditLotActivated(lot) => {
                state.agreements.extend(lot.license_id.clone());
            }
            Payload::SubscriptionStarted(started) => {
                state.agreements.extend(started.license_id.clone());
                state.subscriptions.insert(started.subscription.clone());
            }
            Payload::TrialStarted(trial) => {
                state.subscriptions.insert(trial.subscription.clone());
            }
            Payload::TrialConverted(converted) => {
                state.agreements.extend(converted.license_id.clone());
                state.subscriptions.insert(converted.subscription.clone());
            }
            Payload::SubscriptionObserved(observed) => {
                if here(&observed.tenant) {
                    state.subscriptions.extend(observed.subscription.clone());
                }
            }
            Payload::SubscriptionsReviewed(_) => {
                let at = event.occurred_at.start;
                state.first_reviewed = state.first_reviewed.or(Some(at));
            }
            Payload::TenantRemapped(remapped) => {
                for moved in &remapped.moves {
                    state.agreements.insert(moved.license_id.clone());
                    state
                        .subscriptions
                        .extend(moved.subscriptions.iter().cloned());
                }
            }
            Payload::BypassTransitioned(bypass) => {
                state.agreements.insert(bypass.license_id.clone());
                state.subscriptions.insert(bypass.bpos_subscription.clone());
            }
            Payload::TenantRetired(_) => state.retired = true,
            Payload::PartnerRegistered(partner) => {
                if partner.tenants.iter().any(here) {
                    state.partner = Some(partner.partner.clone());
                }
            }
            Payload::OrderPlaced(placed) => {
                if placed.intended_tenant.as_ref().is_some_and(here) {
                    state.orders_intended.insert(placed.order.clone());
                }
            }
            Payload::OrderAmended(amended) => {
                if amended.intended_tenant.as_ref().is_some_and(here) {
                    state.orders_intended.insert(amended.order.clone());
                }
            }
            Payload::KeyRejected(rejected) => {
                let here = rejected.tenant.as_ref().is_some_and(here);
                state.keys_refused += usize::from(here);
            }
            Payload::RedemptionReversed(reversed) => {
                state.reversed.insert(reversed.redemption.clone());
            }
            Payload::CaseOpened(opened) => {
                let named = [&opened.wrong_tenant, &opened.right_tenant];
                if named.into_iter().flatten().any(here) {
                    state.cases.insert(opened.case.clone());
                }
            }
            Payload::PartyNotified(told) => {
                state.notified += usize::from(told.tenant.as_ref().is_some_and(here));
            }
            // These make a tenant known, and say nothing about it that is not told elsewhere.
            kinds![
                AccountProfileCreated AcknowledgementShown AuthorizationReceived KeyEntered
                OnlineServicesIdAdded ScenarioAssessed SignInChosen TrialAbandoned TrialDataDeleted
                TrialDeletionAdvised TrialExpired
            ] => {}
            kinds![
                ActivationEmailBounced ActivationEmailDelivered ActivationEmailForwarded
                ActivationEmailResent ActivationEmailScheduled ActivationEmailSent
                ActivationEmailSuppressed ActivationLinkExpired ActivationLinkOpened
                ActivationLinkReactivated ActivationStatusObserved AgentStarted
                AgreementRenewedAs AgreementSigned CaseClosed ClockSkewObserved
                ConfirmationGiven ContactChanged CreditConsumed CreditExpired
                CreditForfeited CustomerRegistered CustomersRelated DesktopSetupRun
                DomainOptionChosen EndDateCorrected ExistingSubscriptionsShown
                FindingConfirmed FindingDismissed IdentityVerified ImportRecorded
                IncarnationBegun KeyIssued KeyReissued KeyRevealed LicenseStateObserved
                LicensesAssigned LicensesUnassigned MachineBumped MachineKeyIssued
                MachineRegistered NotifierStarted OfficeInstalled OrderCancelled
                OrderRelayed OrderReturned PersonErased PersonalDataRevealed PersonsMerged
                ProfileEntered RedemptionAbandoned RedemptionModeChosen
                RedemptionOutcomeDiverged RedemptionReviewed RedemptionStarted
                RedemptionSubmitted ReservationCancelled ReservationPlaced
                RevalidationFailed SeatLicensed SeatProvisioned SeatReset SeatResetRequested
                SeatRevalidated SeatsAdded SeatsReassigned SeatsReduced SeatsTransferred
                SessionEnded SessionStarted SignUpChosen SourceRecordKept
                SubscriptionCancelled SubscriptionDeleted SubscriptionDisabled
                SubscriptionExpired SubscriptionReactivated SubscriptionRenewed
                SupportEscalated TblParametersSet UserAuthenticated UserDeprovisioned
                UserNotified UserPrompted UserReprovisioned VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }

    fn steps(event: &Event, subject: &Subject, emit: &mut dyn FnMut(Step)) {
        if concerns(event, subject) {
            counters::steps(event, subject, emit);
        }
    }

    fn tally(state: &mut State, change: &Change) {
        state.counters.tally(change);
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<TenantView> {
        let id = TenantId::new(&subject.id).ok()?;
        let bound = |license: &&LicenseId| {
            let agreement = seen.view::<Agreement>(&license.subject());
            agreement.is_some_and(|agreement| agreement.tenant.as_ref() == Some(&id))
        };
        let subscriptions = state.subscriptions.iter();
        let subscriptions = subscriptions.filter_map(|s| seen.view::<Subscription>(&s.subject()));
        let subscriptions: Vec<Arc<SubscriptionView>> = subscriptions
            .filter(|s| s.tenant.as_ref() == Some(&id))
            .filter(|s| s.state != Some(SubscriptionState::Reversed))
            .collect();
        let seats_by_sku = seats_by_sku(&subscriptions);
        let assigned_by_sku = state.counters.assigned_by_sku();
        let seats = |sku: &String| seats_by_sku.get(sku).map_or(0, |seats| seats.0);
        let over = assigned_by_sku.iter();
        let over =
            over.filter(|(sku, users)| **users > usize::try_from(seats(sku)).unwrap_or(usize::MAX));
        let holds = |until: &Option<Timestamp>| until.is_none_or(|until| seen.now() < until);
        let administrators = state.administrators.iter();
        let administrators = administrators.filter(|(_, until)| holds(until));
        let administrators: BTreeSet<PersonId> = administrators.map(|((who, _), _)| *who).collect();
        let delegated = state.delegated_to.iter();
        let delegated =
            delegated.filter(|(_, until)| until.is_none_or(|last| seen.today() <= last));
        let machines = state.counters.machines.values();
        let licensed = |machine: &&MachineUse| {
            machine.registered
                && machine
                    .licensed_until
                    .is_some_and(|until| seen.now() < until)
        };
        Some(TenantView {
            initial_domain: state.initial_domain.clone(),
            name: state.name.clone(),
            former_names: state.former_names.clone(),
            country: state.country.clone(),
            cloud: state.cloud,
            created_via: state.created_via,
            created_on: state.created_on,
            owner: state.owner.clone(),
            domains: state.domains.clone(),
            former_domains: state.former_domains.clone(),
            agreements: state.agreements.iter().filter(bound).cloned().collect(),
            subscriptions: subscriptions
                .iter()
                .map(|s| s.subscription.clone())
                .collect(),
            seats: Seats(
                seats_by_sku
                    .values()
                    .fold(0, |sum, seats| sum.saturating_add(seats.0)),
            ),
            overassigned: over.map(|(sku, _)| sku.clone()).collect(),
            seats_by_sku,
            assigned: state
                .counters
                .holders
                .values()
                .filter(|skus| !skus.is_empty())
                .count(),
            assigned_by_sku,
            machines: machines
                .clone()
                .filter(|machine| machine.registered)
                .count(),
            machines_licensed: machines.filter(licensed).count(),
            administrators: administrators.into_iter().collect(),
            delegated_to: delegated.map(|(tenant, _)| tenant.clone()).collect(),
            services: state
                .confirmed
                .iter()
                .map(|told| told.service.clone())
                .collect(),
            first_reviewed: state.first_reviewed,
            partner: state.partner.clone(),
            orders_intended: state.orders_intended.clone(),
            keys_refused: state.keys_refused,
            reversed: state.reversed.clone(),
            sessions: state.counters.sessions,
            cases: state.cases.clone(),
            notified: state.notified,
            retired: state.retired,
            tenant: id,
        })
    }
}

/// Whether an event is about a tenant: what somebody of it did elsewhere is not.
fn concerns(event: &Event, subject: &Subject) -> bool {
    let actor = event.actor.as_ref();
    let home = actor.and_then(|actor| actor.home_tenant.as_ref());
    if home.is_none_or(|home| home.as_str() != subject.id) {
        return true;
    }
    let mut named = Vec::new();
    event.payload.subjects(&mut named);
    named.contains(subject)
}

/// What stands for a SKU that no source names.
const UNKNOWN_SKU: &str = "unknown";

fn seats_by_sku(subscriptions: &[Arc<SubscriptionView>]) -> BTreeMap<String, Seats> {
    let is = |subscription: &SubscriptionView, state| subscription.state == Some(state);
    let active: BTreeSet<_> = subscriptions
        .iter()
        .filter(|s| is(s, SubscriptionState::Active))
        .map(|s| &s.sku)
        .collect();
    let mut by_sku: BTreeMap<String, Seats> = BTreeMap::new();
    for subscription in subscriptions.iter().filter(|s| s.is_usable()) {
        let replaced = active.contains(&subscription.sku);
        if is(subscription, SubscriptionState::Grace) && replaced {
            continue;
        }
        let sku = subscription.sku.as_ref().map_or(UNKNOWN_SKU, Sku::as_str);
        let seats = by_sku.entry(sku.to_owned()).or_default();
        seats.0 = seats.0.saturating_add(subscription.seats.0);
    }
    by_sku
}
