//! WTR023: seats left behind after a compensation.

use super::held::{holders, seats_of, taken};
use super::{Breach, Check, Hit, Parameter, Rule, Scene, Severity, Silence};
use crate::audit::landing::Landing;
use ledger::event::{Event, Payload};
use ledger::id::{EventId, Sku, SubscriptionId, TenantId};
use ledger::secret::PersonId;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use projections::view::subscription;
use std::collections::{BTreeMap, BTreeSet};

const LAG_DAYS: i64 = 30;

pub(super) const RULE: Rule = Rule {
    code: "WTR023",
    name: "seats left behind",
    severity: Severity::Medium,
    meaning: "A landing was reversed or moved away from this tenant, but users still hold licences from its subscriptions here, or more users hold its product than there are seats: their machines run on until the grace is over, and then go read-only.",
    needs: "the reversal or the remap; the users that were given licences in the tenant and not taken them away; the subscription that each came from, or else the seats that are left",
    counter_evidence: "nothing lowers it",
    false_positives: "thirty days of lag are normal and are waited for; users whose licences come from another subscription of the product hold its seats",
    compensation: "give the users seats in the right tenant, take those here away, and have them sign in again",
    parameters: &[Parameter {
        name: "lag_days",
        value: LAG_DAYS,
        unit: "days",
        doc: "how long after the reversal or remap users may still hold the seats",
    }],
    inputs: &[
        "RedemptionReversed.redemption",
        "TenantRemapped.moves",
        "LicensesAssigned.users",
        "LicensesAssigned.sku",
        "LicensesAssigned.subscription",
        "LicensesUnassigned.users",
        "SeatsReassigned.users",
        "SubscriptionStarted.seats",
    ],
    check: Check::Subject(SubjectKind::Tenant, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let id = TenantId::new(&scene.subject.id).map_err(|_| Silence("it is no tenant"))?;
    let mut left: Vec<Undone<'_>> = Vec::new();
    for judged in scene.others.of_tenant(&id) {
        let landing = judged.landing;
        let undone = landing
            .reversed
            .as_ref()
            .map(|undone| (undone.event, undone.from));
        let moved = landing.remapped.as_ref().map(|to| (to.event, to.from));
        let Some((event, from)) = undone.or(moved).filter(|_| landing.tenant == id) else {
            continue;
        };
        let skus = skus(scene, landing).into_iter();
        left.extend(skus.map(|sku| Undone {
            sku,
            landing,
            event,
            from,
        }));
    }
    if left.is_empty() {
        return Err(Silence("nothing was reversed or moved away"));
    }
    let retires = |event: &&Event| matches!(event.payload, Payload::TenantRetired(_));
    if scene.events.iter().any(retires) {
        return Err(Silence("the tenant was retired, and its users with it"));
    }
    let is_last = |one: &Undone<'_>| {
        let later = |other: &Undone<'_>| (other.from, other.event) > (one.from, one.event);
        !left
            .iter()
            .any(|other| other.sku == one.sku && later(other))
    };
    let found = left.iter();
    Ok(found
        .filter_map(|undone| breach(scene, &id, undone, is_last(undone)))
        .collect())
}

/// A product of a landing that was reversed or moved away.
struct Undone<'s> {
    sku: Sku,
    landing: &'s Landing,
    event: EventId,
    from: Timestamp,
}

/// The products that a landing brought.
fn skus(scene: &Scene<'_>, landing: &Landing) -> BTreeSet<Sku> {
    let subscriptions = &scene.evidence.subscriptions;
    let own = landing.subscriptions.iter();
    let own = own.filter_map(|id| subscriptions.get(id)?.sku.as_ref());
    let order = landing.order_facts(scene.evidence);
    let ordered = order.into_iter().flat_map(|order| &order.skus);
    own.chain(ordered).cloned().collect()
}

fn breach(scene: &Scene<'_>, id: &TenantId, undone: &Undone<'_>, is_last: bool) -> Option<Breach> {
    let (sku, landing) = (&undone.sku, undone.landing);
    let due = undone.from.plus_days(LAG_DAYS);
    if !scene.evidence.has_reached(due) {
        return None;
    }
    let gone = gone(scene, id, landing, due);
    let held = holders(scene, id, sku, due);
    let seats = seats_of(scene, id, sku, due)?;
    // Licences that name no subscription are counted against all seats of the product, once the last
    // ones are gone: until then the seats of the others could be in use.
    let seats = if is_last { seats } else { usize::MAX };
    let behind = behind(scene, &held, &gone, seats);
    let left = behind.len();
    if left == 0 {
        return None;
    }
    let today = scene.today();
    let now = holders(scene, id, sku, today);
    let seats_now = match is_last {
        true => seats_of(scene, id, sku, today)?,
        false => usize::MAX,
    };
    let settled = self::behind(scene, &now, &gone, seats_now).is_empty();
    let name = scene.evidence.tenant_name(id);
    let mut hit = Hit::new(Severity::Medium, 900);
    hit.evidence.push((
        undone.event,
        format!("what had landed in {name} was taken back"),
    ));
    let given: BTreeSet<EventId> = behind.into_values().collect();
    let users = if left == 1 {
        "user still holds"
    } else {
        "users still hold"
    };
    hit.evidence.extend(given.into_iter().map(|event| {
        (
            event,
            format!("licences for {sku} that were given here and not taken away"),
        )
    }));
    let mut last = scene.events.iter();
    let last = last.rfind(|event| !taken(event, id, sku).is_empty());
    let settled = last
        .filter(|_| settled)
        .map(|event| (event.id, "the licences were taken away".to_owned()));
    let mut subjects: BTreeSet<Subject> = BTreeSet::new();
    let agreement = landing.license_id.iter();
    subjects.extend(agreement.map(|license| Subject::new(SubjectKind::Agreement, license)));
    Some(Breach {
        about: scene.subject.clone(),
        key: landing
            .license_id
            .as_ref()
            .map_or_else(|| sku.to_string(), |license| format!("{sku} {license}")),
        at: scene.evidence.occurred.get(&undone.event).copied()?,
        hit,
        subjects,
        summary: format!("{left} {users} {sku} in {name}, whose seats there were taken back."),
        next_step: format!("give them seats in the right tenant and take those in {name} away"),
        settled,
    })
}

/// The subscriptions of a landing that are in the tenant no more.
fn gone<'s>(
    scene: &Scene<'s>,
    id: &TenantId,
    landing: &Landing,
    due: Timestamp,
) -> BTreeSet<&'s SubscriptionId> {
    let at = scene.at.valid_at(due);
    let all = scene.evidence.subscriptions_of_tenant(id);
    let own = all.filter(|subscription| {
        let facts = scene.evidence.subscriptions.get(*subscription);
        let license = landing.license_id.as_ref();
        let by_agreement = facts
            .zip(license)
            .is_some_and(|(facts, license)| facts.agreements.contains(license));
        landing.subscriptions.contains(*subscription) || by_agreement
    });
    let lives_here = |subscription: &SubscriptionId| {
        let view = subscription::fold(&at, subscription);
        view.is_some_and(|view| view.seats.0 > 0 && view.tenant.as_ref() == Some(id))
    };
    own.filter(|subscription| !lives_here(subscription))
        .collect()
}

/// Of those who hold a product, the ones whose seats are gone, each with the event that gave it:
/// licences that were given from a subscription that is gone, and, of those that name none, as many as
/// there are more users than seats.
fn behind(
    scene: &Scene<'_>,
    held: &BTreeMap<PersonId, EventId>,
    gone: &BTreeSet<&SubscriptionId>,
    seats: usize,
) -> BTreeMap<PersonId, EventId> {
    let from = |event: &EventId| {
        let event = scene.at.event(*event)?;
        let Payload::LicensesAssigned(given) = &event.payload else {
            return None;
        };
        given.subscription.as_ref()
    };
    let named = held
        .iter()
        .filter(|(_, event)| from(event).is_some_and(|s| gone.contains(s)));
    let mut behind: BTreeMap<PersonId, EventId> =
        named.map(|(user, event)| (*user, *event)).collect();
    let unnamed: Vec<_> = held
        .iter()
        .filter(|(_, event)| from(event).is_none())
        .collect();
    let over = held
        .len()
        .saturating_sub(seats)
        .saturating_sub(behind.len());
    let more = unnamed.into_iter().rev().take(over);
    behind.extend(more.map(|(user, event)| (*user, *event)));
    behind
}
