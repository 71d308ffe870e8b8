//! WTR023: seats left behind after a compensation.

use super::held::{holders, taken};
use super::{Breach, Check, Hit, Parameter, Rule, Scene, Severity, Silence};
use crate::audit::landing::Landing;
use ledger::event::{Event, Payload};
use ledger::id::{EventId, Sku, TenantId};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use projections::view::tenant;
use std::collections::{BTreeMap, BTreeSet};

const LAG_DAYS: i64 = 30;

pub(super) const RULE: Rule = Rule {
    code: "WTR023",
    name: "seats left behind",
    severity: Severity::Medium,
    meaning: "A landing was reversed or moved away from this tenant, but more users still hold its product here than there are seats: their machines run on until the grace is over, and then go read-only.",
    needs: "the reversal or the remap; the users that were given licences in the tenant and not taken them away; the seats that are left",
    counter_evidence: "nothing lowers it",
    false_positives: "thirty days of lag are normal and are waited for; users whose licences come from another subscription of the product are covered by its seats",
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
        "LicensesUnassigned.users",
        "SeatsReassigned.users",
        "SubscriptionStarted.seats",
    ],
    check: Check::Subject(SubjectKind::Tenant, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let id = TenantId::new(&scene.subject.id).map_err(|_| Silence("it is no tenant"))?;
    let mut left: BTreeMap<Sku, (&Landing, EventId, Timestamp)> = BTreeMap::new();
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
        for sku in skus(scene, landing) {
            // The last one counts: until then the seats of the others could be in use.
            let last = left.get(&sku).is_none_or(|(_, _, before)| *before <= from);
            if last {
                left.insert(sku, (landing, event, from));
            }
        }
    }
    if left.is_empty() {
        return Err(Silence("nothing was reversed or moved away"));
    }
    let retires = |event: &&Event| matches!(event.payload, Payload::TenantRetired(_));
    if scene.events.iter().any(retires) {
        return Err(Silence("the tenant was retired, and its users with it"));
    }
    let found = left.into_iter();
    Ok(found
        .filter_map(|(sku, of)| breach(scene, &id, &sku, of))
        .collect())
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

fn breach(
    scene: &Scene<'_>,
    id: &TenantId,
    sku: &Sku,
    (landing, undone, from): (&Landing, EventId, Timestamp),
) -> Option<Breach> {
    let due = from.plus_days(LAG_DAYS);
    if scene.now() < due {
        return None;
    }
    let held = holders(scene, id, sku, due);
    let seats = tenant::fold(&scene.at.valid_at(due), id)?;
    let seats = seats
        .seats_by_sku
        .get(sku.as_str())
        .map_or(0, |seats| seats.0);
    let seats = usize::try_from(seats).unwrap_or(usize::MAX);
    let behind = held.len().checked_sub(seats).filter(|behind| *behind > 0)?;
    let now = holders(scene, id, sku, scene.now());
    let gone = now.len() <= seats;
    let name = scene.evidence.tenant_name(id);
    let mut hit = Hit::new(Severity::Medium, 900);
    hit.evidence
        .push((undone, format!("what had landed in {name} was taken back")));
    let given: BTreeSet<EventId> = held.into_values().collect();
    let users = if behind == 1 {
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
        .filter(|_| gone)
        .map(|event| (event.id, "the licences were taken away".to_owned()));
    let mut subjects: BTreeSet<Subject> = BTreeSet::new();
    let agreement = landing.license_id.iter();
    subjects.extend(agreement.map(|license| Subject::new(SubjectKind::Agreement, license)));
    Some(Breach {
        about: scene.subject.clone(),
        key: sku.to_string(),
        at: scene.evidence.occurred.get(&undone).copied()?,
        hit,
        subjects,
        summary: format!(
            "{behind} {users} {sku} in {name}, which has {seats} seats of it since it was taken back."
        ),
        next_step: format!("give them seats in the right tenant and take those in {name} away"),
        settled,
    })
}
