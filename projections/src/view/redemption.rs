//! The view of a redemption: from opening the window to the keys landing in a tenant, and what was
//! undone of it (R13 to R19; DOMAIN section A "Catalogue added").

use crate::seen::Seen;
use crate::view::agreement::Agreement;
use crate::view::lag::PortalStatus;
use crate::view::{Fold, key, kind_ids, order, session, shown_option};
use ledger::event::part::{RedeemedKey, RedemptionEffect};
use ledger::event::word::{
    ActorKind, RedemptionEntry, RedemptionFlow, RedemptionMode, RedemptionStep, RejectionCode,
};
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
pub struct Redemption;

/// Where a redemption stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum RedemptionState {
    /// Only named by others.
    Unknown,
    /// The window was opened.
    Started,
    /// Every key that was entered was refused.
    Refused,
    /// Redeem was pressed, and nothing says how it ended.
    OutcomeUnknown,
    /// It was given up.
    Abandoned,
    /// Keys landed.
    Redeemed,
    /// Some of its keys were reversed.
    PartlyReversed,
    /// What landed was reversed.
    Reversed,
}

/// What became of one key of a redemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyResult {
    /// Its last five characters.
    pub last5: String,
    /// Redeemed, refused, or only entered.
    pub result: &'static str,
    /// Why it was refused the last time.
    pub refused_because: Option<&'static str>,
    /// Seats that it brought.
    pub seats: Option<Seats>,
}

/// What a redemption did to one subscription, as a source saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EffectView {
    /// Which subscription.
    pub subscription: SubscriptionId,
    /// Seats before.
    pub seats_before: Option<Seats>,
    /// Seats after.
    pub seats_after: Option<Seats>,
    /// Last day before.
    #[serde(serialize_with = "shown_option")]
    pub end_before: Option<Date>,
    /// Last day after.
    #[serde(serialize_with = "shown_option")]
    pub end_after: Option<Date>,
}

/// What a redemption looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RedemptionView {
    /// Its id.
    pub redemption: String,
    /// Where it stands.
    pub state: RedemptionState,
    /// The agreement that it is for: as its source names it, else as its keys do.
    pub license_id: Option<LicenseId>,
    /// The order.
    pub order: Option<OrderId>,
    /// The tenant that it landed in.
    pub tenant: Option<TenantId>,
    /// Other tenants that reports of it name.
    pub other_tenants: BTreeSet<TenantId>,
    /// The tenant that its order names.
    pub intended_tenant: Option<TenantId>,
    /// The tenant that its agreement is bound to.
    pub bound_tenant: Option<TenantId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// The principal of the session, as pseudonym.
    #[serde(serialize_with = "shown_option")]
    pub principal: Option<PersonId>,
    /// Who pressed Redeem, as pseudonym.
    #[serde(serialize_with = "shown_option")]
    pub redeemer: Option<PersonId>,
    /// What sort of actor did it.
    pub actor: Option<ActorKind>,
    /// The partner: the one that acted, else the one on the order.
    pub partner: Option<PartnerId>,
    /// Through which flow; recorded, never inferred from a date (R19).
    pub flow: Option<RedemptionFlow>,
    /// From which page.
    pub entry: Option<RedemptionEntry>,
    /// How keys were redeemed.
    pub mode: Option<RedemptionMode>,
    /// Whether the box of being the right person was ticked (R13).
    pub confirmed: bool,
    /// What became of each key.
    pub keys: Vec<KeyResult>,
    /// Whether some keys landed although others were refused; a batch should be atomic.
    pub partly_refused: bool,
    /// Whether no key was handled: keyless, or no key is named.
    pub keyless: bool,
    /// Seats that its keys brought.
    pub seats: Seats,
    /// Seats that the portal showed before Redeem was pressed.
    pub reviewed_seats: Option<Seats>,
    /// The end that the portal showed then.
    #[serde(serialize_with = "shown_option")]
    pub reviewed_end: Option<Date>,
    /// The existing subscriptions that the portal showed.
    pub shown: BTreeSet<SubscriptionId>,
    /// What it did to each subscription.
    pub effects: Vec<EffectView>,
    /// The lots of credit that it activated.
    pub lots: BTreeSet<LotId>,
    /// When the window was opened.
    #[serde(serialize_with = "shown_option")]
    pub started_at: Option<Timestamp>,
    /// When Redeem was pressed.
    #[serde(serialize_with = "shown_option")]
    pub submitted_at: Option<Timestamp>,
    /// When keys landed.
    #[serde(serialize_with = "shown_option")]
    pub redeemed_at: Option<Timestamp>,
    /// How far it came, where it was given up.
    pub abandoned_after: Option<RedemptionStep>,
    /// How many sources reported it: one landing, corroborated.
    pub reports: usize,
    /// Whether somebody reported another outcome than was expected.
    pub outcome_diverged: bool,
    /// When it was reversed.
    #[serde(serialize_with = "shown_option")]
    pub reversed_at: Option<Timestamp>,
    /// Under which case.
    pub reversed_under: Option<CaseId>,
    /// The status that a portal showed of its agreement after it (R16).
    pub portal: Option<PortalStatus>,
}

/// What the events of a redemption add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    started_at: Option<Timestamp>,
    pub(super) license_id: Option<LicenseId>,
    order: Option<OrderId>,
    pub(super) session: Option<SessionId>,
    flow: Option<RedemptionFlow>,
    entry: Option<RedemptionEntry>,
    confirmed: bool,
    entered: BTreeSet<KeyFingerprint>,
    refused: BTreeMap<KeyFingerprint, RejectionCode>,
    reviewed: Option<(Option<Seats>, Option<Date>)>,
    shown: BTreeSet<SubscriptionId>,
    mode_chosen: Option<RedemptionMode>,
    submitted_at: Option<Timestamp>,
    abandoned: Option<RedemptionStep>,
    tenant: Option<TenantId>,
    other_tenants: BTreeSet<TenantId>,
    redeemed_at: Option<Timestamp>,
    redeemer: Option<PersonId>,
    pub(super) keys: BTreeMap<KeyFingerprint, Option<Seats>>,
    mode: Option<RedemptionMode>,
    effects: Vec<RedemptionEffect>,
    lots: BTreeSet<LotId>,
    reports: usize,
    diverged: bool,
    actor: Option<ActorKind>,
    partner: Option<PartnerId>,
    reversals: Vec<Reversal>,
}

#[derive(Debug, Clone, PartialEq)]
struct Reversal {
    at: Timestamp,
    keys: Vec<KeyFingerprint>,
    case: Option<CaseId>,
}

impl State {
    fn land(&mut self, event: &Event, tenant: &TenantId) {
        match &self.tenant {
            None => {
                self.tenant = Some(tenant.clone());
                self.redeemed_at = Some(event.occurred_at.start);
            }
            Some(first) if first != tenant => {
                self.other_tenants.insert(tenant.clone());
            }
            Some(_) => {}
        }
        self.acted(event);
    }

    fn acted(&mut self, event: &Event) {
        let Some(actor) = &event.actor else { return };
        self.actor = self.actor.or(Some(actor.kind));
        self.partner = self.partner.take().or_else(|| actor.partner.clone());
    }

    fn keys(&mut self, keys: &[RedeemedKey]) {
        for key in keys {
            let seats = self.keys.entry(key.key).or_default();
            *seats = seats.or(key.seats);
        }
    }

    /// When the whole of it was reversed: by an event that names it and no key, or every key of it.
    /// An event that names it with keys that are none of its own means it too.
    pub(super) fn whole_reversal(&self) -> Option<Timestamp> {
        let whole = |reversal: &&Reversal| {
            let named = self
                .keys
                .keys()
                .filter(|key| reversal.keys.contains(key))
                .count();
            reversal.keys.is_empty() || named == 0 || named == self.keys.len()
        };
        self.reversals.iter().filter(whole).map(|r| r.at).min()
    }

    /// When any of it was reversed, by an event that names it or by one that names its keys.
    fn reversed_at(&self, seen: &Seen<'_>) -> Option<Timestamp> {
        let own = self.reversals.iter().map(|reversal| reversal.at).min();
        own.or_else(|| {
            let keys = self.keys.keys().map(Names::subject);
            let states = keys.filter_map(|key| seen.state::<key::Key>(&key));
            states
                .filter_map(|state| state.reversals.first().copied())
                .min()
        })
    }

    /// Since when it has landed, if it was not reversed by an event that names it.
    pub(super) fn stands_since(&self) -> Option<Timestamp> {
        self.redeemed_at.filter(|_| self.whole_reversal().is_none())
    }
}

/// What of a landing was undone.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Undone {
    /// Nothing.
    Nothing,
    /// Some of its keys.
    Keys(BTreeSet<KeyFingerprint>),
    /// All of it.
    Whole,
}

/// What of a landing was undone, by events that name its redemption or its keys.
pub(super) fn undone(
    seen: &Seen<'_>,
    redemption: Option<&RedemptionId>,
    keys: &[KeyFingerprint],
) -> Undone {
    let state = redemption.and_then(|r| seen.state::<Redemption>(&r.subject()));
    if state.is_some_and(|state| state.whole_reversal().is_some()) {
        return Undone::Whole;
    }
    let reversed = keys.iter().filter(|key| {
        let state = seen.state::<key::Key>(&key.subject());
        state.is_some_and(|state| !state.reversals.is_empty())
    });
    let reversed: BTreeSet<KeyFingerprint> = reversed.copied().collect();
    match reversed.len() {
        0 => Undone::Nothing,
        _ if keys.iter().all(|key| reversed.contains(key)) => Undone::Whole,
        _ => Undone::Keys(reversed),
    }
}

/// Whether all of a landing was undone.
pub(super) fn is_reversed(
    seen: &Seen<'_>,
    redemption: Option<&RedemptionId>,
    keys: &[KeyFingerprint],
) -> bool {
    undone(seen, redemption, keys) == Undone::Whole
}

impl Fold for Redemption {
    type State = State;
    type View = RedemptionView;

    const KIND: SubjectKind = SubjectKind::Redemption;
    const DOC: &'static str =
        "A redemption: who redeemed which keys where and how, and what was undone of it.";
    const FOLLOWS: &'static [SubjectKind] = &[SubjectKind::Agreement];
    const READS: &'static [SubjectKind] = &[
        SubjectKind::Key,
        SubjectKind::Order,
        SubjectKind::Session,
        SubjectKind::Agreement,
    ];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        ConfirmationGiven CreditLotActivated ExistingSubscriptionsShown KeyEntered
        KeyRejected KeysRedeemed RedemptionAbandoned RedemptionModeChosen
        RedemptionOutcomeDiverged RedemptionReversed RedemptionReviewed
        RedemptionStarted RedemptionSubmitted
    ];

    fn evolve(state: &mut State, _: &Subject, event: &Event) {
        match &event.payload {
            Payload::RedemptionStarted(started) => {
                state.started_at = state.started_at.or(Some(event.occurred_at.start));
                state.license_id = state.license_id.take().or(started.license_id.clone());
                state.order = state.order.take().or(started.order.clone());
                state.session = state.session.take().or(started.session.clone());
                state.flow = state.flow.or(Some(started.flow));
                state.entry = state.entry.or(Some(started.entry));
                state.acted(event);
            }
            Payload::ConfirmationGiven(given) => {
                state.confirmed = true;
                state.session = state.session.take().or(Some(given.session.clone()));
                state.license_id = state.license_id.take().or(given.license_id.clone());
            }
            Payload::KeyEntered(entered) => {
                state.entered.insert(entered.key);
            }
            Payload::KeyRejected(rejected) => {
                state.refused.insert(rejected.key, rejected.code);
                state.session = state.session.take().or(rejected.session.clone());
            }
            Payload::RedemptionReviewed(reviewed) => {
                state.reviewed = Some((reviewed.shown_seats, reviewed.shown_end));
            }
            Payload::ExistingSubscriptionsShown(shown) => {
                let shown = shown.shown.iter();
                state
                    .shown
                    .extend(shown.map(|shown| shown.subscription.clone()));
            }
            Payload::RedemptionModeChosen(chosen) => state.mode_chosen = Some(chosen.mode),
            Payload::RedemptionSubmitted(_) => {
                state.submitted_at = state.submitted_at.or(Some(event.occurred_at.start));
                state.acted(event);
            }
            Payload::RedemptionAbandoned(left) => state.abandoned = Some(left.last_step),
            Payload::KeysRedeemed(redeemed) => {
                state.land(event, &redeemed.tenant);
                state.license_id = state.license_id.take().or(redeemed.license_id.clone());
                state.order = state.order.take().or(redeemed.order.clone());
                state.session = state.session.take().or(redeemed.session.clone());
                let redeemer = redeemed.redeemer.as_ref().map(|person| person.id);
                state.redeemer = state.redeemer.or(redeemer);
                state.keys(&redeemed.keys);
                state.mode = state.mode.or(Some(redeemed.mode));
                if state.effects.is_empty() {
                    state.effects.clone_from(&redeemed.effects);
                }
                state.reports += 1;
            }
            Payload::CreditLotActivated(lot) => {
                if let Some(tenant) = &lot.tenant {
                    state.land(event, tenant);
                }
                state.redeemed_at = state.redeemed_at.or(Some(event.occurred_at.start));
                state.license_id = state.license_id.take().or(lot.license_id.clone());
                state.session = state.session.take().or(lot.session.clone());
                state.keys.entry(lot.key).or_default();
                state.lots.insert(lot.lot.clone());
                state.mode = state.mode.or(Some(match lot.new_subscription {
                    true => RedemptionMode::AzureNew,
                    false => RedemptionMode::AzureTopUp,
                }));
            }
            Payload::RedemptionOutcomeDiverged(_) => state.diverged = true,
            Payload::RedemptionReversed(reversed) => {
                state.license_id = state.license_id.take().or(reversed.license_id.clone());
                state.reversals.push(Reversal {
                    at: event.occurred_at.start,
                    keys: reversed.keys.clone(),
                    case: reversed.case.clone(),
                });
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned
                AuthorizationReceived BypassTransitioned CaseClosed CaseOpened
                ClockSkewObserved ContactChanged CreditConsumed CreditExpired
                CreditForfeited CustomerRegistered CustomersRelated DelegatedAdminGranted
                DelegatedAdminRevoked DesktopSetupRun DomainOptionChosen DomainRemoved
                DomainVerified EndDateCorrected FindingConfirmed FindingDismissed
                IdentityVerified ImportRecorded IncarnationBegun KeyIssued KeyReissued
                KeyRevealed LicenseStateObserved LicensesAssigned LicensesUnassigned
                MachineBumped MachineKeyIssued MachineRegistered NotifierStarted
                OfficeInstalled OnlineServicesIdAdded OrderAmended OrderCancelled
                OrderPlaced OrderRelayed OrderReturned PartnerRegistered PartyNotified
                PersonErased PersonalDataRevealed PersonsMerged ProfileEntered
                ProvisioningConfirmed ReservationCancelled ReservationPlaced
                RevalidationFailed ScenarioAssessed SeatLicensed SeatProvisioned SeatReset
                SeatResetRequested SeatRevalidated SeatsAdded SeatsReassigned SeatsReduced
                SeatsTransferred ServicesAutoAssigned ServicesBoundToTenant SessionEnded
                SessionStarted SignInChosen SignUpChosen SourceRecordKept
                SubscriptionCancelled SubscriptionDeleted SubscriptionDisabled
                SubscriptionExpired SubscriptionObserved SubscriptionReactivated
                SubscriptionRenewed SubscriptionStarted SubscriptionsReviewed
                SupportEscalated TblParametersSet TenantCreated TenantObserved
                TenantRemapped TenantRetired TenantRoleAssigned TenantRoleRemoved
                TrialAbandoned TrialConverted TrialDataDeleted TrialDeletionAdvised
                TrialExpired TrialStarted UserAuthenticated UserDeprovisioned UserNotified
                UserPrompted UserReprovisioned VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<RedemptionView> {
        let license_id = state
            .license_id
            .clone()
            .or_else(|| license_of_keys(state, seen));
        let agreement = license_id.as_ref().map(Names::subject);
        let shown_after = agreement.as_ref().and_then(|agreement| {
            let statuses = seen.state::<Agreement>(agreement)?;
            let landed = state.redeemed_at?;
            let (status, at) = statuses.status_after(landed)?;
            Some(PortalStatus::judge(
                status,
                at,
                Some(landed),
                &seen.policies().limits,
            ))
        });
        let order = state.order.as_ref().map(Names::subject);
        let order = order.and_then(|order| seen.state::<order::Order>(&order));
        let session = state.session.as_ref().map(Names::subject);
        let session = session.and_then(|session| seen.state::<session::Session>(&session));
        let seats = state.keys.values().flatten();
        let refused = |key: &KeyFingerprint| !state.keys.contains_key(key);
        Some(RedemptionView {
            redemption: subject.id.clone(),
            state: stands(state, seen),
            order: state.order.clone(),
            tenant: state.tenant.clone(),
            other_tenants: state.other_tenants.clone(),
            intended_tenant: order
                .as_ref()
                .and_then(|order| order.intended_tenant.clone()),
            bound_tenant: agreement
                .and_then(|agreement| seen.view::<Agreement>(&agreement)?.tenant.clone()),
            session: state.session.clone(),
            principal: session.and_then(|session| session.principal()),
            redeemer: state.redeemer,
            actor: state.actor,
            partner: state
                .partner
                .clone()
                .or_else(|| order.as_ref().and_then(|order| order.partner.clone())),
            flow: state.flow,
            entry: state.entry,
            mode: state.mode.or(state.mode_chosen),
            confirmed: state.confirmed,
            keys: results(state),
            partly_refused: !state.keys.is_empty() && state.refused.keys().any(refused),
            keyless: state.redeemed_at.is_some() && state.keys.is_empty(),
            seats: Seats(seats.fold(0, |sum, seats| sum.saturating_add(seats.0))),
            reviewed_seats: state.reviewed.and_then(|(seats, _)| seats),
            reviewed_end: state.reviewed.and_then(|(_, end)| end),
            shown: state.shown.clone(),
            effects: state.effects.iter().map(effect).collect(),
            lots: state.lots.clone(),
            started_at: state.started_at,
            submitted_at: state.submitted_at,
            redeemed_at: state.redeemed_at,
            abandoned_after: state.abandoned,
            reports: state.reports,
            outcome_diverged: state.diverged,
            reversed_at: state.reversed_at(seen),
            reversed_under: state.reversals.iter().find_map(|r| r.case.clone()),
            portal: shown_after,
            license_id,
        })
    }
}

/// The agreement that the keys of a redemption are under, where its own source names none.
fn license_of_keys(state: &State, seen: &Seen<'_>) -> Option<LicenseId> {
    let keys = state.keys.keys().chain(&state.entered);
    let mut licenses = keys.filter_map(|key| {
        let key = seen.state::<key::Key>(&key.subject())?;
        key.license_id.clone()
    });
    licenses.next()
}

fn effect(effect: &RedemptionEffect) -> EffectView {
    EffectView {
        subscription: effect.subscription.clone(),
        seats_before: effect.seats_before,
        seats_after: effect.seats_after,
        end_before: effect.end_before,
        end_after: effect.end_after,
    }
}

fn results(state: &State) -> Vec<KeyResult> {
    let all: BTreeSet<&KeyFingerprint> = state
        .entered
        .iter()
        .chain(state.refused.keys())
        .chain(state.keys.keys())
        .collect();
    all.into_iter()
        .map(|key| {
            let redeemed = state.keys.get(key);
            let refused = state.refused.get(key);
            KeyResult {
                last5: key.last5.to_string(),
                result: match (redeemed, refused) {
                    (Some(_), _) => "Redeemed",
                    (None, Some(_)) => "Refused",
                    (None, None) => "Entered",
                },
                refused_because: refused.map(|code| code.as_str()),
                seats: redeemed.copied().flatten(),
            }
        })
        .collect()
}

fn stands(state: &State, seen: &Seen<'_>) -> RedemptionState {
    let landed = state.redeemed_at.is_some();
    if landed || !state.reversals.is_empty() {
        let keys: Vec<KeyFingerprint> = state.keys.keys().copied().collect();
        return match (state.whole_reversal(), undone(seen, None, &keys)) {
            (Some(_), _) | (None, Undone::Whole) => RedemptionState::Reversed,
            (None, Undone::Keys(_)) => RedemptionState::PartlyReversed,
            (None, Undone::Nothing) => RedemptionState::Redeemed,
        };
    }
    // Redeem is pressed before the mode is asked: whoever leaves then may have redeemed.
    let pressed = state.submitted_at.is_some()
        || matches!(
            state.abandoned,
            Some(RedemptionStep::Submitted | RedemptionStep::ModeAsked)
        );
    let all_refused = !state.refused.is_empty()
        && state
            .entered
            .iter()
            .all(|key| state.refused.contains_key(key));
    match () {
        () if all_refused => RedemptionState::Refused,
        () if pressed => RedemptionState::OutcomeUnknown,
        () if state.abandoned.is_some() => RedemptionState::Abandoned,
        () if state.started_at.is_some() || !state.entered.is_empty() => RedemptionState::Started,
        () => RedemptionState::Unknown,
    }
}
