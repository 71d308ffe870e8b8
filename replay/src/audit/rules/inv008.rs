//! INV008: more assigned than there is.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload};
use ledger::id::Sku;
use ledger::subject::SubjectKind;
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    code: "INV008",
    name: "more users than seats",
    severity: Severity::Medium,
    meaning: "The portal counts more assigned users of a product than the tenant has seats, those in grace and suspended ones included (invariant 8). Somebody will lose the licence.",
    needs: "the last observation of each subscription of the product: enabled, in warning and consumed",
    counter_evidence: "none: a later observation within the seats makes the rule silent",
    false_positives: "observations of one subscription when users are assigned from several",
    compensation: "add seats, or take the licence from users who do not need it",
    parameters: &[],
    inputs: &[
        "SubscriptionObserved.enabled",
        "SubscriptionObserved.warning",
        "SubscriptionObserved.consumed",
    ],
    check: Check::Subject(SubjectKind::Tenant, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut last: BTreeMap<&Sku, BTreeMap<Option<&str>, &Event>> = BTreeMap::new();
    for event in scene.events {
        if let Payload::SubscriptionObserved(observed) = &event.payload
            && scene.subject.id == observed.tenant.as_str()
        {
            let of = observed.subscription.as_ref().map(|s| s.as_str());
            last.entry(&observed.sku).or_default().insert(of, event);
        }
    }
    if last.is_empty() {
        return Err(Silence("no portal said how many seats there are"));
    }
    let breaches: Vec<Breach> = last
        .into_iter()
        .filter_map(|(sku, seen)| of_product(scene, sku, &seen))
        .collect();
    match breaches.is_empty() {
        true => Err(Silence("no product has more users than seats")),
        false => Ok(breaches),
    }
}

fn of_product(
    scene: &Scene<'_>,
    sku: &Sku,
    seen: &BTreeMap<Option<&str>, &Event>,
) -> Option<Breach> {
    // A product that is observed as a whole and by subscription would count twice.
    let whole = seen.get(&None);
    let parts: Vec<&Event> = match whole {
        Some(event) => vec![*event],
        None => seen.values().copied().collect(),
    };
    let (mut seats, mut users) = (0_u32, 0_u32);
    for event in &parts {
        if let Payload::SubscriptionObserved(observed) = &event.payload {
            let live = observed.enabled.0.saturating_add(observed.warning.0);
            // Users stay assigned to suspended seats, and keep them if the customer renews.
            seats = seats
                .saturating_add(live)
                .saturating_add(observed.suspended.0);
            // The portal counts users by product, and repeats the count with every subscription.
            users = users.max(observed.consumed?.0);
        }
    }
    if users <= seats {
        return None;
    }
    let at = parts
        .iter()
        .map(|event| event.occurred_at)
        .max_by_key(|at| at.start)?;
    let name = &scene.subject.id;
    let summary = format!("{name} has {users} users of {sku} and {seats} seats.");
    let next = "add seats, or take the licence from users who do not need it";
    let mut breach = Breach::new(scene.subject, at, Severity::Medium, 800)
        .says(summary, next)
        .key(sku);
    for event in parts {
        breach = breach.shows(event, format!("the portal counted {users} users of {sku}"));
    }
    Some(breach)
}
