//! CHO005: the portal goes on saying that nothing was activated.

use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use crate::audit::landing::Landing;
use ledger::event::word::ActivationStatus;
use ledger::event::{Event, Payload};
use ledger::id::LicenseId;
use ledger::subject::SubjectKind;

/// Portals may lag this far behind (R16, P4).
const STATUS_HOURS: i64 = 48;

pub(super) const RULE: Rule = Rule {
    code: "CHO005",
    name: "activated, and shown as not activated",
    severity: Severity::Medium,
    meaning: "Services or keys of the agreement reached a tenant, and more than two days later a portal still shows it as not activated. Within two days that is the lag of the portal (R16); afterwards one of both is wrong: the portal, or what is recorded of the landing.",
    needs: "the landing; the last status that a portal showed of its order, observed more than two days after it",
    counter_evidence: "none: a later status that says \"activated\" makes the rule silent, and so does a landing that has a finding of its own",
    false_positives: "a portal that shows the status of a later order and does not name it; the rule is silent if there is such an order",
    compensation: "ask the vendor whether the landing counts; the licences can be assigned meanwhile",
    parameters: &[Parameter {
        name: "STATUS_HOURS",
        value: STATUS_HOURS,
        unit: "hours",
        doc: "how long after a landing a portal may show it as not activated",
    }],
    inputs: &[
        "ActivationStatusObserved.status",
        "ActivationStatusObserved.order",
        "KeysRedeemed.license_id",
        "ServicesBoundToTenant.license_id",
        "ServicesAutoAssigned.license_id",
        "OrderPlaced.license_id",
    ],
    check: Check::Subject(SubjectKind::Agreement, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let is_status = |event: &&Event| matches!(event.payload, Payload::ActivationStatusObserved(_));
    if !scene.events.iter().any(is_status) {
        return Err(Silence("no portal showed a status"));
    }
    let license = LicenseId::new(&scene.subject.id);
    let license = license.map_err(|_| Silence("its License ID cannot be read"))?;
    let judged = scene.others.of_agreement(&license);
    let standing = judged.filter(|judged| !judged.accused && judged.landing.reversed.is_none());
    // Several landings of one order are one activation; the last one counts.
    let mut breaches: Vec<Breach> = Vec::new();
    for judged in standing {
        if let Some(breach) = contradicted(scene, judged.landing) {
            breaches.retain(|other| other.key != breach.key);
            breaches.push(breach);
        }
    }
    match breaches.is_empty() {
        true => Err(Silence(
            "no status contradicts a landing for longer than portals lag",
        )),
        false => Ok(breaches),
    }
}

fn contradicted(scene: &Scene<'_>, landing: &Landing) -> Option<Breach> {
    let (event, status) = last_status(scene, landing)?;
    let late = landing.cutoff().plus_minutes(STATUS_HOURS * 60);
    if status != ActivationStatus::NotActivated || event.occurred_at.start < late {
        return None;
    }
    let license = landing.license_id.as_ref()?;
    let tenant = scene.evidence.tenant_name(&landing.tenant);
    let summary = format!(
        "Agreement {license} was {} {tenant} on {}, and a portal showed it as not activated on {}.",
        landing.kind.participle(),
        landing.at.start.date(),
        event.occurred_at.start.date(),
    );
    let next = "ask the vendor whether the landing counts";
    let mut breach = Breach::new(scene.subject, event.occurred_at, Severity::Medium, 800)
        .says(summary, next)
        .key(
            landing
                .order
                .as_ref()
                .map_or_else(|| "status".to_owned(), |o| format!("status {o}")),
        )
        .names([&landing.tenant])
        .names(&landing.order)
        .shows(event, "the portal showed it as not activated");
    let landed = landing.events.iter().map(|event| {
        let why = format!("it was {} {tenant}", landing.kind.participle());
        (*event, why)
    });
    breach.hit.evidence.extend(landed);
    Some(breach)
}

/// The last status that is about a landing's order: it names the order, or none and no other order was
/// placed by then.
fn last_status<'s>(scene: &Scene<'s>, landing: &Landing) -> Option<(&'s Event, ActivationStatus)> {
    let other = |event: &&&Event| {
        matches!(&event.payload, Payload::OrderPlaced(placed)
            if landing.order.as_ref() != Some(&placed.order)
                && event.occurred_at.last() >= landing.at.start)
    };
    let next_order = scene.events.iter().find(other);
    let next_order = next_order.map(|event| event.occurred_at.start);
    scene.events.iter().rev().find_map(|event| {
        let Payload::ActivationStatusObserved(observed) = &event.payload else {
            return None;
        };
        let ours = match (&observed.order, &landing.order) {
            (Some(one), Some(own)) => one == own,
            _ => next_order.is_none_or(|next| event.occurred_at.last() < next),
        };
        ours.then_some((*event, observed.status))
    })
}
