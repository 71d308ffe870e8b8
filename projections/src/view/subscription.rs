//! The view of a subscription: its tenant, seats and end, and where it stands in its life
//! (DOMAIN sections A "Dates" and "Observed and computed", 5.3 and 6).
//!
//! Follows: the subscription's own history; each redemption that touched it, for reversals; its
//! agreements, for the program.
//!
//! The fold collects *effects* in order and computes them twice. The first run, over all of them,
//! finds how far what sources observed differs from what the policies compute: such a difference is
//! an effect of its own. The second run leaves out the redemptions that were reversed and keeps the
//! differences: an end date is never restored, it is computed again from everything else.

use crate::history::At;
use crate::policy::{self, Afterlife, TermEnd};
use crate::view::{Projection, shown_option, subscription_subject, to_json};
use ledger::event::word::{Program, RedemptionMode};
use ledger::event::{Event, Payload, kinds::KeysRedeemed};
use ledger::id::{LicenseId, RedemptionId, Seats, Sku, SubscriptionId, TenantId};
use ledger::kinds;
use ledger::secret::KeyFingerprint;
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::Date;
use serde::Serialize;
use std::collections::BTreeSet;

/// The registry's entry.
pub const PROJECTION: Projection = Projection {
    kind: SubjectKind::Subscription,
    doc: "A subscription: its tenant, seats, end date and where it stands in its life.",
    follows: "its redemptions (for reversals) and its agreements (for the program)",
    fold: |at, subject| to_json(fold(at, &SubscriptionId::new(&subject.id).ok()?)?),
};

/// Where a subscription stands in its life (section 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum SubscriptionState {
    /// A trial that runs.
    Trial,
    /// A trial that has ended and whose data still exists.
    TrialExpired,
    /// In use.
    Active,
    /// Past its end, still usable.
    Grace,
    /// Not usable; can still be renewed.
    Disabled,
    /// Gone for ever.
    Deleted,
    /// Everything that began it was reversed.
    Reversed,
}

/// What a subscription looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubscriptionView {
    /// Its id.
    pub subscription: SubscriptionId,
    /// The tenant that it is in.
    pub tenant: Option<TenantId>,
    /// Of what.
    pub sku: Option<Sku>,
    /// The agreements that paid for it.
    pub license_ids: BTreeSet<LicenseId>,
    /// Where it stands in its life.
    pub state: Option<SubscriptionState>,
    /// Its seats.
    pub seats: Seats,
    /// Its last day.
    #[serde(serialize_with = "shown_option")]
    pub end: Option<Date>,
    /// Its first day.
    #[serde(serialize_with = "shown_option")]
    pub started_on: Option<Date>,
    /// Its last day of grace.
    #[serde(serialize_with = "shown_option")]
    pub grace_until: Option<Date>,
    /// The redemptions that count in it.
    pub redemptions: BTreeSet<RedemptionId>,
    /// The redemptions that were reversed: provisioned in error until then.
    pub reversed: BTreeSet<RedemptionId>,
    /// Whether a source observed other seats or another end than the policies compute.
    pub diverged: bool,
}

impl SubscriptionView {
    /// Whether its seats can be used today: active, or in grace.
    pub fn is_usable(&self) -> bool {
        matches!(
            self.state,
            Some(SubscriptionState::Trial | SubscriptionState::Active | SubscriptionState::Grace)
        )
    }
}

#[derive(Debug, Clone)]
enum Change {
    Start {
        seats: Option<u32>,
        end: Option<Date>,
    },
    Trial {
        seats: Option<u32>,
        end: Option<Date>,
    },
    Convert {
        seats: Option<u32>,
        end: Option<Date>,
    },
    Add {
        seats: u32,
    },
    Renew {
        seats: Option<u32>,
    },
    PooledAverage {
        seats: u32,
    },
    Shift {
        seats: i64,
    },
    Report {
        seats: Option<u32>,
        end: Option<Date>,
    },
    Disable,
    Delete,
    Reactivate {
        end: Option<Date>,
    },
}

#[derive(Debug, Clone)]
struct Effect {
    on: Date,
    change: Change,
    term: TermEnd,
    redemption: Option<RedemptionId>,
    keys: Vec<KeyFingerprint>,
    observed_seats: Option<u32>,
    observed_end: Option<Date>,
    /// How far the observed values were from the computed ones, in seats and days.
    unexplained: (i64, i64),
}

impl Effect {
    fn new(event: &Event, change: Change) -> Self {
        Self {
            on: event.occurred_at.start.date(),
            change,
            term: TermEnd::of(event),
            redemption: None,
            keys: Vec::new(),
            observed_seats: None,
            observed_end: None,
            unexplained: (0, 0),
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Running {
    started_on: Option<Date>,
    anchor_day: i8,
    trial: bool,
    seats: i64,
    end: Option<Date>,
    disabled_on: Option<Date>,
    deleted_on: Option<Date>,
}

/// What is gathered besides the effects.
struct Gathered {
    effects: Vec<Effect>,
    tenant: Option<TenantId>,
    sku: Option<Sku>,
    /// The agreements that paid for it, each with the redemption by which it did.
    paid_by: Vec<(Option<RedemptionId>, LicenseId)>,
    observed_seats: Option<Seats>,
}

impl Gathered {
    fn paid(&mut self, redemption: Option<&RedemptionId>, license_id: Option<&LicenseId>) {
        let paid = license_id.map(|license| (redemption.cloned(), license.clone()));
        self.paid_by.extend(paid);
    }

    /// The agreements that paid for it. A reversed redemption paid for nothing, unless nothing else
    /// is left of the subscription.
    fn license_ids(&self, reversed: &BTreeSet<RedemptionId>) -> BTreeSet<LicenseId> {
        let counts = |redemption: &Option<RedemptionId>| {
            !redemption.as_ref().is_some_and(|r| reversed.contains(r))
        };
        let paid = self
            .paid_by
            .iter()
            .filter(|(redemption, _)| counts(redemption));
        let standing: BTreeSet<LicenseId> = paid.map(|(_, license)| license.clone()).collect();
        match standing.is_empty() {
            true => self
                .paid_by
                .iter()
                .map(|(_, license)| license.clone())
                .collect(),
            false => standing,
        }
    }
}

/// Folds the view of a subscription; `None` if nothing is known of it.
pub fn fold(at: &At<'_>, id: &SubscriptionId) -> Option<SubscriptionView> {
    let events: Vec<&Event> = at.of(&subscription_subject(id)).collect();
    if events.is_empty() {
        return None;
    }
    let mut gathered = gather(id, &events);
    let reversed = reversed(at, &gathered.effects);
    let license_ids = gathered.license_ids(&reversed);
    let agreement = license_ids.first();
    let (program, agreement_end) = agreement.map_or((None, None), |id| program_of(at, id));
    let afterlife = Afterlife::of(program);
    if afterlife != Afterlife::of(None) {
        align_with_agreement(&mut gathered.effects, agreement_end);
    }
    run(&mut gathered.effects, &BTreeSet::new(), afterlife, true);
    let diverged = gathered.effects.iter().any(|e| e.unexplained != (0, 0));
    let running = run(&mut gathered.effects, &reversed, afterlife, false);
    let redemptions = gathered.effects.iter().filter_map(|e| e.redemption.clone());
    let redemptions = redemptions.filter(|r| !reversed.contains(r)).collect();
    let seats = match (gathered.effects.is_empty(), gathered.observed_seats) {
        (true, Some(observed)) => observed,
        _ => Seats(u32::try_from(running.seats.max(0)).unwrap_or(u32::MAX)),
    };
    let today = at.point().valid_at.date();
    Some(SubscriptionView {
        subscription: id.clone(),
        tenant: gathered.tenant,
        sku: gathered.sku,
        license_ids,
        state: state_on(&running, &gathered.effects, afterlife, today),
        seats,
        end: running.end,
        started_on: running.started_on,
        grace_until: running.end.map(|end| end.plus_days(afterlife.grace_days)),
        redemptions,
        reversed,
        diverged,
    })
}

/// Enterprise terms end with their agreement where the source names no end (E7).
fn align_with_agreement(effects: &mut [Effect], agreement_end: Option<Date>) {
    for effect in effects {
        match &mut effect.change {
            Change::Start { end, .. } | Change::Convert { end, .. } => {
                *end = end.or(effect.observed_end).or(agreement_end);
            }
            Change::Trial { .. }
            | Change::Add { .. }
            | Change::Renew { .. }
            | Change::PooledAverage { .. }
            | Change::Shift { .. }
            | Change::Report { .. }
            | Change::Disable
            | Change::Delete
            | Change::Reactivate { .. } => {}
        }
    }
}

fn program_of(at: &At<'_>, license_id: &LicenseId) -> (Option<Program>, Option<Date>) {
    let mut program = None;
    let mut end = None;
    for event in at.of(&license_id.subject()) {
        if let Payload::AgreementSigned(signed) = &event.payload {
            program = Some(signed.program);
            end = signed.end;
        } else if let Payload::OrderPlaced(placed) = &event.payload {
            program = program.or(Some(placed.program));
        }
    }
    (program, end)
}

/// The redemptions of these effects that were reversed by the point.
fn reversed(at: &At<'_>, effects: &[Effect]) -> BTreeSet<RedemptionId> {
    let mut reversed = BTreeSet::new();
    for effect in effects {
        let Some(redemption) = &effect.redemption else {
            continue;
        };
        let subjects: Vec<Subject> = std::iter::once(redemption.subject())
            .chain(effect.keys.iter().map(Names::subject))
            .collect();
        let undone = at.of_any(&subjects).into_iter().any(|event| {
            matches!(&event.payload, Payload::RedemptionReversed(r)
                if r.redemption == *redemption || r.keys.iter().any(|k| effect.keys.contains(k)))
        });
        if undone {
            reversed.insert(redemption.clone());
        }
    }
    reversed
}

fn gather(id: &SubscriptionId, events: &[&Event]) -> Gathered {
    let mut to = Gathered {
        effects: Vec::new(),
        tenant: None,
        sku: None,
        paid_by: Vec::new(),
        observed_seats: None,
    };
    let redeemed: BTreeSet<&RedemptionId> = events
        .iter()
        .filter_map(|event| {
            let Payload::KeysRedeemed(redeemed) = &event.payload else {
                return None;
            };
            Some(&redeemed.redemption)
        })
        .collect();
    let own = |redemption: &Option<RedemptionId>| {
        // A report that belongs to a redemption whose own report is here says nothing new.
        !redemption.as_ref().is_some_and(|r| redeemed.contains(r))
    };
    for event in events {
        gather_event(&mut to, id, event, &own);
    }
    to
}

fn gather_event(
    to: &mut Gathered,
    id: &SubscriptionId,
    event: &Event,
    own: &dyn Fn(&Option<RedemptionId>) -> bool,
) {
    let mut push = |change| to.effects.push(Effect::new(event, change));
    match &event.payload {
        Payload::KeysRedeemed(redeemed) => {
            to.tenant = Some(redeemed.tenant.clone());
            gather_redemption(to, id, event, redeemed);
        }
        Payload::SubscriptionStarted(started) => {
            to.tenant = Some(started.tenant.clone());
            to.sku = Some(started.sku.clone());
            to.paid(started.redemption.as_ref(), started.license_id.as_ref());
            let change = Change::Start {
                seats: Some(started.seats.0),
                end: started.end,
            };
            merge_start(&mut to.effects, Effect::new(event, change));
        }
        Payload::TrialStarted(trial) => {
            to.tenant = Some(trial.tenant.clone());
            to.sku = to.sku.take().or_else(|| trial.sku.clone());
            push(Change::Trial {
                seats: trial.seats.map(|seats| seats.0),
                end: trial.ends,
            });
        }
        Payload::TrialConverted(converted) => {
            to.tenant = Some(converted.tenant.clone());
            push(Change::Convert {
                seats: converted.seats.map(|seats| seats.0),
                end: converted.end,
            });
            to.paid(None, converted.license_id.as_ref());
        }
        Payload::SubscriptionRenewed(renewed) => {
            if own(&renewed.redemption) {
                push(Change::Report {
                    seats: renewed.seats.map(|seats| seats.0),
                    end: renewed.end,
                });
            }
        }
        Payload::SeatsAdded(added) => {
            if own(&added.redemption) {
                push(Change::Shift {
                    seats: i64::from(added.added.0),
                });
            }
        }
        Payload::SeatsReduced(reduced) => push(Change::Shift {
            seats: -i64::from(reduced.removed.0),
        }),
        Payload::SeatsTransferred(moved) => {
            let seats = i64::from(moved.seats.0);
            let out = if moved.from == *id { -seats } else { 0 };
            let into = if moved.to == *id { seats } else { 0 };
            push(Change::Shift { seats: out + into });
        }
        Payload::EndDateCorrected(corrected) => push(Change::Report {
            seats: None,
            end: Some(corrected.to),
        }),
        kinds![SubscriptionDisabled SubscriptionCancelled] => push(Change::Disable),
        kinds![SubscriptionDeleted TrialDataDeleted] => push(Change::Delete),
        Payload::SubscriptionReactivated(back) => push(Change::Reactivate { end: back.end }),
        Payload::SubscriptionObserved(observed) => {
            to.tenant = to.tenant.take().or_else(|| Some(observed.tenant.clone()));
            to.sku = to.sku.take().or_else(|| Some(observed.sku.clone()));
            to.observed_seats = Some(observed.enabled);
        }
        Payload::LicensesAssigned(assigned) => {
            to.sku = to.sku.take().or_else(|| Some(assigned.sku.clone()));
        }
        Payload::CreditLotActivated(lot) => {
            to.tenant = lot.tenant.clone().or_else(|| to.tenant.take());
            to.paid(lot.redemption.as_ref(), lot.license_id.as_ref());
        }
        Payload::TenantRemapped(remapped) => {
            let moved = remapped.moves.iter().find(|m| m.subscriptions.contains(id));
            to.tenant = moved.map(|m| m.to.clone()).or_else(|| to.tenant.take());
        }
        Payload::BypassTransitioned(bypass) => {
            to.tenant = bypass.tenant.clone().or_else(|| to.tenant.take());
            to.paid(None, Some(&bypass.license_id));
        }
        // The passing of time needs no event; a source that reports it says nothing new.
        kinds![SubscriptionExpired TrialExpired TrialAbandoned TrialDeletionAdvised] => {}
        kinds![
            AccountProfileCreated AcknowledgementShown ActivationEmailBounced ActivationEmailDelivered
            ActivationEmailForwarded ActivationEmailResent ActivationEmailScheduled ActivationEmailSent
            ActivationEmailSuppressed ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
            ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned AuthorizationReceived
            CaseClosed CaseOpened ClockSkewObserved ConfirmationGiven ContactChanged CreditConsumed
            CreditExpired CreditForfeited CustomerRegistered CustomersRelated DelegatedAdminGranted
            DelegatedAdminRevoked DesktopSetupRun DomainOptionChosen DomainRemoved DomainVerified
            ExistingSubscriptionsShown FindingConfirmed FindingDismissed IdentityVerified ImportRecorded
            KeyEntered KeyIssued KeyRejected KeyReissued KeyRevealed LicenseStateObserved
            LicensesUnassigned MachineBumped MachineKeyIssued MachineRegistered NotifierStarted
            OfficeInstalled OnlineServicesIdAdded OrderAmended OrderCancelled OrderPlaced OrderRelayed
            OrderReturned PartnerRegistered PartyNotified ProfileEntered ProvisioningConfirmed
            RedemptionAbandoned RedemptionModeChosen RedemptionOutcomeDiverged RedemptionReversed
            RedemptionReviewed RedemptionStarted RedemptionSubmitted ReservationCancelled
            ReservationPlaced RevalidationFailed ScenarioAssessed SeatLicensed SeatProvisioned SeatReset
            SeatResetRequested SeatRevalidated SeatsReassigned ServicesAutoAssigned ServicesBoundToTenant
            SessionEnded SessionStarted SignInChosen SignUpChosen SourceRecordKept SubscriptionsReviewed
            SupportEscalated TblParametersSet TenantCreated TenantObserved TenantRetired
            TenantRoleAssigned TenantRoleRemoved UserAuthenticated UserDeprovisioned UserNotified
            UserPrompted UserReprovisioned VlRoleAssigned VlRoleRemoved
        ] => {}
    }
}

/// The effect of a redemption on this subscription; a second report of it only adds what it
/// observed (one landing reported by two systems is one landing).
fn gather_redemption(
    to: &mut Gathered,
    id: &SubscriptionId,
    event: &Event,
    redeemed: &KeysRedeemed,
) {
    let observed = redeemed.effects.iter().find(|e| e.subscription == *id);
    to.sku = to
        .sku
        .take()
        .or_else(|| observed.and_then(|o| o.sku.clone()));
    let keys: Vec<KeyFingerprint> = redeemed.keys.iter().map(|key| key.key).collect();
    let carried = redeemed
        .keys
        .iter()
        .filter_map(|key| key.seats)
        .map(|s| s.0);
    let carried = carried.fold(None, |sum: Option<u32>, seats| {
        Some(sum.unwrap_or(0).saturating_add(seats))
    });
    let before = observed.and_then(|o| o.seats_before).map_or(0, |s| s.0);
    let after = observed.and_then(|o| o.seats_after).map(|s| s.0);
    let several = redeemed.effects.len() > 1;
    let added = match (several, carried, after) {
        (false, Some(carried), _) => carried,
        (_, _, Some(after)) => after.saturating_sub(before),
        (_, carried, None) => carried.unwrap_or(0),
    };
    let change = match redeemed.mode {
        RedemptionMode::NewSubscription | RedemptionMode::AzureNew => Change::Start {
            seats: Some(added),
            end: None,
        },
        RedemptionMode::RenewPlus12 | RedemptionMode::AddKeepEnd
            if policy::names(event, "pooled_average") =>
        {
            Change::PooledAverage { seats: added }
        }
        RedemptionMode::AddKeepEnd => Change::Add { seats: added },
        RedemptionMode::RenewPlus12 => Change::Renew {
            seats: if several { after } else { carried },
        },
        // Credit is in lots, not in seats.
        RedemptionMode::AzureTopUp => Change::Shift { seats: 0 },
    };
    let mut effect = Effect::new(event, change);
    effect.redemption = Some(redeemed.redemption.clone());
    effect.keys = keys;
    effect.observed_seats = after;
    effect.observed_end = observed.and_then(|o| o.end_after);
    let known = to.effects.iter_mut().find(|other| {
        other.redemption == effect.redemption || other.keys.iter().any(|k| effect.keys.contains(k))
    });
    // Two systems may number one redemption in their own ways: it is known by the first number.
    let counted = known.as_ref().and_then(|known| known.redemption.clone());
    let counted = counted.or_else(|| effect.redemption.clone());
    let paid = redeemed
        .license_id
        .clone()
        .map(|license| (counted, license));
    to.paid_by.extend(paid);
    match known {
        Some(known) => {
            known.observed_seats = known.observed_seats.or(effect.observed_seats);
            known.observed_end = known.observed_end.or(effect.observed_end);
        }
        None if matches!(effect.change, Change::Start { .. }) => {
            merge_start(&mut to.effects, effect);
        }
        None => to.effects.push(effect),
    }
}

/// A subscription starts once: of several reports, the redemption's is kept, and the others add
/// what they observed.
fn merge_start(effects: &mut Vec<Effect>, new: Effect) {
    let start = effects
        .iter_mut()
        .find(|effect| matches!(effect.change, Change::Start { .. }));
    let Some(known) = start else {
        effects.push(new);
        return;
    };
    let (keep, other) = match known.redemption.is_none() && new.redemption.is_some() {
        true => (new, known.clone()),
        false => (known.clone(), new),
    };
    *known = keep;
    if let Change::Start { seats, end } = other.change {
        known.observed_seats = known.observed_seats.or(other.observed_seats).or(seats);
        known.observed_end = known.observed_end.or(other.observed_end).or(end);
    }
}

/// Computes the effects in order, without the reversed ones. `learn` notes what is unexplained;
/// otherwise what was noted is applied, for reversed effects too.
fn run(
    effects: &mut [Effect],
    reversed: &BTreeSet<RedemptionId>,
    afterlife: Afterlife,
    learn: bool,
) -> Running {
    let mut running = Running::default();
    for effect in effects {
        let skipped = effect
            .redemption
            .as_ref()
            .is_some_and(|r| reversed.contains(r));
        if !skipped {
            step(&mut running, effect, afterlife);
        }
        if learn {
            let seats = effect
                .observed_seats
                .map_or(0, |s| i64::from(s) - running.seats);
            let days = match (effect.observed_end, running.end) {
                (Some(observed), Some(computed)) => observed.days_since(computed),
                _ => 0,
            };
            effect.unexplained = (seats, days);
        }
        if running.started_on.is_some() {
            running.seats += effect.unexplained.0;
            running.end = running.end.map(|end| end.plus_days(effect.unexplained.1));
        }
    }
    running
}

fn step(running: &mut Running, effect: &Effect, afterlife: Afterlife) {
    let on = effect.on;
    match effect.change {
        Change::Start { seats, end } => {
            running.started_on = Some(on);
            running.anchor_day = on.day_of_month();
            running.trial = false;
            running.seats += seats.map_or(0, i64::from);
            running.end = end.or_else(|| Some(effect.term.end(on, policy::TERM_MONTHS)));
        }
        Change::Trial { seats, end } => {
            running.started_on = Some(on);
            running.anchor_day = on.day_of_month();
            running.trial = true;
            running.seats = seats.map_or(0, i64::from);
            running.end = end.or_else(|| Some(on.plus_days(policy::TRIAL_DAYS)));
        }
        Change::Convert { seats, end } => {
            running.trial = false;
            running.started_on = running.started_on.or(Some(on));
            running.anchor_day = on.day_of_month();
            running.seats = seats.map_or(running.seats, i64::from);
            running.end = end.or_else(|| Some(effect.term.end(on, policy::TERM_MONTHS)));
        }
        Change::Add { seats } => running.seats += i64::from(seats),
        Change::Renew { seats } => {
            running.seats = seats.map_or(running.seats, i64::from);
            renew(running, effect, afterlife);
        }
        Change::PooledAverage { seats } => pool(running, i64::from(seats), on),
        Change::Shift { seats } => running.seats += seats,
        Change::Report { seats, end } => {
            running.seats = seats.map_or(running.seats, i64::from);
            if let Some(end) = end {
                running.anchor_day = end.day_of_month();
                running.end = Some(end);
            }
        }
        Change::Disable => running.disabled_on = Some(on),
        Change::Delete => running.deleted_on = Some(on),
        Change::Reactivate { end } => {
            running.disabled_on = None;
            running.end = end.or(running.end);
        }
    }
}

/// `RenewFromEnd` while active or in grace, `RenewFromRedemption` after that (section 6).
fn renew(running: &mut Running, effect: &Effect, afterlife: Afterlife) {
    let on = effect.on;
    let from_end = running
        .end
        .filter(|end| on.days_since(*end) <= afterlife.grace_days && running.disabled_on.is_none());
    running.end = Some(match from_end {
        Some(end) => match effect.term {
            TermEnd::OnAnniversary => end.plus_months(policy::TERM_MONTHS, running.anchor_day),
            TermEnd::DayBeforeAnniversary => end
                .plus_days(1)
                .plus_months(policy::TERM_MONTHS, running.anchor_day)
                .plus_days(-1),
        },
        None => {
            running.anchor_day = on.day_of_month();
            running.disabled_on = None;
            effect.term.end(on, policy::TERM_MONTHS)
        }
    });
    running.trial = false;
    running.started_on = running.started_on.or(Some(on));
}

/// `PooledAverage`: time left is averaged over old and new seats, in whole days (E6).
fn pool(running: &mut Running, new: i64, on: Date) {
    let old = running.seats.max(0);
    let left = running.end.map_or(0, |end| end.days_since(on).max(0));
    let term = on
        .plus_months(policy::TERM_MONTHS, on.day_of_month())
        .days_since(on);
    let total = old.saturating_add(new);
    if total > 0 {
        let days = (old.saturating_mul(left)).saturating_add(new.saturating_mul(term)) / total;
        running.end = Some(on.plus_days(days));
    }
    running.anchor_day = on.day_of_month();
    running.seats = total;
    running.started_on = running.started_on.or(Some(on));
}

fn state_on(
    running: &Running,
    effects: &[Effect],
    afterlife: Afterlife,
    today: Date,
) -> Option<SubscriptionState> {
    use SubscriptionState::{Active, Deleted, Disabled, Grace, Reversed, Trial, TrialExpired};
    if running.started_on.is_none() {
        return (!effects.is_empty()).then_some(Reversed);
    }
    if running.deleted_on.is_some() {
        return Some(Deleted);
    }
    if let Some(disabled_on) = running.disabled_on {
        let gone = today.days_since(disabled_on) > afterlife.disabled_days;
        return Some(if gone { Deleted } else { Disabled });
    }
    let Some(end) = running.end else {
        return Some(Active);
    };
    let past = today.days_since(end);
    let lasts = afterlife.grace_days + afterlife.disabled_days;
    Some(match running.trial {
        true if past <= 0 => Trial,
        true if past <= policy::TRIAL_DATA_DAYS => TrialExpired,
        true => Deleted,
        false if past <= 0 => Active,
        false if past <= afterlife.grace_days => Grace,
        false if past <= lasts => Disabled,
        false => Deleted,
    })
}
