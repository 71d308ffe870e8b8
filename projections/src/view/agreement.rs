//! The view of an agreement: where its activation stands (DOMAIN section 5.1, section A
//! "Lifecycle rows added"), which tenant it is bound to, and how its seats are conserved.
//!
//! Follows: its orders, activations, mails, links, keys and redemptions, as far as events of this
//! very agreement name them.

use crate::seen::Seen;
use crate::view::{Fold, agreement_subject, kind_ids, shown_option, tenant_subject};
use ledger::event::word::{BindingBasis, ContactRole, Program, Scenario};
use ledger::event::{Event, KindId, Payload};
use ledger::id::{CustomerId, LicenseId, OrderId, Pcn, Seats, TenantId};
use ledger::kinds;
use ledger::secret::{KeyFingerprint, PersonId};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The projection.
#[derive(Debug)]
pub struct Agreement;

impl Fold for Agreement {
    type State = ();
    type View = Option<AgreementView>;

    const KIND: SubjectKind = SubjectKind::Agreement;
    const DOC: &'static str =
        "An agreement: where its activation stands, its tenant, its seats, its contacts.";
    const FOLLOWS: &'static [SubjectKind] = &[
        SubjectKind::Order,
        SubjectKind::Key,
        SubjectKind::Email,
        SubjectKind::Link,
        SubjectKind::Activation,
        SubjectKind::Redemption,
        SubjectKind::Tenant,
    ];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![ActivationEmailForwarded ActivationEmailResent ActivationEmailSent ActivationEmailSuppressed ActivationLinkExpired ActivationLinkReactivated ActivationStatusObserved AgreementRenewedAs AgreementSigned ContactChanged CreditLotActivated KeyIssued KeyReissued KeysRedeemed OrderAmended OrderCancelled OrderPlaced OrderReturned ProvisioningConfirmed RedemptionReversed ScenarioAssessed ServicesAutoAssigned ServicesBoundToTenant SignInChosen SignUpChosen SubscriptionStarted TenantRemapped TrialConverted];

    fn evolve((): &mut (), _subject: &Subject, _event: &Event) {}

    fn view((): &(), subject: &Subject, seen: &Seen<'_>) -> Option<AgreementView> {
        fold(seen, &LicenseId::new(&subject.id).ok()?)
    }
}

/// Where the activation of an agreement stands (section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ActivationState {
    /// Signed, and nothing ordered yet.
    Signed,
    /// Ordered, nobody invited yet.
    Ordered,
    /// The activation mail is out.
    Invited,
    /// No mail was sent, and nothing landed yet.
    Stalled,
    /// The link ended before a choice was made.
    LinkExpired,
    /// Sign In was chosen; nothing is bound yet.
    ChosenSignIn,
    /// Sign Up was chosen; nothing is bound yet.
    ChosenSignUp,
    /// Bound to a tenant.
    Bound,
    /// Bound, and a service was confirmed as provisioned.
    Provisioned,
    /// Two tenants claim it, by another basis than a remap.
    Contested,
    /// What landed was reversed, and nothing has landed since.
    Reversed,
}

/// The one choice of an activation (R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Choice {
    /// Sign In: an existing tenant.
    SignIn,
    /// Sign Up: a new tenant.
    SignUp,
}

/// What an agreement looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgreementView {
    /// Its License ID.
    pub license_id: LicenseId,
    /// Under which program.
    pub program: Option<Program>,
    /// The customer number on it.
    pub pcn: Option<Pcn>,
    /// Whose it is.
    pub customer: Option<CustomerId>,
    /// Where its activation stands.
    pub state: ActivationState,
    /// The scenario that it was assessed as.
    pub scenario: Option<Scenario>,
    /// The choice that was made.
    pub choice: Option<Choice>,
    /// Whether a source reported the other choice later; the first stands.
    pub second_choice: bool,
    /// The tenant that it is bound to.
    pub tenant: Option<TenantId>,
    /// On what ground.
    pub basis: Option<BindingBasis>,
    /// Since when.
    #[serde(serialize_with = "shown_option")]
    pub bound_at: Option<Timestamp>,
    /// Tenants that claim it besides.
    pub contested_by: BTreeSet<TenantId>,
    /// Its orders that stand.
    pub orders: BTreeSet<OrderId>,
    /// Seats on the orders that stand.
    pub seats_ordered: Seats,
    /// Seats of keys that landed and were not reversed; of orders without keys, seats that started.
    pub seats_landed: Seats,
    /// Persons who may redeem: recipients, and whom the mail was forwarded to (R5).
    pub permitted_redeemers: usize,
    /// Contacts by role, as pseudonyms.
    #[serde(serialize_with = "contacts")]
    pub contacts: BTreeMap<&'static str, PersonId>,
    /// The last activation status that a portal showed.
    pub portal_status: Option<&'static str>,
    /// The last day of the link in the latest mail.
    #[serde(serialize_with = "shown_option")]
    pub link_expires: Option<Date>,
}

fn contacts<S: serde::Serializer>(
    contacts: &BTreeMap<&'static str, PersonId>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_map(contacts.iter().map(|(role, id)| (*role, id.to_string())))
}

/// The events of one agreement: its own history, and those of what it names, in fold order.
pub fn events(at: &Seen<'_>, id: &LicenseId) -> Vec<Arc<Event>> {
    let mut subjects = BTreeSet::from([agreement_subject(id)]);
    // Order -> key -> redemption is the longest chain; each round follows one more link.
    for _ in 0..4 {
        let mut found = BTreeSet::new();
        for event in at.of_any(&subjects) {
            follow(&event, id, &subjects, &mut found);
        }
        let before = subjects.len();
        subjects.extend(found);
        if subjects.len() == before {
            break;
        }
    }
    at.of_any(&subjects)
}

/// The subjects that belong to an agreement because this event ties them to it.
fn follow(event: &Event, id: &LicenseId, known: &BTreeSet<Subject>, found: &mut BTreeSet<Subject>) {
    // Cases and remaps name agreements side by side without tying one's things to the other.
    if matches!(event.payload, kinds![CaseOpened TenantRemapped]) {
        return;
    }
    let mut named = Vec::new();
    event.payload.subjects(&mut named);
    let foreign = named
        .iter()
        .any(|s| s.kind == SubjectKind::Agreement && s.id != id.as_str());
    if foreign {
        return;
    }
    let own = |kind| {
        matches!(
            kind,
            SubjectKind::Order
                | SubjectKind::Key
                | SubjectKind::Email
                | SubjectKind::Link
                | SubjectKind::Activation
                | SubjectKind::Redemption
        )
    };
    found.extend(
        named
            .into_iter()
            .filter(|s| own(s.kind) && !known.contains(s)),
    );
}

#[derive(Default)]
struct Folding {
    invited: bool,
    stalled: bool,
    link_expired: bool,
    provisioned: BTreeSet<TenantId>,
    was_bound: bool,
    orders: BTreeMap<OrderId, u32>,
    key_seats: BTreeMap<KeyFingerprint, u32>,
    landed: BTreeMap<KeyFingerprint, (TenantId, u32)>,
    keyless: BTreeMap<String, (TenantId, u32)>,
    bindings: Vec<Binding>,
    redeemers: BTreeSet<PersonId>,
}

struct Binding {
    tenant: TenantId,
    basis: BindingBasis,
    at: Timestamp,
    redemption: Option<String>,
    keys: Vec<KeyFingerprint>,
}

/// Folds the view of an agreement; `None` if nothing is known of it.
pub fn fold(at: &Seen<'_>, id: &LicenseId) -> Option<AgreementView> {
    let events = events(at, id);
    if events.is_empty() {
        return None;
    }
    let mut view = AgreementView {
        license_id: id.clone(),
        program: None,
        pcn: None,
        customer: None,
        state: ActivationState::Signed,
        scenario: None,
        choice: None,
        second_choice: false,
        tenant: None,
        basis: None,
        bound_at: None,
        contested_by: BTreeSet::new(),
        orders: BTreeSet::new(),
        seats_ordered: Seats(0),
        seats_landed: Seats(0),
        permitted_redeemers: 0,
        contacts: BTreeMap::new(),
        portal_status: None,
        link_expires: None,
    };
    let mut fold = Folding::default();
    for event in &events {
        evolve(&mut view, &mut fold, id, event);
    }
    finish(at, &mut view, fold);
    Some(view)
}

fn evolve(view: &mut AgreementView, fold: &mut Folding, id: &LicenseId, event: &Event) {
    match &event.payload {
        Payload::AgreementSigned(signed) => {
            view.program = Some(signed.program);
            view.pcn = Some(signed.pcn.clone());
            view.customer = Some(signed.customer.clone());
            for contact in &signed.contacts {
                view.contacts
                    .insert(contact.role.as_str(), contact.person.id);
            }
        }
        Payload::AgreementRenewedAs(renewed) => {
            if renewed.new_license_id == *id {
                view.pcn = Some(renewed.pcn_new.clone());
            }
        }
        Payload::ContactChanged(changed) => match &changed.new {
            Some(new) => {
                view.contacts.insert(changed.role.as_str(), new.id);
            }
            None => {
                view.contacts.remove(changed.role.as_str());
            }
        },
        Payload::OrderPlaced(placed) => {
            view.program = view.program.or(Some(placed.program));
            view.customer = view
                .customer
                .take()
                .or_else(|| Some(placed.end_customer.clone()));
            let seats = placed
                .lines
                .iter()
                .filter_map(|line| line.seats)
                .map(|s| s.0)
                .sum();
            fold.orders.insert(placed.order.clone(), seats);
        }
        Payload::OrderAmended(amended) => {
            if !amended.lines.is_empty() {
                let seats = amended
                    .lines
                    .iter()
                    .filter_map(|line| line.seats)
                    .map(|s| s.0)
                    .sum();
                fold.orders.insert(amended.order.clone(), seats);
            }
        }
        Payload::OrderCancelled(cancelled) => {
            fold.orders.remove(&cancelled.order);
        }
        Payload::OrderReturned(returned) => {
            fold.orders.remove(&returned.order);
        }
        Payload::KeyIssued(issued) => {
            fold.key_seats
                .insert(issued.key, issued.seats.map_or(0, |s| s.0));
        }
        Payload::KeyReissued(reissued) => {
            fold.landed.remove(&reissued.old_key);
            let seats = reissued.seats.map(|s| s.0);
            let seats = seats.or_else(|| fold.key_seats.get(&reissued.old_key).copied());
            fold.key_seats.insert(reissued.new_key, seats.unwrap_or(0));
        }
        Payload::ActivationEmailSent(sent) => {
            fold.invited = true;
            fold.stalled = false;
            fold.link_expired = false;
            view.link_expires = sent.link_expires.or(view.link_expires);
            fold.redeemers.insert(sent.recipient.id);
        }
        Payload::ActivationEmailResent(sent) => {
            fold.invited = true;
            fold.link_expired = false;
            fold.redeemers.insert(sent.recipient.id);
        }
        Payload::ActivationEmailForwarded(forwarded) => {
            fold.redeemers.insert(forwarded.to.id);
        }
        Payload::ActivationEmailSuppressed(_) => fold.stalled = true,
        Payload::ActivationLinkExpired(_) => fold.link_expired = true,
        Payload::ActivationLinkReactivated(again) => {
            fold.link_expired = false;
            view.link_expires = again.link_expires.or(view.link_expires);
        }
        Payload::ScenarioAssessed(assessed) => view.scenario = Some(assessed.scenario),
        Payload::SignInChosen(_) => choose(view, Choice::SignIn),
        Payload::SignUpChosen(_) => choose(view, Choice::SignUp),
        Payload::ServicesBoundToTenant(bound) => {
            let redemption = bound.redemption.as_ref().map(ToString::to_string);
            bind(
                fold,
                event,
                &bound.tenant,
                bound.basis,
                redemption,
                Vec::new(),
            );
        }
        Payload::ServicesAutoAssigned(assigned) => {
            bind(
                fold,
                event,
                &assigned.tenant,
                BindingBasis::AutoAssign,
                None,
                Vec::new(),
            );
        }
        Payload::KeysRedeemed(redeemed) => {
            let keys: Vec<_> = redeemed.keys.iter().map(|key| key.key).collect();
            for key in &redeemed.keys {
                let issued = fold.key_seats.get(&key.key).copied();
                let seats = key.seats.map(|s| s.0).or(issued).unwrap_or(0);
                fold.landed
                    .insert(key.key, (redeemed.tenant.clone(), seats));
            }
            let redemption = redeemed.redemption.to_string();
            if keys.is_empty() {
                let seats = redeemed.effects.iter().map(|effect| {
                    let after = effect.seats_after.map_or(0, |s| s.0);
                    after.saturating_sub(effect.seats_before.map_or(0, |s| s.0))
                });
                let seats = (redeemed.tenant.clone(), seats.sum());
                fold.keyless.insert(redemption.clone(), seats);
            }
            let tenant = &redeemed.tenant;
            bind(
                fold,
                event,
                tenant,
                BindingBasis::Redemption,
                Some(redemption),
                keys,
            );
        }
        Payload::CreditLotActivated(lot) => {
            if let Some(tenant) = &lot.tenant {
                let redemption = lot.redemption.as_ref().map(ToString::to_string);
                bind(
                    fold,
                    event,
                    tenant,
                    BindingBasis::Redemption,
                    redemption,
                    vec![lot.key],
                );
            }
        }
        Payload::SubscriptionStarted(started) => {
            if started.redemption.is_none() && started.license_id.as_ref() == Some(id) {
                let seats = (started.tenant.clone(), started.seats.0);
                fold.keyless.insert(started.subscription.to_string(), seats);
            }
        }
        Payload::TrialConverted(converted) => {
            if let Some(seats) = converted.seats {
                let seats = (converted.tenant.clone(), seats.0);
                fold.keyless
                    .insert(converted.subscription.to_string(), seats);
            }
        }
        Payload::RedemptionReversed(reversed) => {
            let redemption = reversed.redemption.as_str();
            fold.keyless.remove(redemption);
            fold.bindings.retain(|binding| {
                let same = binding.redemption.as_deref() == Some(redemption);
                !same && !binding.keys.iter().any(|key| reversed.keys.contains(key))
            });
            let keys = fold.key_seats.keys().copied().collect::<Vec<_>>();
            for key in keys.iter().filter(|key| reversed.keys.contains(key)) {
                fold.landed.remove(key);
            }
        }
        Payload::TenantRemapped(remapped) => {
            for moved in remapped.moves.iter().filter(|m| m.license_id == *id) {
                bind(
                    fold,
                    event,
                    &moved.to,
                    BindingBasis::Remap,
                    None,
                    Vec::new(),
                );
                let seats = fold.landed.values_mut().chain(fold.keyless.values_mut());
                for (tenant, _) in seats.filter(|(tenant, _)| *tenant == moved.from) {
                    *tenant = moved.to.clone();
                }
            }
        }
        Payload::ProvisioningConfirmed(confirmed) => {
            fold.provisioned.insert(confirmed.tenant.clone());
        }
        Payload::ActivationStatusObserved(observed) => {
            view.portal_status = Some(observed.status.as_str());
        }
        kinds![
            AccountProfileCreated AcknowledgementShown ActivationEmailBounced
            ActivationEmailDelivered ActivationEmailScheduled ActivationLinkOpened AgentStarted
            AuthorizationReceived BypassTransitioned CaseClosed CaseOpened ClockSkewObserved
            ConfirmationGiven CreditConsumed CreditExpired CreditForfeited CustomerRegistered
            CustomersRelated DelegatedAdminGranted DelegatedAdminRevoked DesktopSetupRun
            DomainOptionChosen DomainRemoved DomainVerified EndDateCorrected
            ExistingSubscriptionsShown FindingConfirmed FindingDismissed IdentityVerified
            ImportRecorded IncarnationBegun KeyEntered KeyRejected KeyRevealed
            LicenseStateObserved LicensesAssigned LicensesUnassigned MachineBumped
            MachineKeyIssued MachineRegistered NotifierStarted OfficeInstalled
            OnlineServicesIdAdded OrderRelayed PartnerRegistered PartyNotified
            PersonErased PersonalDataRevealed PersonsMerged ProfileEntered
            RedemptionAbandoned RedemptionModeChosen RedemptionOutcomeDiverged
            RedemptionReviewed RedemptionStarted RedemptionSubmitted ReservationCancelled
            ReservationPlaced RevalidationFailed SeatLicensed SeatProvisioned SeatReset
            SeatResetRequested SeatRevalidated SeatsAdded SeatsReassigned SeatsReduced
            SeatsTransferred SessionEnded SessionStarted SourceRecordKept SubscriptionCancelled
            SubscriptionDeleted SubscriptionDisabled SubscriptionExpired SubscriptionObserved
            SubscriptionReactivated SubscriptionRenewed SubscriptionsReviewed SupportEscalated
            TblParametersSet TenantCreated TenantObserved TenantRetired TenantRoleAssigned
            TenantRoleRemoved TrialAbandoned TrialDataDeleted TrialDeletionAdvised TrialExpired
            TrialStarted UserAuthenticated UserDeprovisioned UserNotified UserPrompted
            UserReprovisioned VlRoleAssigned VlRoleRemoved
        ] => {}
    }
}

/// A second choice is refused by the vendor; where a source reports one, the first stands (R8).
fn choose(view: &mut AgreementView, choice: Choice) {
    match view.choice {
        None => view.choice = Some(choice),
        Some(first) => view.second_choice |= first != choice,
    }
}

fn bind(
    fold: &mut Folding,
    event: &Event,
    tenant: &TenantId,
    basis: BindingBasis,
    redemption: Option<String>,
    keys: Vec<KeyFingerprint>,
) {
    fold.was_bound = true;
    fold.bindings.push(Binding {
        tenant: tenant.clone(),
        basis,
        at: event.occurred_at.start,
        redemption,
        keys,
    });
}

fn finish(at: &Seen<'_>, view: &mut AgreementView, fold: Folding) {
    for binding in &fold.bindings {
        let elsewhere = view.tenant.as_ref().is_some_and(|t| *t != binding.tenant);
        if binding.basis == BindingBasis::Remap {
            view.contested_by.clear();
        } else if elsewhere {
            view.contested_by.insert(binding.tenant.clone());
            continue;
        }
        if view.tenant.as_ref() != Some(&binding.tenant) {
            view.tenant = Some(binding.tenant.clone());
            view.bound_at = Some(binding.at);
            view.basis = Some(binding.basis);
        }
    }
    view.orders = fold.orders.keys().cloned().collect();
    view.seats_ordered = Seats(fold.orders.values().sum());
    let by_key: u32 = fold.landed.values().map(|(_, seats)| seats).sum();
    let keyless: u32 = fold.keyless.values().map(|(_, seats)| seats).sum();
    view.seats_landed = Seats(if fold.landed.is_empty() {
        keyless
    } else {
        by_key
    });
    view.permitted_redeemers = fold.redeemers.len();
    view.state = state(at, view, &fold);
}

fn state(at: &Seen<'_>, view: &AgreementView, fold: &Folding) -> ActivationState {
    let today = at.point().valid_at.date();
    if let Some(tenant) = &view.tenant {
        if !view.contested_by.is_empty() {
            return ActivationState::Contested;
        }
        // A provisioning mail does not always name the agreement: the tenant's own counts too.
        let confirmed = fold.provisioned.contains(tenant) || at.of_any([&tenant_subject(tenant)]).iter().any(|event| {
            matches!(&event.payload, Payload::ProvisioningConfirmed(p) if p.license_id.is_none())
                && view
                    .bound_at
                    .is_some_and(|since| event.occurred_at.last() >= since)
        });
        return match confirmed {
            true => ActivationState::Provisioned,
            false => ActivationState::Bound,
        };
    }
    let link_over = view.link_expires.is_some_and(|last| today > last);
    match view.choice {
        _ if fold.was_bound => ActivationState::Reversed,
        Some(Choice::SignIn) => ActivationState::ChosenSignIn,
        Some(Choice::SignUp) => ActivationState::ChosenSignUp,
        None if fold.link_expired || (fold.invited && link_over) => ActivationState::LinkExpired,
        None if fold.invited => ActivationState::Invited,
        None if fold.stalled => ActivationState::Stalled,
        None if !view.orders.is_empty() => ActivationState::Ordered,
        None => ActivationState::Signed,
    }
}

/// The present contact in a role.
pub fn contact(view: &AgreementView, role: ContactRole) -> Option<PersonId> {
    view.contacts.get(role.as_str()).copied()
}
