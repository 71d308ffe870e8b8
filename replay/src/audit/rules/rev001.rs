//! REV001: a machine that is overdue to revalidate.

use super::fleet::{Digest, Fleet, LATE_HOURS};
use super::machine::shown;
use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use projections::policy::SEAT_GRACE_DAYS;

pub(super) const RULE: Rule = Rule {
    code: "REV001",
    name: "revalidation overdue",
    severity: Severity::Medium,
    meaning: "The licence of the machine has run out and was not revalidated, while other machines of the tenant, or the machine itself, are heard of. It is in extended grace, and will lose functions when that has run out.",
    needs: "until when the machine was licensed; a later licence of another machine of its tenant, so that silence means something, or failures of the machine itself on two days, because one report can carry a wrong clock",
    counter_evidence: "none: a machine that lost its place or its user is no case, and many that fail together are one incident (REV002)",
    false_positives: "machines that are on a shelf; after the grace only those that still speak are reported",
    compensation: "connect the machine, and have the subscription checked again (Osaui.exe /K)",
    parameters: &[
        Parameter {
            name: "LATE_HOURS",
            value: LATE_HOURS,
            unit: "hours",
            doc: "how late a revalidation may be reported",
        },
        Parameter {
            name: "CLOCK_AHEAD_DAYS",
            value: super::fleet::CLOCK_AHEAD_DAYS,
            unit: "days",
            doc: "how far ahead the clock of a machine may be that reports a success",
        },
        Parameter {
            name: "SEAT_GRACE_DAYS",
            value: SEAT_GRACE_DAYS,
            unit: "days",
            doc: "how long the grace is; afterwards a silent machine is taken for retired",
        },
    ],
    inputs: &[
        "SeatLicensed.valid_until",
        "SeatRevalidated.valid_until",
        "RevalidationFailed.cause",
    ],
    check: Check::Subject(SubjectKind::Tenant, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let fleet = Fleet::of(scene);
    let heard = fleet.heard.ok_or("no machine of the tenant was licensed")?;
    let overdue = fleet.machines.iter();
    let breaches: Vec<Breach> = overdue
        .filter_map(|(subject, machine)| overdue_now(&fleet, heard, subject, machine))
        .collect();
    match breaches.is_empty() {
        true => Err(Silence("no machine of the tenant is overdue")),
        false => Ok(breaches),
    }
}

fn overdue_now(
    fleet: &Fleet<'_>,
    heard: Timestamp,
    subject: &Subject,
    machine: &Digest,
) -> Option<Breach> {
    let (until, licensed, licensed_at) = machine.licensed.filter(|_| !machine.is_out)?;
    let due = until.plus_minutes(LATE_HOURS * 60);
    let speaks = twice_heard(machine);
    // The time up to which anything is known of the machine or of the service.
    let known = speaks.map_or(heard, |own| own.max(heard));
    let grace = until.plus_days(SEAT_GRACE_DAYS);
    let retired = known >= grace && speaks.is_none_or(|own| own < grace);
    if known < due || retired || machine.was_served_meanwhile {
        return None;
    }
    if machine
        .failures
        .iter()
        .any(|(failure, _)| fleet.is_shared(failure))
    {
        return None;
    }
    let name = shown(subject);
    let day = until.date();
    let next = "connect the machine, and have its subscription checked again";
    let mut breach = Breach::new(subject, licensed_at, Severity::Medium, 800)
        .says(
            format!("{name} was to revalidate by {day} and did not."),
            next,
        )
        .key("validation")
        .names(&machine.tenant)
        .shows_id(licensed, format!("the machine was licensed until {day}"));
    for (failure, _) in machine.failures.iter().rev().take(3) {
        breach = breach.shows_id(*failure, "a revalidation failed");
    }
    Some(breach)
}

/// Up to when a machine that fails is certainly heard of: the second last day on which it failed. One
/// report alone can carry a wrong clock.
fn twice_heard(machine: &Digest) -> Option<Timestamp> {
    let (_, last) = machine.failures.last()?;
    let before = machine.failures.iter().rev();
    let mut before = before.map(|(_, failure)| failure.start);
    before.find(|at| at.date() < last.start.date())
}
