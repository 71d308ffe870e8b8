//! The two histories that a plan compares: what will have happened once the remaining steps are
//! done as assumed, and what would have happened without the mistake.

use super::ground::{Ground, Method};
use super::holders::to_free;
use ledger::event::kinds::{
    KeyReissued, KeysRedeemed, LicensesUnassigned, RedemptionReversed, TenantRemapped,
};
use ledger::event::part::{RedeemedKey, RedemptionEffect, RemapMove, ReversalEffect};
use ledger::event::protected::Person;
use ledger::event::word::RedemptionMode;
use ledger::event::{Event, Fact, Payload, Source, subject_of};
use ledger::id::{
    EventId, LicenseId, Name, Pcn, Position, RedemptionId, Sku, SubscriptionId, TenantId,
};
use ledger::secret::{KeyFingerprint, Last5};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::{Occurred, Timestamp};
use projections::view::{agreement, subscription, tenant};
use projections::{Histories, Point};
use std::collections::BTreeSet;

/// The system that assumed events name as their source. They are folded and never recorded.
const ASSUMED: &str = "assumed";

/// Steps that are assumed to happen a minute apart, after everything that is known.
const STEP_MINUTES: i64 = 1;

/// Every event that is seen. Costs a copy of them.
fn seen(ground: &Ground<'_>) -> Vec<Event> {
    ground.at.all().cloned().collect()
}

/// The point that the worlds are compared at: after the last assumed step.
fn afterwards(ground: &Ground<'_>, steps: usize) -> Point {
    let steps = i64::try_from(steps).unwrap_or(i64::MAX / STEP_MINUTES);
    let valid_at = ground.at.point().valid_at;
    Point::valid(valid_at.plus_minutes(steps.saturating_add(1).saturating_mul(STEP_MINUTES)))
}

/// Both histories, and the point to look at them from.
pub struct Worlds {
    /// With the remaining steps as assumed.
    pub completed: Histories,
    /// Without the mistake, and with the same steps where they still have a meaning.
    pub counterfactual: Histories,
    /// After the last assumed step.
    pub point: Point,
}

impl Worlds {
    /// Builds both. Costs a few copies of the events that are seen.
    pub fn of(ground: &Ground<'_>) -> Self {
        let assumed = assumed(ground);
        let seen = seen(ground);
        let steps = events(ground, &assumed);
        let counterfactual: Vec<Event> = match ground.method {
            Method::Reissue => {
                let all = seen.iter().chain(&steps);
                all.filter(|event| !is_of_landing(ground, event))
                    .map(|event| unobserved(ground, event))
                    .collect()
            }
            Method::Remap => {
                let moves = moves(ground);
                let all = seen.iter().chain(&steps);
                all.filter_map(|event| in_the_right_tenant(event, &moves))
                    .collect()
            }
        };
        Self {
            completed: Histories::gather(seen.into_iter().chain(steps)),
            counterfactual: Histories::gather(counterfactual),
            point: afterwards(ground, assumed.len()),
        }
    }
}

/// Whether an event reports the landing, what it caused, or its reversal.
fn is_of_landing(ground: &Ground<'_>, event: &Event) -> bool {
    let landing = &ground.landing;
    if landing.events.contains(&event.id) {
        return true;
    }
    if let Payload::RedemptionReversed(reversed) = &event.payload
        && reversed.keys.iter().any(|key| landing.keys.contains(key))
    {
        return true;
    }
    // Reports of a subscription that would not exist.
    if let Payload::SubscriptionStarted(started) = &event.payload
        && ground.begun.contains(&started.subscription)
    {
        return true;
    }
    if let Payload::SubscriptionObserved(observed) = &event.payload
        && let Some(subscription) = &observed.subscription
        && ground.begun.contains(subscription)
    {
        return true;
    }
    let mut named = Vec::new();
    event.payload.subjects(&mut named);
    let own: BTreeSet<Subject> = landing.redemptions.iter().map(subject_of).collect();
    named.iter().any(|subject| own.contains(subject))
}

/// The event without what its source saw of a touched subscription while the mistake stood: nobody
/// saw that in a world without it, and the policies compute it anew.
fn unobserved(ground: &Ground<'_>, event: &Event) -> Event {
    let mut event = event.clone();
    let reversed = ground.landing.reversed.as_ref();
    let stood = event.occurred_at.last() >= ground.landing.at.start
        && reversed.is_none_or(|reversed| event.occurred_at.start <= reversed.from);
    if let Payload::KeysRedeemed(redeemed) = &mut event.fact.payload
        && stood
    {
        // Without seats on the keys the observed ones are all that is known.
        let keys_tell = redeemed.keys.iter().any(|line| line.seats.is_some());
        for effect in &mut redeemed.effects {
            if ground.landing.subscriptions.contains(&effect.subscription) {
                effect.end_before = None;
                effect.end_after = None;
                if keys_tell {
                    effect.seats_before = None;
                    effect.seats_after = None;
                }
            }
        }
    }
    event
}

/// The event as it would have been, had every moved agreement reached the right tenant at once;
/// `None` for the remap itself.
fn in_the_right_tenant(event: &Event, moves: &[RemapMove]) -> Option<Event> {
    let mut event = event.clone();
    let moved = |license: Option<&LicenseId>, tenant: &mut TenantId| {
        let of = moves
            .iter()
            .find(|m| Some(&m.license_id) == license && m.from == *tenant);
        if let Some(of) = of {
            *tenant = of.to.clone();
        }
    };
    if let Payload::TenantRemapped(remapped) = &event.fact.payload {
        let known = |m: &RemapMove| moves.iter().any(|other| other.license_id == m.license_id);
        return (!remapped.moves.iter().any(known)).then_some(event);
    }
    if let Payload::ServicesBoundToTenant(bound) = &mut event.fact.payload {
        moved(Some(&bound.license_id), &mut bound.tenant);
    } else if let Payload::ServicesAutoAssigned(bound) = &mut event.fact.payload {
        moved(Some(&bound.license_id), &mut bound.tenant);
    } else if let Payload::SubscriptionStarted(started) = &mut event.fact.payload {
        moved(started.license_id.as_ref(), &mut started.tenant);
    } else if let Payload::TrialConverted(converted) = &mut event.fact.payload {
        moved(converted.license_id.as_ref(), &mut converted.tenant);
    } else if let Payload::KeysRedeemed(redeemed) = &mut event.fact.payload {
        moved(redeemed.license_id.as_ref(), &mut redeemed.tenant);
    }
    Some(event)
}

/// What the remaining steps are assumed to record, in order, as far as any view depends on it.
pub fn assumed(ground: &Ground<'_>) -> Vec<Payload> {
    match ground.method {
        Method::Reissue => assumed_reissue(ground),
        Method::Remap => {
            let to_move = ground.landing.remapped.is_none();
            let remapped = to_move.then(|| remapped(ground)).flatten();
            remapped.map(Payload::from).into_iter().collect()
        }
    }
}

fn assumed_reissue(ground: &Ground<'_>) -> Vec<Payload> {
    let mut payloads = Vec::new();
    if ground.landing.reversed.is_none() {
        let users = to_free(ground);
        if let (Some(sku), false) = (&ground.sku, users.is_empty()) {
            payloads.push(unassigned(ground, sku, users).into());
        }
        payloads.extend(reversal(ground, Vec::new()).map(Payload::from));
    }
    let mut keys = Vec::new();
    for line in &ground.keys {
        let known = ground.reissued.get(&line.key).and_then(|new| new.first());
        let new = known.map_or_else(|| assumed_key(line.key), |(key, _)| *key);
        if known.is_none() {
            payloads.push(reissued(ground, line, new).into());
        }
        keys.push(RedeemedKey {
            key: new,
            seats: line.seats,
        });
    }
    if ground.redeemed_again().is_none() {
        payloads.extend(redeemed(ground, keys).map(Payload::from));
    }
    payloads
}

/// The reversal as it is to be recorded.
pub fn reversal(ground: &Ground<'_>, effects: Vec<ReversalEffect>) -> Option<RedemptionReversed> {
    Some(RedemptionReversed {
        redemption: ground.landing.redemptions.first()?.clone(),
        tenant: Some(ground.wrong.clone()),
        license_id: ground.landing.license_id.clone(),
        case: ground.case.clone(),
        keys: ground.landing.keys.iter().copied().collect(),
        effects,
        lots: Vec::new(),
    })
}

/// The removal of licences as it is to be recorded.
pub fn unassigned(ground: &Ground<'_>, sku: &Sku, users: Vec<Person>) -> LicensesUnassigned {
    LicensesUnassigned {
        tenant: ground.wrong.clone(),
        sku: sku.clone(),
        subscription: None,
        users,
    }
}

fn reissued(ground: &Ground<'_>, line: &RedeemedKey, new: KeyFingerprint) -> KeyReissued {
    KeyReissued {
        old_key: line.key,
        new_key: new,
        case: ground.case.clone(),
        order: ground.landing.order.clone(),
        license_id: ground.landing.license_id.clone(),
        seats: line.seats,
    }
}

/// A key that nobody knows yet.
fn assumed_key(old: KeyFingerprint) -> KeyFingerprint {
    let mut digest = old.digest;
    digest.iter_mut().for_each(|byte| *byte = !*byte);
    KeyFingerprint {
        digest,
        last5: Last5::parse("NEWER").unwrap_or(old.last5),
    }
}

/// The redemption in the right tenant: into its one live subscription of the same SKU in the mode
/// that was meant, else a new subscription.
fn redeemed(ground: &Ground<'_>, keys: Vec<RedeemedKey>) -> Option<KeysRedeemed> {
    let (mode, subscription) = assumed_target(ground)?;
    let own = ground.landing.seats.filter(|_| keys.is_empty());
    Some(KeysRedeemed {
        redemption: RedemptionId::new("to be redeemed").ok()?,
        license_id: ground.landing.license_id.clone(),
        order: ground.landing.order.clone(),
        tenant: ground.right.clone(),
        session: None,
        redeemer: None,
        keys,
        mode,
        effects: vec![RedemptionEffect {
            subscription,
            sku: ground.sku.clone(),
            seats_before: None,
            seats_after: own,
            end_before: None,
            end_after: None,
        }],
    })
}

/// The mode and the subscription that the redemption in the right tenant is assumed to have.
pub fn assumed_target(ground: &Ground<'_>) -> Option<(RedemptionMode, SubscriptionId)> {
    let meant = ground.landing.events.iter().find_map(|id| {
        let Payload::KeysRedeemed(redeemed) = &ground.at.event(*id)?.payload else {
            return None;
        };
        Some(redeemed.mode)
    });
    let right = tenant::fold(ground.at, &ground.right);
    let subscriptions = right.into_iter().flat_map(|view| view.subscriptions);
    let live: Vec<SubscriptionId> = subscriptions
        .filter(|id| {
            subscription::fold(ground.at, id)
                .is_some_and(|view| view.is_usable() && view.sku == ground.sku)
        })
        .collect();
    match (meant, live.as_slice()) {
        (Some(mode @ (RedemptionMode::AddKeepEnd | RedemptionMode::RenewPlus12)), [only]) => {
            Some((mode, only.clone()))
        }
        _ => {
            let new = SubscriptionId::new("to be created").ok()?;
            Some((RedemptionMode::NewSubscription, new))
        }
    }
}

/// The remap as it is to be recorded: every agreement of the customer number that is not in the
/// right tenant yet (E3: whole customer numbers).
pub fn remapped(ground: &Ground<'_>) -> Option<TenantRemapped> {
    Some(TenantRemapped {
        pcn: pcn(ground)?,
        moves: moves(ground),
        requested: ground.landing.license_id.iter().cloned().collect(),
        case: ground.case.clone(),
    })
}

fn pcn(ground: &Ground<'_>) -> Option<Pcn> {
    ground.agreement.as_ref()?.pcn.clone()
}

/// What a remap moves, or what it did move.
pub fn moves(ground: &Ground<'_>) -> Vec<RemapMove> {
    let done = ground.landing.remapped.as_ref();
    if let Some(Payload::TenantRemapped(done)) = done
        .and_then(|done| ground.at.event(done.event))
        .map(|e| &e.payload)
    {
        return done.moves.clone();
    }
    let Some(pcn) = pcn(ground) else {
        return Vec::new();
    };
    let mut licenses: BTreeSet<LicenseId> = ground.landing.license_id.iter().cloned().collect();
    for event in ground.at.of(&subject_of(&pcn)) {
        let named = event.subjects().into_iter();
        let named = named.filter(|subject| subject.kind == SubjectKind::Agreement);
        licenses.extend(named.filter_map(|subject| LicenseId::new(&subject.id).ok()));
    }
    let moves = licenses.into_iter().filter_map(|license_id| {
        let view = agreement::fold(ground.at, &license_id)?;
        let from = view.tenant.filter(|tenant| *tenant != ground.right)?;
        if view.pcn.as_ref() != Some(&pcn) {
            return None;
        }
        let subscriptions = tenant::fold(ground.at, &from)?.subscriptions.into_iter();
        let paid = |id: &SubscriptionId| {
            subscription::fold(ground.at, id)
                .is_some_and(|view| view.license_ids.contains(&license_id))
        };
        Some(RemapMove {
            subscriptions: subscriptions.filter(paid).collect(),
            license_id,
            from,
            to: ground.right.clone(),
        })
    });
    moves.collect()
}

/// The histories with the reversal alone, at the present point; as they are once it is recorded.
pub fn reversed_only(ground: &Ground<'_>) -> Histories {
    let step = match &ground.landing.reversed {
        Some(_) => None,
        None => reversal(ground, Vec::new()).map(Payload::from),
    };
    let steps = events(ground, step.as_slice());
    Histories::gather(seen(ground).into_iter().chain(steps))
}

/// The point from which [`reversed_only`] shows the reversal.
pub fn after_reversal(ground: &Ground<'_>) -> Point {
    afterwards(ground, 1)
}

/// Assumed payloads as events after everything that is known.
fn events(ground: &Ground<'_>, payloads: &[Payload]) -> Vec<Event> {
    let Ok(system) = Name::new(ASSUMED) else {
        return Vec::new();
    };
    let from = ground.at.point().valid_at;
    let events = (1_u32..).zip(payloads).map(|(number, payload)| {
        let name = format!("{} {ASSUMED} {number}", ground.finding.id);
        let mut id = [0; 16];
        let hash = blake3::hash(name.as_bytes());
        id.iter_mut()
            .zip(hash.as_bytes())
            .for_each(|(to, from)| *to = *from);
        let at = from.plus_minutes(i64::from(number) * STEP_MINUTES);
        Event {
            position: Position(u64::MAX - 1),
            recorded_at: Timestamp::from_micros(0),
            fact: Fact {
                id: EventId(id),
                occurred_at: Occurred::at(at),
                observed_at: None,
                actor: None,
                source: Source {
                    system: system.clone(),
                    record: None,
                },
                correlation: None,
                causation: None,
                corrects: None,
                policies: Vec::new(),
                payload: payload.clone(),
            },
        }
    });
    events.collect()
}
