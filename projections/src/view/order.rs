//! The view of an order: its lines, its way along the chain, its keys, and whether it was activated
//! (R1, R2, P14, P33).

use crate::seen::Seen;
use crate::view::agreement::Agreement;
use crate::view::key::{Key, KeyState};
use crate::view::lag::PortalStatus;
use crate::view::{Fold, kind_ids, redemption, shown_option, shown_values};
use ledger::event::part::{Contact, OrderLine};
use ledger::event::word::SuppressedReason;
use ledger::event::word::{ActivationStatus, ContactRole, LineKind, PlacedBy, Program};
use ledger::event::{Event, KindId, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::secret::{KeyFingerprint, PersonId};
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The projection.
#[derive(Debug)]
pub struct Order;

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum OrderState {
    /// Only named by others: nothing says that it was placed.
    Unknown,
    /// Reserved for a later usage date.
    Reserved,
    /// Placed, and nothing of it landed yet.
    Placed,
    /// Some of its keys were redeemed.
    PartlyActivated,
    /// It landed: all its keys were redeemed, or its agreement is bound.
    Activated,
    /// Cancelled before it was activated.
    Cancelled,
    /// Returned along the chain.
    Returned,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineView {
    /// What is bought.
    pub sku: Sku,
    /// Seats or credit.
    pub kind: LineKind,
    /// How many seats.
    pub seats: Option<Seats>,
    /// How much credit, in minor units of the currency.
    pub amount: Option<i64>,
    /// The currency of the credit.
    pub currency: Option<String>,
    /// Length of the term in months.
    pub term_months: Option<u32>,
}

impl LineView {
    fn of(line: &OrderLine) -> Self {
        Self {
            sku: line.sku.clone(),
            kind: line.kind,
            seats: line.seats,
            amount: line.amount.as_ref().map(|amount| amount.minor_units.0),
            currency: line
                .amount
                .as_ref()
                .map(|amount| amount.currency.to_string()),
            term_months: line.term_months.map(|months| months.0),
        }
    }
}

/// What an order looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderView {
    /// Its number.
    pub order: String,
    /// Where it stands.
    pub state: OrderState,
    /// The agreement that it is under.
    pub license_id: Option<LicenseId>,
    /// The activation that it began.
    pub activation: Option<ActivationId>,
    /// Under which program.
    pub program: Option<Program>,
    /// Who will use it.
    pub customer: Option<CustomerId>,
    /// Who entered it.
    pub placed_by: Option<&'static str>,
    /// When.
    #[serde(serialize_with = "shown_option")]
    pub placed_on: Option<Date>,
    /// The reseller.
    pub partner: Option<PartnerId>,
    /// The distributor.
    pub distributor: Option<PartnerId>,
    /// Its way along the distribution chain, in order.
    pub relayed: Vec<(PartnerId, PartnerId)>,
    /// The tenant that it is meant for, where it names one.
    pub intended_tenant: Option<TenantId>,
    /// The first day of use.
    #[serde(serialize_with = "shown_option")]
    pub usage_date: Option<Date>,
    /// What was ordered, after all amendments.
    pub lines: Vec<LineView>,
    /// Seats on it.
    pub seats: Seats,
    /// How many times it was amended.
    pub amended: usize,
    /// Contacts on it by role, as pseudonyms.
    #[serde(serialize_with = "shown_values")]
    pub contacts: BTreeMap<&'static str, PersonId>,
    /// Whether it names neither an Online Services Manager nor an Online Administrator nor, under an
    /// Open program, a Primary Contact (R2).
    pub contacts_missing: bool,
    /// Keys that were issued for it, reissued ones in place of their old ones.
    pub keys: usize,
    /// Keys of it that were redeemed and not reversed.
    pub keys_redeemed: usize,
    /// Seats of these.
    pub seats_redeemed: Seats,
    /// Redemptions that name it.
    pub redemptions: BTreeSet<RedemptionId>,
    /// Activation mails for it.
    pub messages: BTreeSet<MessageId>,
    /// Why no mail was sent, if one was not (R7).
    pub suppressed: Option<&'static str>,
    /// The last activation status that a portal showed for it.
    pub portal: Option<PortalStatus>,
    /// Until when its reservation can be cancelled (P33).
    #[serde(serialize_with = "shown_option")]
    pub cancel_by: Option<Timestamp>,
    /// Whether the reservation was cancelled later than that.
    pub cancelled_late: bool,
    /// Days after it was placed on which it was returned.
    pub returned_after_days: Option<i64>,
    /// Whether the return broke a rule: not whole, or too late (P14).
    pub return_irregular: bool,
}

/// What the events of an order add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    placed: bool,
    reserved: bool,
    placed_on: Option<Date>,
    pub(super) license_id: Option<LicenseId>,
    activation: Option<ActivationId>,
    program: Option<Program>,
    customer: Option<CustomerId>,
    placed_by: Option<PlacedBy>,
    pub(super) partner: Option<PartnerId>,
    distributor: Option<PartnerId>,
    relayed: Vec<(PartnerId, PartnerId)>,
    pub(super) intended_tenant: Option<TenantId>,
    usage_date: Option<Date>,
    lines: Vec<OrderLine>,
    amended: usize,
    contacts: BTreeMap<&'static str, PersonId>,
    keys: BTreeSet<KeyFingerprint>,
    redemptions: BTreeSet<RedemptionId>,
    bound: Vec<(Timestamp, TenantId)>,
    messages: BTreeSet<MessageId>,
    suppressed: Option<SuppressedReason>,
    portal: Option<(ActivationStatus, Timestamp)>,
    cancelled_at: Option<Timestamp>,
    returned: Option<(Timestamp, bool, Option<u32>)>,
}

impl State {
    /// The day on which it was placed.
    pub(super) fn placed_on(&self) -> Option<Date> {
        self.placed_on
    }

    /// Whether it was cancelled or returned.
    pub(super) fn is_gone(&self) -> bool {
        self.cancelled_at.is_some() || self.returned.is_some()
    }

    /// Whether it was placed, and not only reserved.
    pub(super) fn is_placed(&self) -> bool {
        self.placed
    }

    /// Seats on its lines.
    pub(super) fn seats(&self) -> u32 {
        let seats = self.lines.iter().filter_map(|line| line.seats);
        seats.fold(0, |sum, seats| sum.saturating_add(seats.0))
    }

    fn contacts(&mut self, contacts: &[Contact]) {
        for contact in contacts {
            self.contacts
                .insert(contact.role.as_str(), contact.person.id);
        }
    }
}

impl Fold for Order {
    type State = State;
    type View = OrderView;

    const KIND: SubjectKind = SubjectKind::Order;
    const DOC: &'static str =
        "An order: its lines, its way along the chain, its keys, and whether it was activated.";
    const FOLLOWS: &'static [SubjectKind] = &[SubjectKind::Key, SubjectKind::Agreement];
    const READS: &'static [SubjectKind] = &[SubjectKind::Redemption];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
        ActivationStatusObserved KeyIssued KeyReissued KeysRedeemed OrderAmended
        OrderCancelled OrderPlaced OrderRelayed OrderReturned RedemptionStarted
        ReservationCancelled ReservationPlaced ServicesAutoAssigned
        ServicesBoundToTenant
    ];

    fn evolve(state: &mut State, _: &Subject, event: &Event) {
        match &event.payload {
            Payload::OrderPlaced(placed) => {
                state.placed = true;
                state.placed_on = state.placed_on.or(Some(event.occurred_at.start.date()));
                state.license_id = Some(placed.license_id.clone());
                state.activation = placed.activation.clone().or(state.activation.take());
                state.program = Some(placed.program);
                state.customer = Some(placed.end_customer.clone());
                state.placed_by = Some(placed.placed_by);
                state.partner = placed.partner.clone().or(state.partner.take());
                state.distributor = placed.distributor.clone().or(state.distributor.take());
                let intended = placed.intended_tenant.clone();
                state.intended_tenant = intended.or(state.intended_tenant.take());
                state.usage_date = placed.usage_date.or(state.usage_date);
                state.lines.clone_from(&placed.lines);
                state.contacts(&placed.contacts);
            }
            Payload::OrderAmended(amended) => {
                state.amended += 1;
                if !amended.lines.is_empty() {
                    state.lines.clone_from(&amended.lines);
                }
                let intended = amended.intended_tenant.clone();
                state.intended_tenant = intended.or(state.intended_tenant.take());
                state.contacts(&amended.contacts);
            }
            kinds![OrderCancelled ReservationCancelled] => {
                state.cancelled_at = state.cancelled_at.or(Some(event.occurred_at.start));
            }
            Payload::OrderRelayed(relayed) => {
                let step = (relayed.from.clone(), relayed.to.clone());
                if !state.relayed.contains(&step) {
                    state.relayed.push(step);
                }
            }
            Payload::ReservationPlaced(reserved) => {
                state.reserved = true;
                state.license_id = state
                    .license_id
                    .take()
                    .or(Some(reserved.license_id.clone()));
                state.usage_date = Some(reserved.usage_date);
                if state.lines.is_empty() {
                    state.lines.push(OrderLine {
                        sku: reserved.sku.clone(),
                        kind: LineKind::Seats,
                        seats: Some(reserved.seats),
                        amount: None,
                        term_months: None,
                    });
                }
            }
            Payload::OrderReturned(returned) => {
                let days = returned.within_days.map(|days| days.0);
                let told = (event.occurred_at.start, returned.whole, days);
                state.returned = state.returned.take().or(Some(told));
            }
            Payload::KeyIssued(issued) => {
                state.license_id = state.license_id.take().or(Some(issued.license_id.clone()));
                state.keys.insert(issued.key);
            }
            Payload::KeyReissued(reissued) => {
                state.keys.insert(reissued.new_key);
            }
            Payload::ActivationEmailScheduled(planned) => {
                state.activation = state.activation.take().or(planned.activation.clone());
            }
            Payload::ActivationEmailSent(sent) => {
                state.activation = state.activation.take().or(sent.activation.clone());
                state.messages.insert(sent.message.clone());
                state.suppressed = None;
            }
            Payload::ActivationEmailSuppressed(none) => state.suppressed = Some(none.reason),
            Payload::ServicesBoundToTenant(bound) => {
                state
                    .bound
                    .push((event.occurred_at.start, bound.tenant.clone()));
            }
            Payload::ServicesAutoAssigned(assigned) => {
                state
                    .bound
                    .push((event.occurred_at.start, assigned.tenant.clone()));
            }
            Payload::RedemptionStarted(started) => {
                state.redemptions.insert(started.redemption.clone());
            }
            Payload::KeysRedeemed(redeemed) => {
                state.redemptions.insert(redeemed.redemption.clone());
                state.keys.extend(redeemed.keys.iter().map(|key| key.key));
            }
            Payload::ActivationStatusObserved(shown) => {
                state.portal = Some((shown.status, event.occurred_at.start));
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                AgentStarted AgreementRenewedAs AgreementSigned AuthorizationReceived
                BypassTransitioned CaseClosed CaseOpened ClockSkewObserved ConfirmationGiven
                ContactChanged CreditConsumed CreditExpired CreditForfeited
                CreditLotActivated CustomerRegistered CustomersRelated DelegatedAdminGranted
                DelegatedAdminRevoked DesktopSetupRun DomainOptionChosen DomainRemoved
                DomainVerified EndDateCorrected ExistingSubscriptionsShown FindingConfirmed
                FindingDismissed IdentityVerified ImportRecorded IncarnationBegun KeyEntered
                KeyRejected KeyRevealed LicenseStateObserved LicensesAssigned
                LicensesUnassigned MachineBumped MachineKeyIssued MachineRegistered
                NotifierStarted OfficeInstalled OnlineServicesIdAdded PartnerRegistered
                PartyNotified PersonErased PersonalDataRevealed PersonsMerged ProfileEntered
                ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen
                RedemptionOutcomeDiverged RedemptionReversed RedemptionReviewed
                RedemptionSubmitted RevalidationFailed ScenarioAssessed SeatLicensed
                SeatProvisioned SeatReset SeatResetRequested SeatRevalidated SeatsAdded
                SeatsReassigned SeatsReduced SeatsTransferred SessionEnded SessionStarted
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

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<OrderView> {
        let limits = seen.policies().limits;
        let landed = landed(state, seen);
        let cancel_by = state.usage_date.filter(|_| state.reserved).map(|date| {
            date.start()
                .plus_minutes(-limits.reservation_cancel_hours * 60)
        });
        let late = |limit: Timestamp| state.cancelled_at.is_some_and(|at| at > limit);
        let returned_after = state.returned.as_ref().and_then(|(at, _, said)| {
            let counted = state.placed_on.map(|placed| at.date().days_since(placed));
            said.map(i64::from).or(counted)
        });
        let has = |role: ContactRole| state.contacts.contains_key(role.as_str());
        Some(OrderView {
            order: subject.id.clone(),
            state: stands(state, &landed),
            license_id: state.license_id.clone(),
            activation: state.activation.clone(),
            program: state.program,
            customer: state.customer.clone(),
            placed_by: state.placed_by.map(PlacedBy::as_str),
            placed_on: state.placed_on,
            partner: state.partner.clone(),
            distributor: state.distributor.clone(),
            relayed: state.relayed.clone(),
            intended_tenant: state.intended_tenant.clone(),
            usage_date: state.usage_date,
            lines: state.lines.iter().map(LineView::of).collect(),
            seats: Seats(state.seats()),
            amended: state.amended,
            contacts: state.contacts.clone(),
            contacts_missing: state.placed
                && !has(ContactRole::OnlineServicesManager)
                && !has(ContactRole::OnlineAdministrator)
                && (crate::policy::is_enterprise(state.program)
                    || !has(ContactRole::PrimaryContact)),
            keys: landed.keys,
            keys_redeemed: landed.redeemed,
            seats_redeemed: Seats(landed.seats),
            redemptions: state.redemptions.clone(),
            messages: state.messages.clone(),
            suppressed: state.suppressed.map(SuppressedReason::as_str),
            portal: state
                .portal
                .map(|(status, at)| PortalStatus::judge(status, at, landed.at, &limits)),
            cancel_by,
            cancelled_late: cancel_by.is_some_and(late),
            returned_after_days: returned_after,
            return_irregular: state.returned.as_ref().is_some_and(|(_, whole, _)| {
                !whole || returned_after.is_some_and(|days| days > limits.return_days)
            }),
        })
    }
}

/// What of an order landed.
struct Landed {
    keys: usize,
    redeemed: usize,
    seats: u32,
    /// Since when anything of it has landed.
    at: Option<Timestamp>,
    /// Whether it landed without a key.
    keyless: bool,
}

fn landed(state: &State, seen: &Seen<'_>) -> Landed {
    let mut landed = Landed {
        keys: 0,
        redeemed: 0,
        seats: 0,
        at: None,
        keyless: false,
    };
    let since = |landed: &mut Landed, at: Timestamp| {
        landed.at = Some(landed.at.map_or(at, |first| first.min(at)));
    };
    for key in &state.keys {
        let Some(view) = seen.view::<Key>(&key.subject()) else {
            continue;
        };
        // A reissued key stands in place of its old one.
        landed.keys += usize::from(view.replaced_by.is_none());
        if matches!(view.state, KeyState::Redeemed | KeyState::RedeemedTwice) {
            landed.redeemed += 1;
            let seats = view.seats.map_or(0, |seats| seats.0);
            landed.seats = landed.seats.saturating_add(seats);
            view.redeemed_at
                .iter()
                .for_each(|at| since(&mut landed, *at));
        }
    }
    if landed.keys == 0 {
        for (at, _) in &state.bound {
            landed.keyless = true;
            since(&mut landed, *at);
        }
        for redemption in &state.redemptions {
            let state = seen.state::<redemption::Redemption>(&redemption.subject());
            if let Some(at) = state.and_then(|state| state.stands_since()) {
                landed.keyless = true;
                since(&mut landed, at);
            }
        }
        let agreement = state.license_id.as_ref().filter(|_| state.placed);
        let agreement = agreement.and_then(|id| seen.view::<Agreement>(&id.subject()));
        if let Some(bound_at) = agreement.and_then(|agreement| agreement.bound_at) {
            landed.keyless = true;
            since(&mut landed, bound_at);
        }
    }
    landed
}

fn stands(state: &State, landed: &Landed) -> OrderState {
    let gone = match (&state.returned, state.cancelled_at) {
        (Some(_), _) => Some(OrderState::Returned),
        (None, Some(_)) => Some(OrderState::Cancelled),
        (None, None) => None,
    };
    if let Some(gone) = gone {
        return gone;
    }
    match () {
        () if landed.keyless => OrderState::Activated,
        () if landed.redeemed > 0 && landed.redeemed >= landed.keys => OrderState::Activated,
        () if landed.redeemed > 0 => OrderState::PartlyActivated,
        () if state.placed => OrderState::Placed,
        () if state.reserved => OrderState::Reserved,
        () => OrderState::Unknown,
    }
}
