//! INV013: validity that moved back.

use super::machine::shown;
use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload};
use ledger::subject::SubjectKind;
use ledger::time::Timestamp;

/// Two systems may disagree by this much.
const BACK_HOURS: i64 = 24;

pub(super) const RULE: Rule = Rule {
    code: "INV013",
    name: "validity of a seat moved back",
    severity: Severity::Medium,
    meaning: "A seat was licensed until an earlier time than before, and was not reset or installed again in between. Each success gives a full term from its own day (invariant 13), so a clock is wrong or two machines share a name.",
    needs: "until when the seat was licensed, twice, in a known order",
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
        "SeatReset.machine",
        "OfficeInstalled.machine",
    ],
    check: Check::Subject(SubjectKind::Seat, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut before: Option<(Timestamp, &Event)> = None;
    for event in scene.events {
        let until = if let Payload::SeatLicensed(licensed) = &event.payload {
            licensed.valid_until
        } else if let Payload::SeatRevalidated(again) = &event.payload {
            again.valid_until
        } else if let Payload::SeatReset(_) | Payload::OfficeInstalled(_) = &event.payload {
            before = None;
            continue;
        } else {
            continue;
        };
        let back = before.filter(|(earlier, first)| {
            until.plus_minutes(BACK_HOURS * 60) < *earlier
                && first.occurred_at.certainly_before(event.occurred_at)
        });
        if let Some((earlier, first)) = back {
            let name = shown(scene.subject);
            let (was, is) = (earlier.date(), until.date());
            let next = "check the clock of the machine, and whether two have its name";
            let breach = Breach::new(scene.subject, event.occurred_at, Severity::Medium, 800)
                .says(
                    format!("{name} was licensed until {was}, and later until {is}."),
                    next,
                )
                .shows(first, format!("it was licensed until {was}"))
                .shows(event, format!("later it was licensed until {is} only"));
            return Ok(vec![breach]);
        }
        if before.is_none_or(|(earlier, _)| until >= earlier) {
            before = Some((until, event));
        }
    }
    Err(Silence("its validity never moved back"))
}
