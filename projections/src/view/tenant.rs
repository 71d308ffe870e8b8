//! The view of a tenant: what is bound to it, its seats and who uses them.
//!
//! Follows: the subscriptions and agreements that its history names.

use crate::seen::Seen;
use crate::view::agreement;
use crate::view::subscription::{self, SubscriptionState, SubscriptionView};
use crate::view::{Fold, kind_ids, shown_list, shown_option, tenant_subject};
use ledger::event::word::{Cloud, CreatedVia, TenantRole};
use ledger::event::{Event, KindId, Payload};
use ledger::id::{CustomerId, DomainName, LicenseId, Name, Seats, SubscriptionId, TenantId};
use ledger::kinds;
use ledger::secret::PersonId;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Date;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The projection.
#[derive(Debug)]
pub struct Tenant;

impl Fold for Tenant {
    type State = ();
    type View = Option<TenantView>;

    const KIND: SubjectKind = SubjectKind::Tenant;
    const DOC: &'static str =
        "A tenant: its domains, agreements, subscriptions, seats, users and administrators.";
    const FOLLOWS: &'static [SubjectKind] = &[SubjectKind::Subscription, SubjectKind::Agreement];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![BypassTransitioned CreditLotActivated DelegatedAdminGranted DelegatedAdminRevoked DomainRemoved DomainVerified KeysRedeemed LicensesAssigned LicensesUnassigned SeatsReassigned ServicesAutoAssigned ServicesBoundToTenant SubscriptionObserved SubscriptionStarted TenantCreated TenantObserved TenantRemapped TenantRetired TenantRoleAssigned TenantRoleRemoved TrialConverted TrialStarted UserDeprovisioned UserReprovisioned];

    fn evolve((): &mut (), _subject: &Subject, _event: &Event) {}

    fn view((): &(), subject: &Subject, seen: &Seen<'_>) -> Option<TenantView> {
        fold(seen, &TenantId::new(&subject.id).ok()?)
    }
}

/// What a tenant looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantView {
    /// Its id.
    pub tenant: TenantId,
    /// Its first domain.
    pub initial_domain: Option<DomainName>,
    /// The organisation's name in it.
    pub name: Option<Name>,
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
    /// Global and billing administrators, as pseudonyms.
    #[serde(serialize_with = "shown_list")]
    pub administrators: Vec<PersonId>,
    /// Tenants of partners that administration is delegated to.
    pub delegated_to: BTreeSet<TenantId>,
    /// Whether it was retired as a duplicate.
    pub retired: bool,
}

#[derive(Default)]
struct Folding {
    subscriptions: BTreeSet<SubscriptionId>,
    agreements: BTreeSet<LicenseId>,
    holders: BTreeMap<PersonId, BTreeSet<String>>,
    administrators: BTreeSet<PersonId>,
}

/// Folds the view of a tenant; `None` if no event that is seen names it.
pub fn fold(at: &Seen<'_>, id: &TenantId) -> Option<TenantView> {
    let events = at.of_any([&tenant_subject(id)]);
    if events.is_empty() {
        return None;
    }
    let mut view = TenantView {
        tenant: id.clone(),
        initial_domain: None,
        name: None,
        country: None,
        cloud: None,
        created_via: None,
        created_on: None,
        owner: None,
        domains: BTreeSet::new(),
        agreements: BTreeSet::new(),
        subscriptions: BTreeSet::new(),
        seats: Seats(0),
        seats_by_sku: BTreeMap::new(),
        assigned: 0,
        administrators: Vec::new(),
        delegated_to: BTreeSet::new(),
        retired: false,
    };
    let mut fold = Folding::default();
    for event in &events {
        evolve(&mut view, &mut fold, id, event);
    }
    let bound = |license: &LicenseId| {
        agreement::fold(at, license).is_some_and(|a| a.tenant.as_ref() == Some(id))
    };
    view.agreements = fold.agreements.into_iter().filter(bound).collect();
    let subscriptions: Vec<SubscriptionView> = fold
        .subscriptions
        .iter()
        .filter_map(|s| subscription::fold(at, s))
        .filter(|s| s.tenant.as_ref() == Some(id) && s.state != Some(SubscriptionState::Reversed))
        .collect();
    count_seats(&mut view, &subscriptions);
    view.subscriptions = subscriptions.into_iter().map(|s| s.subscription).collect();
    view.assigned = fold
        .holders
        .values()
        .filter(|skus| !skus.is_empty())
        .count();
    view.administrators = fold.administrators.into_iter().collect();
    Some(view)
}

fn count_seats(view: &mut TenantView, subscriptions: &[SubscriptionView]) {
    let active: BTreeSet<_> = subscriptions
        .iter()
        .filter(|s| s.state == Some(SubscriptionState::Active))
        .map(|s| s.sku.clone())
        .collect();
    for subscription in subscriptions.iter().filter(|s| s.is_usable()) {
        let in_grace = subscription.state == Some(SubscriptionState::Grace);
        if in_grace && active.contains(&subscription.sku) {
            continue;
        }
        let sku = subscription
            .sku
            .as_ref()
            .map_or("unknown", |sku| sku.as_str());
        let by_sku = view.seats_by_sku.entry(sku.to_owned()).or_default();
        by_sku.0 = by_sku.0.saturating_add(subscription.seats.0);
        view.seats.0 = view.seats.0.saturating_add(subscription.seats.0);
    }
}

fn evolve(view: &mut TenantView, fold: &mut Folding, id: &TenantId, event: &Event) {
    match &event.payload {
        Payload::TenantCreated(created) => {
            view.initial_domain = created
                .initial_domain
                .clone()
                .or(view.initial_domain.take());
            view.name = created.company.clone().or(view.name.take());
            view.country = created.country.clone().or(view.country.take());
            view.created_via = Some(created.created_via);
            view.created_on = Some(event.occurred_at.start.date());
        }
        Payload::TenantObserved(observed) => {
            view.initial_domain = observed
                .initial_domain
                .clone()
                .or(view.initial_domain.take());
            view.name = observed.name.clone().or(view.name.take());
            view.country = observed.country.clone().or(view.country.take());
            view.cloud = observed.cloud.or(view.cloud);
            view.created_via = observed.created_via.or(view.created_via);
            view.created_on = observed.created_on.or(view.created_on);
            view.owner = observed.owner.clone().or(view.owner.take());
            view.domains
                .extend(observed.domains.iter().map(|d| d.name.clone()));
        }
        Payload::DomainVerified(verified) => {
            view.domains.insert(verified.domain.name.clone());
        }
        Payload::DomainRemoved(removed) => {
            view.domains.remove(&removed.domain.name);
        }
        Payload::TenantRoleAssigned(given) => {
            if given.tenant == *id && administers(given.role) {
                fold.administrators.insert(given.user.id);
            }
        }
        Payload::TenantRoleRemoved(taken) => {
            if taken.tenant == *id && administers(taken.role) {
                fold.administrators.remove(&taken.user.id);
            }
        }
        Payload::DelegatedAdminGranted(granted) => {
            if granted.tenant == *id {
                view.delegated_to.insert(granted.partner_tenant.clone());
            }
        }
        Payload::DelegatedAdminRevoked(revoked) => {
            view.delegated_to.remove(&revoked.partner_tenant);
        }
        Payload::ServicesBoundToTenant(bound) => {
            fold.agreements.insert(bound.license_id.clone());
        }
        Payload::ServicesAutoAssigned(assigned) => {
            fold.agreements.insert(assigned.license_id.clone());
        }
        Payload::KeysRedeemed(redeemed) => {
            fold.agreements.extend(redeemed.license_id.clone());
            let effects = redeemed.effects.iter();
            fold.subscriptions
                .extend(effects.map(|effect| effect.subscription.clone()));
        }
        Payload::CreditLotActivated(lot) => {
            fold.agreements.extend(lot.license_id.clone());
        }
        Payload::SubscriptionStarted(started) => {
            fold.agreements.extend(started.license_id.clone());
            fold.subscriptions.insert(started.subscription.clone());
        }
        Payload::TrialStarted(trial) => {
            fold.subscriptions.insert(trial.subscription.clone());
        }
        Payload::TrialConverted(converted) => {
            fold.agreements.extend(converted.license_id.clone());
            fold.subscriptions.insert(converted.subscription.clone());
        }
        Payload::SubscriptionObserved(observed) => {
            if observed.tenant == *id {
                fold.subscriptions.extend(observed.subscription.clone());
            }
        }
        Payload::TenantRemapped(remapped) => {
            for moved in &remapped.moves {
                fold.agreements.insert(moved.license_id.clone());
                fold.subscriptions
                    .extend(moved.subscriptions.iter().cloned());
            }
        }
        Payload::BypassTransitioned(bypass) => {
            fold.agreements.insert(bypass.license_id.clone());
            fold.subscriptions.insert(bypass.bpos_subscription.clone());
        }
        Payload::LicensesAssigned(assigned) => {
            for user in &assigned.users {
                let skus = fold.holders.entry(user.id).or_default();
                skus.insert(assigned.sku.to_string());
            }
        }
        Payload::LicensesUnassigned(taken) => {
            for user in &taken.users {
                let skus = fold.holders.entry(user.id).or_default();
                skus.remove(taken.sku.as_str());
            }
        }
        Payload::UserDeprovisioned(gone) => {
            let skus = fold.holders.entry(gone.user.id).or_default();
            match &gone.sku {
                Some(sku) => drop(skus.remove(sku.as_str())),
                None => skus.clear(),
            }
        }
        Payload::UserReprovisioned(back) => {
            let sku = back.sku.as_ref().map_or("unknown", |sku| sku.as_str());
            fold.holders
                .entry(back.user.id)
                .or_default()
                .insert(sku.to_owned());
        }
        Payload::SeatsReassigned(moved) => {
            let sku = moved.sku.as_ref().map_or("unknown", |sku| sku.as_str());
            for user in &moved.users {
                let skus = fold.holders.entry(user.id).or_default();
                if moved.tenant == *id {
                    skus.insert(sku.to_owned());
                } else if moved.sku.is_none() {
                    skus.clear();
                } else {
                    skus.remove(sku);
                }
            }
        }
        Payload::TenantRetired(_) => view.retired = true,
        kinds![
            AccountProfileCreated AcknowledgementShown ActivationEmailBounced
            ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
            ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
            ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
            ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned
            AuthorizationReceived CaseClosed CaseOpened ClockSkewObserved ConfirmationGiven
            ContactChanged CreditConsumed CreditExpired CreditForfeited CustomerRegistered
            CustomersRelated DesktopSetupRun DomainOptionChosen EndDateCorrected
            ExistingSubscriptionsShown FindingConfirmed FindingDismissed IdentityVerified
            ImportRecorded IncarnationBegun KeyEntered KeyIssued KeyReissued KeyRejected
            KeyRevealed LicenseStateObserved MachineBumped MachineKeyIssued MachineRegistered
            NotifierStarted OfficeInstalled OnlineServicesIdAdded OrderAmended OrderCancelled
            OrderPlaced OrderRelayed OrderReturned PartnerRegistered PartyNotified
            PersonErased PersonalDataRevealed PersonsMerged
            ProfileEntered ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen
            RedemptionOutcomeDiverged RedemptionReversed RedemptionReviewed RedemptionStarted
            RedemptionSubmitted ReservationCancelled ReservationPlaced RevalidationFailed
            ScenarioAssessed SeatLicensed SeatProvisioned SeatReset SeatResetRequested
            SeatRevalidated SeatsAdded SeatsReduced SeatsTransferred SessionEnded SessionStarted
            SignInChosen SignUpChosen SourceRecordKept SubscriptionCancelled SubscriptionDeleted
            SubscriptionDisabled SubscriptionExpired SubscriptionReactivated SubscriptionRenewed
            SubscriptionsReviewed SupportEscalated TblParametersSet TrialAbandoned
            TrialDataDeleted TrialDeletionAdvised TrialExpired UserAuthenticated UserNotified
            UserPrompted VlRoleAssigned VlRoleRemoved
        ] => {}
    }
}

/// Roles that give authority over the tenant (R13, P5).
fn administers(role: TenantRole) -> bool {
    match role {
        TenantRole::GlobalAdministrator | TenantRole::BillingAdministrator => true,
        TenantRole::UserAdministrator | TenantRole::Other => false,
    }
}
