//! WTR022: a machine licensed by the wrong tenant.

use super::{Breach, Check, Hit, Parameter, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload};
use ledger::id::{EventId, TenantId};
use ledger::secret::PersonId;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

const LAG_DAYS: i64 = 30;

pub(super) const RULE: Rule = Rule {
    code: "WTR022",
    name: "a machine licensed by the wrong tenant",
    severity: Severity::Medium,
    meaning: "A tool on the machine shows a licence of one tenant, while its user has a licence in another tenant only: the user was migrated, and Office still signs in with the cached identity. No key has to be touched.",
    needs: "what a tool shows on the machine, with the tenant and the user; the licences that the user was given and lost",
    counter_evidence: "nothing lowers it",
    false_positives: "users who work for two tenants have a licence in both, and the rule is silent; after a landing was taken back or moved, thirty days of lag are normal and are waited for (W23)",
    compensation: "remove the licence from the machine (vnextdiag remove, ospp /unpkey or OSAUI /F), sign in again",
    parameters: &[Parameter {
        name: "lag_days",
        value: LAG_DAYS,
        unit: "days",
        doc: "how long the machine may still show the old tenant after a compensation",
    }],
    inputs: &[
        "LicenseStateObserved.tenant",
        "LicenseStateObserved.user",
        "LicensesAssigned.users",
        "LicensesUnassigned.users",
        "SeatRevalidated.tenant",
        "SeatProvisioned.tenant",
        "UserAuthenticated.tenant",
    ],
    check: Check::Subject(SubjectKind::Seat, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut breach: Option<(TenantId, Breach)> = None;
    for event in scene.events {
        if let Some((tenant, user)) = shown(event) {
            match wrong(scene, event, tenant, user) {
                Some(found) => breach = Some((tenant.clone(), found)),
                None => settle(&mut breach, event, tenant),
            }
        } else if let Some(tenant) = signed_in(event) {
            settle(&mut breach, event, tenant);
        }
    }
    Ok(breach.into_iter().map(|(_, breach)| breach).collect())
}

/// The tenant and user that a tool shows on a machine.
fn shown(event: &Event) -> Option<(&TenantId, PersonId)> {
    let Payload::LicenseStateObserved(seen) = &event.payload else {
        return None;
    };
    Some((seen.tenant.as_ref()?, seen.user.as_ref()?.id))
}

/// The tenant that a machine was licensed by anew.
fn signed_in(event: &Event) -> Option<&TenantId> {
    if let Payload::SeatProvisioned(seat) = &event.payload {
        Some(&seat.tenant)
    } else if let Payload::SeatRevalidated(seat) = &event.payload {
        seat.tenant.as_ref()
    } else if let Payload::UserAuthenticated(user) = &event.payload {
        user.tenant.as_ref()
    } else {
        None
    }
}

/// A breach is over once the machine is licensed by another tenant.
fn settle(breach: &mut Option<(TenantId, Breach)>, event: &Event, tenant: &TenantId) {
    if let Some((wrong, breach)) = breach
        && wrong != tenant
        && breach.settled.is_none()
    {
        let how = format!("the machine is licensed by {tenant} now");
        breach.settled = Some((event.id, how));
    }
}

fn wrong(scene: &Scene<'_>, event: &Event, tenant: &TenantId, user: PersonId) -> Option<Breach> {
    let evidence = scene.evidence;
    let held = held(scene, user, event.occurred_at.last());
    let (right, (given, since)) = held.iter().next()?;
    let overdue = event.occurred_at.start >= since.plus_days(LAG_DAYS);
    if held.contains_key(tenant) || (!overdue && is_taken_back(scene, tenant)) {
        return None;
    }
    // A landing that is accused explains the seats that hang on it; its finding says so already.
    let mut landings = scene.others.of_tenant(tenant);
    if landings.any(|judged| judged.accused && judged.landing.tenant == *tenant) {
        return None;
    }
    let (is, should) = (evidence.tenant_name(tenant), evidence.tenant_name(right));
    let mut hit = Hit::new(Severity::Medium, 800);
    hit.evidence
        .push((event.id, format!("the machine shows a licence of {is}")));
    hit.evidence.push((
        *given,
        format!("its user was given a licence in {should}, and has none in {is}"),
    ));
    let tenants = [tenant, *right];
    let subjects = tenants.map(|tenant| Subject::new(SubjectKind::Tenant, tenant));
    Some(Breach {
        about: scene.subject.clone(),
        key: tenant.to_string(),
        at: event.occurred_at,
        hit,
        subjects: BTreeSet::from(subjects),
        summary: format!("The machine is licensed by {is}, but its user has a licence in {should} only."),
        next_step: "remove the licence from the machine (vnextdiag remove, ospp /unpkey or OSAUI /F) and sign in again".to_owned(),
        settled: None,
    })
}

/// Whether something that had landed in a tenant is there no more.
fn is_taken_back(scene: &Scene<'_>, tenant: &TenantId) -> bool {
    let mut landings = scene.others.of_tenant(tenant);
    landings.any(|judged| {
        judged.landing.tenant == *tenant && judged.landing.present_tenant() != Some(tenant)
    })
}

/// The tenants in which a user had a licence at a moment, with the event that gave the last one.
fn held<'s>(
    scene: &Scene<'s>,
    user: PersonId,
    moment: Timestamp,
) -> BTreeMap<&'s TenantId, (EventId, Timestamp)> {
    let mut held = BTreeMap::new();
    let all = scene.evidence.same_person(user);
    let licences = all
        .iter()
        .filter_map(|user| scene.evidence.licences.get(user));
    for (tenant, changes) in licences.flatten() {
        let last = changes.iter().rfind(|change| change.from <= moment);
        // What landed in a tenant takes its licences along when it is moved or taken back.
        let last = last.filter(|_| !is_taken_back(scene, tenant));
        if let Some(last) = last.filter(|last| last.value) {
            held.insert(tenant, (last.event, last.from));
        }
    }
    held
}
