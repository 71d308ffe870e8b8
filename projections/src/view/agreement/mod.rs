//! The view of an agreement: where its activation stands (DOMAIN section 5.1, section A
//! "Lifecycle rows added"), which tenant it is bound to, and how its seats are conserved.

mod state;

use crate::seen::Seen;
use crate::view::lag::PortalStatus;
use crate::view::{Fold, email, key, kind_ids, link, order, redemption, tenant};
use crate::view::{shown_each, shown_option, shown_values};
use ledger::event::word::{BindingBasis, Cloud, ContactRole, Program, Scenario};
use ledger::event::word::{SuppressedReason, VlRole};
use ledger::event::{Event, KindId};
use ledger::id::*;
use ledger::secret::{KeyFingerprint, PersonId};
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
use serde::Serialize;
use state::Binding;
pub use state::{Scheduled, State};
use std::collections::{BTreeMap, BTreeSet};

pub use crate::view::activation::Choice;

/// The projection.
#[derive(Debug)]
pub struct Agreement;

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
    /// The reseller.
    pub partner: Option<PartnerId>,
    /// The distributor.
    pub distributor: Option<PartnerId>,
    /// Its first day.
    #[serde(serialize_with = "shown_option")]
    pub start: Option<Date>,
    /// Its last day.
    #[serde(serialize_with = "shown_option")]
    pub end: Option<Date>,
    /// The authorization number of the order confirmation (P7).
    pub authorization_no: Option<Name>,
    /// The cloud that it entitles to.
    pub cloud: Option<Cloud>,
    /// The agreement that it renews.
    pub renews: Option<LicenseId>,
    /// The agreement that it was renewed as.
    pub renewed_as: Option<LicenseId>,
    /// Where its activation stands.
    pub state: ActivationState,
    /// The scenario that it was assessed as.
    pub scenario: Option<Scenario>,
    /// The choice that was made.
    pub choice: Option<Choice>,
    /// When.
    #[serde(serialize_with = "shown_option")]
    pub chosen_at: Option<Timestamp>,
    /// Whether a source reported the other choice later; the first stands.
    pub second_choice: bool,
    /// The tenant that it is bound to.
    pub tenant: Option<TenantId>,
    /// On what ground.
    pub basis: Option<BindingBasis>,
    /// Since when.
    #[serde(serialize_with = "shown_option")]
    pub bound_at: Option<Timestamp>,
    /// Whether the binding breaks its guard: Sign In to a tenant that came after the choice, or Sign
    /// Up to one that was there before.
    pub guard_broken: bool,
    /// Tenants that claim it besides.
    pub contested_by: BTreeSet<TenantId>,
    /// Tenants that it was bound to before.
    pub former_tenants: Vec<TenantId>,
    /// Services whose provisioning was confirmed in its tenant.
    pub services: BTreeSet<Name>,
    /// Its orders that stand.
    pub orders: BTreeSet<OrderId>,
    /// Seats on the orders that stand.
    pub seats_ordered: Seats,
    /// Seats of keys that landed and were not reversed; of orders without keys, seats that started.
    pub seats_landed: Seats,
    /// Its keys, by their last five characters.
    pub keys: Vec<String>,
    /// Activation mails for it.
    pub messages: Vec<MessageId>,
    /// The recipient of record of the last one, as pseudonym.
    #[serde(serialize_with = "shown_option")]
    pub recipient: Option<PersonId>,
    /// In which role.
    pub recipient_role: Option<ContactRole>,
    /// Why no mail was sent, if one was not (R7).
    pub suppressed: Option<&'static str>,
    /// Persons who may redeem: recipients, and whom the mail was forwarded to (R5).
    pub permitted_redeemers: usize,
    /// Holders of a volume-licensing role that may redeem (P2), as pseudonyms.
    #[serde(serialize_with = "shown_each")]
    pub vl_redeemers: BTreeSet<PersonId>,
    /// Contacts by role, as pseudonyms.
    #[serde(serialize_with = "shown_values")]
    pub contacts: BTreeMap<&'static str, PersonId>,
    /// How many times a contact was changed; none of them sends a mail (R6).
    pub contacts_changed: usize,
    /// The last activation status that a portal showed.
    pub portal_status: Option<&'static str>,
    /// The same with its time, and how it stands to what landed.
    pub portal: Option<PortalStatus>,
    /// The last day of the link in the latest mail.
    #[serde(serialize_with = "shown_option")]
    pub link_expires: Option<Date>,
    /// The BPOS-S subscription that was transitioned under it.
    pub bypass: Option<SubscriptionId>,
    /// Support cases about it.
    pub cases: BTreeSet<CaseId>,
}

impl Fold for Agreement {
    type State = State;
    type View = AgreementView;

    const KIND: SubjectKind = SubjectKind::Agreement;
    const DOC: &'static str =
        "An agreement: where its activation stands, its tenant, its seats, its contacts.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const READS: &'static [SubjectKind] = &[
        SubjectKind::Order,
        SubjectKind::Key,
        SubjectKind::Email,
        SubjectKind::Link,
        SubjectKind::Redemption,
        SubjectKind::Tenant,
    ];
    const VERSION: u16 = 1;
    const TRACES: &'static [&'static str] = &[
        "former_tenants",
        "guard_broken",
        "keys",
        "portal",
        "cases",
        "contacts_changed",
    ];
    const TAKES: &'static [KindId] = kind_ids![
        ActivationEmailResent ActivationEmailScheduled ActivationEmailSent
        ActivationEmailSuppressed ActivationStatusObserved AgreementRenewedAs
        AgreementSigned BypassTransitioned CaseOpened ContactChanged CreditLotActivated
        KeyIssued KeyReissued KeysRedeemed OrderPlaced ProvisioningConfirmed
        ReservationPlaced ScenarioAssessed ServicesAutoAssigned ServicesBoundToTenant
        SignInChosen SignUpChosen SubscriptionStarted TenantRemapped TrialConverted
        VlRoleAssigned VlRoleRemoved
    ];

    fn evolve(state: &mut State, subject: &Subject, event: &Event) {
        state.evolve(subject, event);
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<AgreementView> {
        view(state, subject, seen)
    }
}

/// Folds the view of an agreement; `None` if nothing is known of it.
pub fn fold(seen: &Seen<'_>, id: &LicenseId) -> Option<AgreementView> {
    let view = seen.view::<Agreement>(&id.subject())?;
    Some(view.as_ref().clone())
}

/// The present contact in a role.
pub fn contact(view: &AgreementView, role: ContactRole) -> Option<PersonId> {
    view.contacts.get(role.as_str()).copied()
}

/// Whether a volume-licensing role may redeem (P2).
fn may_redeem(role: VlRole) -> bool {
    match role {
        VlRole::Administrator | VlRole::ProductKeysReader | VlRole::OnlineServicesManager => true,
        VlRole::LicensePositionReader
        | VlRole::ProductDownloadManager
        | VlRole::BenefitsReader
        | VlRole::InvoiceReader => false,
    }
}

fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<AgreementView> {
    let keys = keys(state, subject, seen);
    let bound = bind(&bindings(state, &keys, seen));
    let orders = standing_orders(state, seen);
    let link = present_link(state, seen);
    let permitted: BTreeSet<PersonId> = state
        .mails
        .iter()
        .flat_map(|mail| {
            let email = seen.state::<email::Email>(&mail.message.subject());
            let permitted = email.map(|email| email.permitted()).unwrap_or_default();
            permitted.into_iter().chain([mail.recipient])
        })
        .collect();
    let confirmed = services(state, &bound, seen);
    let guard_broken = guard_broken(state, &bound, seen);
    let last = state.mails.last();
    let limits = seen.policies().limits;
    let portal = state.statuses.last().map(|(status, at)| {
        PortalStatus::judge(*status, *at, bound.as_ref().map(|bound| bound.at), &limits)
    });
    let was_bound = !state.bindings.is_empty() || keys.iter().any(|(_, k)| !k.landings.is_empty());
    let standing = match &bound {
        Some(bound) if !bound.contested_by.is_empty() => ActivationState::Contested,
        Some(_) if !confirmed.is_empty() => ActivationState::Provisioned,
        Some(_) => ActivationState::Bound,
        None if was_bound => ActivationState::Reversed,
        None => state.unbound(!orders.is_empty(), link.over),
    };
    let vl = state.vl_roles.iter().filter(|(_, role)| may_redeem(*role));
    Some(AgreementView {
        license_id: LicenseId::new(&subject.id).ok()?,
        program: state.program,
        pcn: state.pcn.clone(),
        customer: state.customer.clone(),
        partner: state.partner.clone(),
        distributor: state.distributor.clone(),
        start: state.start,
        end: state.end,
        authorization_no: state.authorization_no.clone(),
        cloud: state.cloud,
        renews: state.renews.clone(),
        renewed_as: state.renewed_as.clone(),
        state: standing,
        scenario: state.scenario,
        choice: state.choosing.first,
        chosen_at: state.choosing.at,
        second_choice: state.choosing.second,
        guard_broken,
        services: confirmed,
        seats_ordered: Seats(
            orders
                .values()
                .fold(0, |sum, seats| sum.saturating_add(*seats)),
        ),
        orders: orders.into_keys().collect(),
        seats_landed: Seats(seats_landed(state, &keys, seen)),
        keys: keys.iter().map(|(key, _)| key.last5.to_string()).collect(),
        messages: state
            .mails
            .iter()
            .map(|mail| mail.message.clone())
            .collect(),
        recipient: last.map(|mail| mail.recipient),
        recipient_role: last.and_then(|mail| mail.role),
        suppressed: state.suppressed.map(SuppressedReason::as_str),
        permitted_redeemers: permitted.len(),
        vl_redeemers: vl.map(|(person, _)| *person).collect(),
        contacts: state.contacts.clone(),
        contacts_changed: state.contacts_changed,
        portal_status: portal.as_ref().map(|portal| portal.shown),
        portal,
        link_expires: link.expires,
        bypass: state.bypass.clone(),
        cases: state.cases.clone(),
        basis: bound.as_ref().map(|bound| bound.basis),
        bound_at: bound.as_ref().map(|bound| bound.at),
        contested_by: bound
            .as_ref()
            .map(|b| b.contested_by.clone())
            .unwrap_or_default(),
        former_tenants: bound.as_ref().map(|b| b.former.clone()).unwrap_or_default(),
        tenant: bound.map(|bound| bound.tenant),
    })
}

type Keys = Vec<(KeyFingerprint, std::sync::Arc<key::State>)>;

/// Its keys: those that its own events name, and those that took their place. A key that was issued
/// under another agreement is none of its own, even if they were redeemed together.
fn keys(state: &State, subject: &Subject, seen: &Seen<'_>) -> Keys {
    let mut keys = BTreeMap::new();
    let mut next: Vec<KeyFingerprint> = state.keys.iter().copied().collect();
    while let Some(key) = next.pop() {
        if keys.contains_key(&key) {
            continue;
        }
        let Some(found) = seen.state::<key::Key>(&key.subject()) else {
            continue;
        };
        let foreign = |license: &LicenseId| license.as_str() != subject.id;
        if found.license_id.as_ref().is_some_and(foreign) {
            continue;
        }
        next.extend(found.replaced_by);
        keys.insert(key, found);
    }
    keys.into_iter().collect()
}

/// What bound it and was not reversed, in the order in which it did.
fn bindings(state: &State, keys: &Keys, seen: &Seen<'_>) -> Vec<Binding> {
    let own = state.bindings.iter().cloned();
    let by_key = keys.iter().flat_map(|(key, state)| {
        state.landings.iter().map(|landing| Binding {
            order: landing.order,
            tenant: landing.tenant.clone(),
            basis: BindingBasis::Redemption,
            redemption: landing.redemption.clone(),
            keys: vec![*key],
        })
    });
    let stands = |binding: &Binding| {
        binding.basis == BindingBasis::Remap
            || !redemption::is_reversed(seen, binding.redemption.as_ref(), &binding.keys)
    };
    let mut bindings: Vec<Binding> = own.chain(by_key).filter(stands).collect();
    bindings.sort_by_key(|binding| binding.order);
    bindings
}

/// The tenant that an agreement is bound to.
struct Bound {
    tenant: TenantId,
    basis: BindingBasis,
    at: Timestamp,
    contested_by: BTreeSet<TenantId>,
    former: Vec<TenantId>,
}

fn bind(bindings: &[Binding]) -> Option<Bound> {
    let mut bound: Option<Bound> = None;
    for binding in bindings {
        let fresh = || Bound {
            tenant: binding.tenant.clone(),
            basis: binding.basis,
            at: binding.order.0,
            contested_by: BTreeSet::new(),
            former: Vec::new(),
        };
        let Some(bound) = &mut bound else {
            bound = Some(fresh());
            continue;
        };
        let elsewhere = bound.tenant != binding.tenant;
        match binding.basis {
            BindingBasis::Remap if elsewhere => {
                let mut moved = fresh();
                moved.former = std::mem::take(&mut bound.former);
                moved.former.push(bound.tenant.clone());
                *bound = moved;
            }
            BindingBasis::Remap => bound.contested_by.clear(),
            BindingBasis::SignIn
            | BindingBasis::SignUp
            | BindingBasis::AutoAssign
            | BindingBasis::Redemption => {
                if elsewhere {
                    bound.contested_by.insert(binding.tenant.clone());
                }
            }
        }
    }
    bound
}

/// Its orders that were neither cancelled nor returned, with their seats.
fn standing_orders(state: &State, seen: &Seen<'_>) -> BTreeMap<OrderId, u32> {
    let orders = state.orders.iter().filter_map(|order| {
        let found = seen.state::<order::Order>(&order.subject())?;
        (!found.is_gone() && found.is_placed()).then(|| (order.clone(), found.seats()))
    });
    orders.collect()
}

struct PresentLink {
    expires: Option<Date>,
    over: bool,
}

/// The link of the latest mail.
fn present_link(state: &State, seen: &Seen<'_>) -> PresentLink {
    let Some(mail) = state.mails.last() else {
        return PresentLink {
            expires: None,
            over: false,
        };
    };
    let link = mail.link.as_ref().map(Names::subject);
    if let Some(link) = link.and_then(|link| seen.state::<link::Link>(&link)) {
        return PresentLink {
            expires: link.last_day(seen),
            over: link.is_over(seen),
        };
    }
    PresentLink {
        expires: mail.link_expires,
        over: mail.link_expires.is_some_and(|last| seen.today() > last),
    }
}

/// Services that were confirmed in its tenant: by mails that name it, and by mails of the tenant
/// that name no agreement and came once it was bound.
fn services(state: &State, bound: &Option<Bound>, seen: &Seen<'_>) -> BTreeSet<Name> {
    let Some(bound) = bound else {
        return BTreeSet::new();
    };
    let own = state.provisioned.iter();
    let own = own.filter(|(tenant, _)| *tenant == bound.tenant);
    let own = own.map(|(_, service)| service.clone());
    let tenant = seen.state::<tenant::Tenant>(&bound.tenant.subject());
    let of_tenant = tenant
        .iter()
        .flat_map(|tenant| tenant.confirmed_since(bound.at));
    own.chain(of_tenant.cloned()).collect()
}

/// Whether the binding breaks its guard (section 5.1), as far as one knows when the tenant came to be.
fn guard_broken(state: &State, bound: &Option<Bound>, seen: &Seen<'_>) -> bool {
    let Some((bound, chosen_at)) = bound.as_ref().zip(state.choosing.at) else {
        return false;
    };
    let tenant = seen.state::<tenant::Tenant>(&bound.tenant.subject());
    let Some(created) = tenant.and_then(|tenant| tenant.created()) else {
        return false;
    };
    match bound.basis {
        BindingBasis::SignIn => created.start > chosen_at,
        BindingBasis::SignUp => created.last() < chosen_at,
        BindingBasis::AutoAssign | BindingBasis::Redemption | BindingBasis::Remap => false,
    }
}

/// Seats of its keys that landed and stand; where it has no such key, those that landed without one.
fn seats_landed(state: &State, keys: &Keys, seen: &Seen<'_>) -> u32 {
    let mut by_key = None;
    for (_, key) in keys {
        let stands = key.replaced_by.is_none() && key.reversed_at(seen).is_none();
        if !key.landings.is_empty() && stands {
            let seats = key.seats.map_or(0, |seats| seats.0);
            by_key = Some(seats.saturating_add(by_key.unwrap_or(0)));
        }
    }
    by_key.unwrap_or_else(|| {
        let keyless = state.keyless.values().filter(|(redemption, _)| {
            !redemption
                .as_ref()
                .is_some_and(|r| redemption::is_reversed(seen, Some(r), &[]))
        });
        keyless.fold(0, |sum, (_, seats)| sum.saturating_add(*seats))
    })
}
