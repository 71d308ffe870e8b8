//! The words of a report: how it came to a landing, what it changed, and what speaks for it.

use super::evidence::Evidence;
use super::expectation::{Expectation, Wanted};
use super::finding::PathStep;
use super::landing::Landing;
use super::report::in_order;
use ledger::event::{Event, Payload};
use ledger::id::{LicenseId, TenantId};
use ledger::kinds;
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::Timestamp;
use projections::At;
use projections::view::{agreement, tenant};
use std::collections::BTreeSet;

/// What landed, for people: the key's last five, the seats, the program and the agreement.
fn what(evidence: &Evidence, landing: &Landing) -> String {
    let thing = match (landing.keys.first(), landing.keys.len()) {
        (Some(key), 1) => format!("Key …{}", key.last5),
        (Some(key), more) => format!("Keys …{} and {} more", key.last5, more - 1),
        (None, _) => "The order".to_owned(),
    };
    let mut about = Vec::new();
    about.extend(landing.seats.map(|seats| format!("{seats} seats")));
    let program = landing.program(evidence).map(|p| spaced(p.as_str()));
    if let Some(license) = &landing.license_id {
        about.push(format!(
            "{} {license}",
            program.unwrap_or_else(|| "agreement".to_owned())
        ));
    }
    about.extend(landing.customer.as_ref().map(|c| evidence.customer_name(c)));
    match about.is_empty() {
        true => thing,
        false => format!("{thing} ({})", about.join(", ")),
    }
}

/// `OpenValue` as `Open Value`.
pub(super) fn spaced(word: &str) -> String {
    let mut out = String::new();
    for letter in word.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(letter);
    }
    out
}

/// The expected tenant, for people.
pub fn wanted(evidence: &Evidence, expectation: &Expectation) -> String {
    match &expectation.wanted {
        Wanted::Existing(tenants) => {
            let names: Vec<String> = tenants.iter().map(|t| evidence.tenant_name(t)).collect();
            names.join(" or ")
        }
        Wanted::BornOfThisChoice => "a new tenant, made by this choice".to_owned(),
        Wanted::Unknown => "unknown".to_owned(),
    }
}

/// One sentence about a finding.
pub fn summary(evidence: &Evidence, landing: &Landing, expectation: &Expectation) -> String {
    let tenant = evidence.tenant_name(&landing.tenant);
    let was = if landing.keys.len() > 1 {
        "were"
    } else {
        "was"
    };
    let how = landing.kind.participle();
    let sentence = format!("{} {was} {how} {tenant}", what(evidence, landing));
    match expectation.is_known() {
        true => format!("{sentence} instead of {}.", wanted(evidence, expectation)),
        false => format!("{sentence}."),
    }
}

/// One sentence about a finding that does not accuse the tenant.
pub fn manner(evidence: &Evidence, landing: &Landing, what_is_wrong: Option<&str>) -> String {
    let tenant = evidence.tenant_name(&landing.tenant);
    let was = if landing.keys.len() > 1 {
        "were"
    } else {
        "was"
    };
    let how = landing.kind.participle();
    let wrong = what_is_wrong.unwrap_or("done otherwise than was meant");
    format!("{} {was} {how} {tenant}: {wrong}.", what(evidence, landing))
}

/// What the portal showed last about the agreement.
pub fn portal(evidence: &Evidence, landing: &Landing) -> Option<String> {
    let status = landing.agreement(evidence)?.statuses.last()?;
    let on = status.from.date();
    Some(format!("showed \"{}\" on {on}", spaced(status.value)))
}

/// How it came to the landing: order, mail, forwards, choice, landing, and what undid it.
pub fn path(at: &At<'_>, evidence: &Evidence, landing: &Landing) -> Vec<PathStep> {
    let Some(license) = &landing.license_id else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    for event in events(at, license) {
        steps.extend(step(event, landing).map(|what| PathStep {
            at: event.occurred_at,
            what,
            tenant: None,
        }));
    }
    let landed = format!(
        "{} {}",
        landing.kind.participle(),
        evidence.tenant_name(&landing.tenant)
    );
    steps.push(PathStep {
        at: landing.at,
        what: landed,
        tenant: Some(landing.tenant.clone()),
    });
    let moved = landing.remapped.as_ref().map(|to| {
        let what = format!("remapped to {}", evidence.tenant_name(&to.value));
        (to.event, what, to.value.clone())
    });
    let undone = landing
        .reversed
        .as_ref()
        .map(|known| (known.event, "reversed".to_owned(), landing.tenant.clone()));
    for (event, what, tenant) in moved.into_iter().chain(undone) {
        let at = evidence.occurred.get(&event).copied().unwrap_or(landing.at);
        let tenant = Some(tenant);
        steps.push(PathStep { at, what, tenant });
    }
    in_order(steps)
}

/// What an event adds to the path of a landing; nothing for most.
fn step(event: &Event, landing: &Landing) -> Option<String> {
    if event.occurred_at.start > landing.cutoff() {
        return None;
    }
    let own_order = |order: Option<&ledger::id::OrderId>| {
        order.is_none() || landing.order.is_none() || order == landing.order.as_ref()
    };
    if let Payload::OrderPlaced(placed) = &event.payload {
        own_order(Some(&placed.order)).then(|| "ordered".to_owned())
    } else if let Payload::ActivationEmailSent(sent) = &event.payload {
        own_order(sent.order.as_ref())
            .then(|| format!("mailed to the {}", spaced(sent.role.as_str())))
    } else if let Payload::ActivationEmailResent(_) = &event.payload {
        Some("mailed again".to_owned())
    } else if let Payload::ActivationEmailForwarded(_) = &event.payload {
        Some("forwarded".to_owned())
    } else if let Payload::ActivationLinkOpened(_) = &event.payload {
        Some("link opened".to_owned())
    } else if let Payload::SignInChosen(_) = &event.payload {
        Some("Sign In chosen".to_owned())
    } else if let Payload::SignUpChosen(_) = &event.payload {
        Some("Sign Up chosen".to_owned())
    } else {
        None
    }
}

/// What the landing changed: seats in its tenant, what the expected one has, and users since.
pub fn effects(
    at: &At<'_>,
    evidence: &Evidence,
    landing: &Landing,
    expectation: &Expectation,
) -> Vec<String> {
    let before = landing.at.start.as_micros().saturating_sub(1);
    let before = at.valid_at(Timestamp::from_micros(before));
    let after = at.valid_at(landing.cutoff());
    let seats = |at: &At<'_>, id: &TenantId| tenant::fold(at, id).map_or(0, |view| view.seats.0);
    let mut effects = Vec::new();
    let name = evidence.tenant_name(&landing.tenant);
    let (was, is) = (
        seats(&before, &landing.tenant),
        seats(&after, &landing.tenant),
    );
    if was != is {
        effects.push(format!("{name}: {was} → {is} seats"));
    }
    if let Some(right) = expectation.tenant() {
        evidence.looks_at_today();
        let has = seats(at, right);
        let ordered = landing
            .license_id
            .as_ref()
            .and_then(|l| agreement::fold(at, l));
        let ordered = ordered.map_or(0, |view| view.seats_ordered.0);
        effects.push(format!(
            "{}: {has} seats now, {ordered} ordered under the agreement",
            evidence.tenant_name(right)
        ));
    }
    let since = evidence.assigned.get(&landing.tenant);
    let since = since.into_iter().flatten();
    let users: usize = since
        .filter(|a| a.from >= landing.at.start)
        .map(|a| a.value)
        .sum();
    if users > 0 {
        effects.push(format!("{users} users were given licences in {name} since"));
    }
    effects
}

/// The events of one agreement: its own history, and those of what it names, in fold order.
fn events<'a>(at: &At<'a>, license: &LicenseId) -> Vec<&'a Event> {
    let mut subjects = BTreeSet::from([license.subject()]);
    // Order, key, redemption is the longest chain; each round follows one more link.
    for _ in 0..4 {
        let mut found = BTreeSet::new();
        for event in at.of_any(&subjects) {
            follow(event, license, &mut found);
        }
        let before = subjects.len();
        subjects.extend(found);
        if subjects.len() == before {
            break;
        }
    }
    at.of_any(&subjects)
}

/// The subjects that belong to an agreement because this event ties them to it.
fn follow(event: &Event, license: &LicenseId, found: &mut BTreeSet<Subject>) {
    // Cases and remaps name agreements side by side without tying one's things to the other.
    if matches!(event.payload, kinds![CaseOpened TenantRemapped]) {
        return;
    }
    let mut named = Vec::new();
    event.payload.subjects(&mut named);
    let foreign = named
        .iter()
        .any(|s| s.kind == SubjectKind::Agreement && s.id != license.as_str());
    if foreign {
        return;
    }
    let own = |kind| {
        matches!(
            kind,
            SubjectKind::Order
                | SubjectKind::Key
                | SubjectKind::Email
                | SubjectKind::Link
                | SubjectKind::Activation
                | SubjectKind::Redemption
        )
    };
    found.extend(named.into_iter().filter(|subject| own(subject.kind)));
}
