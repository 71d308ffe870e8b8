//! SEA003: a seat left behind.

use super::machine::{Machine, shown};
use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload, subject_of};
use ledger::id::TenantId;
use ledger::secret::PersonId;
use ledger::subject::{Subject, SubjectKind};

/// A machine that was never told works on for its licence and its grace (section 5.5).
const LONGEST_DAYS: i64 = 60;
/// The service learns of a lost licence this late (P31).
const LAG_HOURS: i64 = 48;

pub(super) const RULE: Rule = Rule {
    code: "SEA003",
    name: "seat left behind",
    severity: Severity::Medium,
    meaning: "The user lost the licence, and the machine goes on being licensed: it was revalidated afterwards, or works in full longer than a machine can that has not been told.",
    needs: "the machine's user and tenant; the day on which that user lost the licence there, and no other given since; a later revalidation or a licensed state",
    counter_evidence: "none: a new licence for the user, or the service's refusal, makes the rule silent",
    false_positives: "users who hold the same product through another subscription",
    compensation: "reset the seat on the machine",
    parameters: &[
        Parameter {
            name: "LONGEST_DAYS",
            value: LONGEST_DAYS,
            unit: "days",
            doc: "how long a machine may work on that has not been told",
        },
        Parameter {
            name: "LAG_HOURS",
            value: LAG_HOURS,
            unit: "hours",
            doc: "how late the service may learn of a lost licence",
        },
    ],
    inputs: &[
        "UserDeprovisioned.user",
        "UserReprovisioned.user",
        "LicensesAssigned.users",
        "SeatRevalidated.machine",
        "LicenseStateObserved.state",
    ],
    check: Check::Subject(SubjectKind::Seat, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let machine = Machine::of(scene.subject, scene.events.iter().copied());
    let user = machine.user.ok_or("no user of the machine is known")?;
    let tenant = machine.tenant.ok_or("no tenant of the machine is known")?;
    if machine.out.is_some() {
        return Err(Silence("the service has told the machine"));
    }
    let lost = lost(scene, user, tenant).ok_or("its user has not lost the licence")?;
    let shows = scene.events.iter().rev().find_map(|event| {
        let after = lost.occurred_at.certainly_before(event.occurred_at);
        still(event, lost, &machine)
            .filter(|_| after)
            .map(|why| (*event, why))
    });
    let (event, why) = shows.ok_or("nothing says that it worked on")?;
    let summary = format!(
        "{} works on although its user lost the licence in {}.",
        shown(scene.subject),
        scene.evidence.tenant_name(tenant)
    );
    let breach = Breach::new(scene.subject, event.occurred_at, Severity::Medium, 900)
        .says(summary, "reset the seat on the machine")
        .key("left")
        .names([tenant])
        .names([&user])
        .shows(lost, "the user lost the licence")
        .shows(event, why);
    Ok(vec![breach])
}

/// What an event says about the machine still working in full.
fn still(event: &Event, lost: &Event, machine: &Machine<'_>) -> Option<&'static str> {
    use ledger::event::word::LicenseState::{ExtendedGrace, Licensed};
    let since = lost.occurred_at.last();
    let until = if let Payload::SeatRevalidated(again) = &event.payload {
        Some(again.valid_until)
    } else if let Payload::SeatLicensed(licensed) = &event.payload {
        Some(licensed.valid_until)
    } else {
        None
    };
    if let Some(until) = until {
        // By the clock of the service, which knows who has a licence; the machine's may be ahead.
        let late = machine.served_at(event, until) >= since.plus_minutes(LAG_HOURS * 60);
        return late.then_some("the service licensed the machine after that");
    }
    if let Payload::LicenseStateObserved(observed) = &event.payload {
        let late = event.occurred_at.start >= since.plus_days(LONGEST_DAYS);
        let full = matches!(observed.state, Licensed | ExtendedGrace);
        return (late && full).then_some("it still worked in full long after that");
    }
    None
}

/// The event by which a user lost the licence in a tenant for good.
fn lost<'s>(scene: &Scene<'s>, user: PersonId, tenant: &TenantId) -> Option<&'s Event> {
    let all = scene.evidence.same_person(user);
    let subjects: Vec<Subject> = all.iter().map(subject_of).collect();
    let events = subjects.iter().flat_map(|person| scene.at.of(person));
    let mut events: Vec<&Event> = events.collect();
    events.sort_by_key(|event| event.order());
    let mut lost = None;
    for event in events {
        if let Payload::UserDeprovisioned(gone) = &event.payload {
            if gone.tenant == *tenant && all.contains(&gone.user.id) {
                lost = Some(event);
            }
        } else if let Payload::UserReprovisioned(back) = &event.payload {
            if back.tenant == *tenant && all.contains(&back.user.id) {
                lost = None;
            }
        } else if let Payload::LicensesAssigned(given) = &event.payload
            && given.tenant == *tenant
        {
            lost = None;
        }
    }
    lost
}
