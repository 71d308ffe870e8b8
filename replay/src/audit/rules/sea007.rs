//! SEA007: renewed with fewer seats than are assigned.

use super::held::{holders, seats_of, taken};
use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::kinds::KeysRedeemed;
use ledger::event::part::RedemptionEffect;
use ledger::event::word::RedemptionMode;
use ledger::event::{Event, Payload};
use ledger::id::TenantId;
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "SEA007",
    name: "renewed with fewer seats than are assigned",
    severity: Severity::Medium,
    meaning: "A renewal sets the seats to those of its keys, and more users than that held the product (section A, \"Conservation\"). Some of them will lose it, and nobody chose which.",
    needs: "seats before and after the renewal, as a source saw them; the licences that were given and not taken away; the other seats of the product in the tenant",
    counter_evidence: "none: once no more users hold the product than there are seats, it is put right",
    false_positives: "users who had left, and whose licences were taken away outside of the record",
    compensation: "take licences from users who do not need them, or add seats",
    parameters: &[],
    inputs: &[
        "KeysRedeemed.mode",
        "KeysRedeemed.effects",
        "LicensesAssigned.users",
        "LicensesUnassigned.users",
        "SeatsReassigned.users",
    ],
    check: Check::Subject(SubjectKind::Tenant, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let id = TenantId::new(&scene.subject.id).map_err(|_| Silence("it is no tenant"))?;
    let mut breaches: Vec<Breach> = Vec::new();
    let mut shrank = false;
    for event in scene.events {
        let Payload::KeysRedeemed(redeemed) = &event.payload else {
            continue;
        };
        for effect in shrinking(redeemed, &id) {
            shrank = true;
            // Two systems can report one redemption.
            let breach = breach(scene, &id, event, redeemed, effect);
            breaches.extend(breach.filter(|new| breaches.iter().all(|b| b.key != new.key)));
        }
    }
    match (breaches.is_empty(), shrank) {
        (false, _) => Ok(breaches),
        (true, true) => Err(Silence("there were seats enough after the renewal")),
        (true, false) => Err(Silence("nothing was renewed with fewer seats")),
    }
}

/// What a renewal in a tenant left with fewer seats.
fn shrinking<'e>(
    redeemed: &'e KeysRedeemed,
    id: &TenantId,
) -> impl Iterator<Item = &'e RedemptionEffect> {
    let renews = redeemed.mode == RedemptionMode::RenewPlus12 && redeemed.tenant == *id;
    redeemed.effects.iter().filter(move |effect| {
        let seats = effect.seats_before.zip(effect.seats_after);
        renews && seats.is_some_and(|(before, after)| after.0 < before.0)
    })
}

fn breach(
    scene: &Scene<'_>,
    id: &TenantId,
    event: &Event,
    redeemed: &KeysRedeemed,
    effect: &RedemptionEffect,
) -> Option<Breach> {
    let known = scene.evidence.subscriptions.get(&effect.subscription);
    let known = known.and_then(|facts| facts.sku.as_ref());
    let sku = effect.sku.as_ref().or(known)?;
    let mut landings = scene.others.of_tenant(id);
    let redemption = &redeemed.redemption;
    let judged = landings.find(|judged| judged.landing.redemptions.contains(redemption));
    if judged.is_some_and(|judged| judged.accused || judged.landing.reversed.is_some()) {
        return None;
    }
    let then = event.occurred_at.last();
    let held = holders(scene, id, sku, then);
    let seats = seats_of(scene, id, sku, then)?;
    if held.len() <= seats {
        return None;
    }
    let summary = format!(
        "{} was renewed with {} seats, and {} users of {sku} share {seats}.",
        effect.subscription,
        effect.seats_after?,
        held.len()
    );
    let next = "take licences from users who do not need them, or add seats";
    let mut breach = Breach::new(scene.subject, event.occurred_at, Severity::Medium, 800)
        .says(summary, next)
        .key(format!("renewed {redemption}"))
        .names([redemption])
        .names([&effect.subscription])
        .names(&redeemed.license_id)
        .shows(event, "it was renewed with fewer seats than before");
    let given: std::collections::BTreeSet<_> = held.into_values().collect();
    let why = format!("licences for {sku} that were given and not taken away");
    let given = given.into_iter().map(|event| (event, why.clone()));
    breach.hit.evidence.extend(given);
    let now = scene.today();
    let seats_now = seats_of(scene, id, sku, now)?;
    let enough = seats_now >= holders(scene, id, sku, now).len();
    let gone = scene.events.iter().rfind(|event| {
        !taken(event, id, sku).is_empty() || matches!(event.payload, Payload::KeysRedeemed(_))
    });
    breach.settled = gone
        .filter(|_| enough)
        .map(|event| (event.id, "there are seats enough now".to_owned()));
    Some(breach)
}
