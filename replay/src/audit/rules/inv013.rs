//! INV013: validity that moved back.

use super::machine::shown;
use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload};
use ledger::subject::SubjectKind;
use ledger::time::Timestamp;
use projections::policy::MACHINE_KEY_DAYS;

/// Two systems may disagree by this much.
const BACK_HOURS: i64 = 24;

pub(super) const RULE: Rule = Rule {
    code: "INV013",
    name: "validity of a seat moved back",
    severity: Severity::Medium,
    meaning: "A seat was licensed until an earlier time than before, and was not reset or installed again in between. Each success gives a full term from its own day (invariant 13), so two machines share a name, or the service took a term back.",
    needs: "until when the seat was licensed, twice, in a known order: one report says what was valid before, or the time of the earlier one is borne out by the term that it gave, which the service counts and not the machine",
    counter_evidence: "none: what it rests on is the whole of it",
    false_positives: "two systems that report one success with different terms",
    compensation: "check the clock of the machine, and whether two machines have its name",
    parameters: &[Parameter {
        name: "BACK_HOURS",
        value: BACK_HOURS,
        unit: "hours",
        doc: "how far two systems may disagree",
    }],
    inputs: &[
        "SeatLicensed.valid_until",
        "SeatRevalidated.valid_until",
        "SeatRevalidated.valid_until_before",
        "TblParametersSet.ttl_days",
        "MachineKeyIssued.ttl_days",
        "SeatReset.machine",
        "OfficeInstalled.machine",
    ],
    check: Check::Subject(SubjectKind::Seat, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut before: Option<(Timestamp, &Event)> = None;
    let mut ttl_days = MACHINE_KEY_DAYS;
    for event in scene.events {
        let (was, until) = if let Payload::SeatLicensed(licensed) = &event.payload {
            (None, licensed.valid_until)
        } else if let Payload::SeatRevalidated(again) = &event.payload {
            (again.valid_until_before, again.valid_until)
        } else if let Payload::SeatReset(_) | Payload::OfficeInstalled(_) = &event.payload {
            before = None;
            continue;
        } else {
            ttl_days = term(event).unwrap_or(ttl_days);
            continue;
        };
        let moved_back = |earlier: &Timestamp| until.plus_minutes(BACK_HOURS * 60) < *earlier;
        if let Some(earlier) = was {
            if moved_back(&earlier) {
                let why = format!("it was licensed until {} before", earlier.date());
                return Ok(vec![breach(scene, earlier, (event, why), event, until)]);
            }
        } else if let Some((earlier, first)) = before
            && moved_back(&earlier)
            && first.occurred_at.certainly_before(event.occurred_at)
            && is_borne_out(first, earlier, ttl_days)
        {
            let why = format!("it was licensed until {}", earlier.date());
            return Ok(vec![breach(scene, earlier, (first, why), event, until)]);
        }
        if before.is_none_or(|(earlier, _)| until >= earlier) {
            before = Some((until, event));
        }
    }
    Err(Silence("its validity never moved back in a known order"))
}

/// How long a machine is licensed from now on, where an event says so.
fn term(event: &Event) -> Option<i64> {
    if let Payload::TblParametersSet(set) = &event.payload {
        Some(i64::from(set.ttl_days.0))
    } else if let Payload::MachineKeyIssued(issued) = &event.payload {
        Some(i64::from(issued.ttl_days.0))
    } else {
        None
    }
}

/// Whether the time of a success is that of the service, which counts the term from its own clock: a
/// machine whose clock is off reports another time.
fn is_borne_out(event: &Event, until: Timestamp, ttl_days: i64) -> bool {
    let served = until.plus_days(-ttl_days);
    let slack = BACK_HOURS * 60;
    let (start, last) = (event.occurred_at.start, event.occurred_at.last());
    served.plus_minutes(slack) >= start && served <= last.plus_minutes(slack)
}

fn breach(
    scene: &Scene<'_>,
    earlier: Timestamp,
    (first, why): (&Event, String),
    event: &Event,
    until: Timestamp,
) -> Breach {
    let name = shown(scene.subject);
    let (was, is) = (earlier.date(), until.date());
    let next = "check the clock of the machine, and whether two have its name";
    let summary = format!("{name} was licensed until {was}, and later until {is}.");
    Breach::new(scene.subject, event.occurred_at, Severity::Medium, 800)
        .says(summary, next)
        .shows(first, why)
        .shows(event, format!("later it was licensed until {is} only"))
}
