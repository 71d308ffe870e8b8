//! WTR021: a bypass that was none.

use super::{Breach, Check, Hit, Parameter, Rule, Scene, Severity, Silence};
use ledger::event::Event;
use ledger::event::Payload;
use ledger::event::kinds::BypassTransitioned;
use ledger::id::LicenseId;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Date;
use std::collections::BTreeSet;

const LAST_YEAR: i16 = 2011;
const LAST_MONTH: i8 = 7;
const LAST_DAY: i8 = 31;

pub(super) const RULE: Rule = Rule {
    code: "WTR021",
    name: "a bypass that was none",
    severity: Severity::Medium,
    meaning: "A BPOS-S subscription was moved on by the bypass after that was completed in July 2011, or into a tenant that belongs to somebody else than the agreement's customer. That it was no trial and never activated is INV011.",
    needs: "the transition as reported; whose the tenant is",
    counter_evidence: "nothing lowers it",
    false_positives: "a source that reports the transition later than it happened: only the day on which it says that it happened counts. What a bypassed customer chooses later is no transition",
    compensation: "have the vendor remap the agreement; what the customer chooses later stands on its own",
    parameters: &[Parameter {
        name: "last_day",
        value: LAST_YEAR as i64 * 10_000 + LAST_MONTH as i64 * 100 + LAST_DAY as i64,
        unit: "year, month and day",
        doc: "the last day on which a bypass could happen (R3)",
    }],
    inputs: &[
        "BypassTransitioned.license_id",
        "BypassTransitioned.tenant",
        "BypassTransitioned.bpos_subscription",
        "TenantObserved.owner",
        "TenantObserved.domains",
    ],
    check: Check::Subject(SubjectKind::Agreement, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut breaches = Vec::new();
    for event in scene.events {
        if let Payload::BypassTransitioned(bypass) = &event.payload {
            breaches.extend(breach(scene, event, bypass));
        }
    }
    Ok(breaches)
}

fn breach(scene: &Scene<'_>, event: &Event, bypass: &BypassTransitioned) -> Option<Breach> {
    let mut hit = Hit::new(Severity::Medium, 950);
    let last = Date::new(LAST_YEAR, LAST_MONTH, LAST_DAY)?;
    if event.occurred_at.start.date() > last {
        let why = format!("it happened after {last}, when the bypass was complete");
        hit.evidence.push((event.id, why));
    }
    let foreign = foreign(scene, event, bypass);
    hit.evidence.extend(foreign.into_iter().flatten());
    let first = hit.evidence.first()?.1.clone();
    let subscription = &bypass.bpos_subscription;
    let mut subjects = BTreeSet::from([Subject::new(SubjectKind::Subscription, subscription)]);
    let tenant = bypass.tenant.iter();
    subjects.extend(tenant.map(|tenant| Subject::new(SubjectKind::Tenant, tenant)));
    let remaps = scene
        .evidence
        .remaps
        .get(&bypass.license_id)
        .into_iter()
        .flatten();
    let mut moved = remaps.filter(|to| Some(&to.value.from) == bypass.tenant.as_ref());
    let moved = moved.find(|to| to.from >= event.occurred_at.start);
    Some(Breach {
        about: scene.subject.clone(),
        key: subscription.to_string(),
        at: event.occurred_at,
        hit,
        subjects,
        summary: format!("{subscription} was moved on by the bypass, but {first}."),
        next_step: "ask the vendor to remap the agreement".to_owned(),
        settled: moved.map(|to| (to.event, "the agreement was remapped".to_owned())),
    })
}

/// That the tenant belongs to somebody else than the agreement's customer, and the events that say so.
fn foreign(
    scene: &Scene<'_>,
    event: &Event,
    bypass: &BypassTransitioned,
) -> Option<Vec<(ledger::id::EventId, String)>> {
    let evidence = scene.evidence;
    let license: &LicenseId = &bypass.license_id;
    let customer = &evidence.agreements.get(license)?.customer.as_ref()?.value;
    let moment = event.occurred_at.start;
    let owners = evidence.owners_of(bypass.tenant.as_ref()?, event.occurred_at.last(), None);
    let mut related = owners.keys();
    if related.any(|owner| evidence.belong_together(owner, customer, moment, None)) {
        return None;
    }
    let (_, why) = owners.into_iter().max_by_key(|(_, why)| why.len())?;
    Some(why)
}
