//! SEA005: a machine whose clock is wrong.

use super::machine::{Machine, shown};
use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::event::Payload;
use ledger::subject::SubjectKind;

/// A clock may be off by this much.
const OFF_SECONDS: i64 = 3600;

pub(super) const RULE: Rule = Rule {
    code: "SEA005",
    name: "wrong clock on a machine",
    severity: Severity::Medium,
    meaning: "The machine's clock is off by more than an hour. A wrong clock makes Office report an unlicensed product or no subscription at all (E15), and the times that the machine reports are wrong too.",
    needs: "the last clock offset that was observed on the machine",
    counter_evidence: "none: a later observation within the limit, or a later licence, makes the rule silent",
    false_positives: "tools that take local time for UTC: an offset of whole hours",
    compensation: "set the clock, then have the subscription checked again (Osaui.exe /K)",
    parameters: &[Parameter {
        name: "OFF_SECONDS",
        value: OFF_SECONDS,
        unit: "seconds",
        doc: "how far a clock may be off",
    }],
    inputs: &[
        "ClockSkewObserved.offset_seconds",
        "SeatRevalidated.machine",
    ],
    check: Check::Subject(SubjectKind::Seat, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let last = scene.events.iter().rev().find_map(|event| {
        if let Payload::ClockSkewObserved(observed) = &event.payload {
            return Some((*event, observed.offset_seconds.0));
        }
        None
    });
    let (event, offset) = last.ok_or("nobody looked at its clock")?;
    if offset.saturating_abs() <= OFF_SECONDS {
        return Err(Silence("its clock is right, or nearly so"));
    }
    let machine = Machine::of(scene.subject, scene.events.iter().copied());
    let since = event.occurred_at.last();
    let well = machine.served().is_some_and(|served| served > since);
    if well {
        return Err(Silence(
            "it was licensed again since, so the clock did no harm",
        ));
    }
    let way = if offset > 0 { "ahead" } else { "behind" };
    let name = shown(scene.subject);
    let hours = offset.saturating_abs() / 3600;
    let breach = Breach::new(scene.subject, event.occurred_at, Severity::Medium, 900)
        .says(
            format!("{name} has a clock that is {hours} hours {way}."),
            "set the clock, then have the subscription checked again",
        )
        .key("clock")
        .shows(
            event,
            format!("the clock was {} seconds {way}", offset.saturating_abs()),
        );
    Ok(vec![breach])
}
