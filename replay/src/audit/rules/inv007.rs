//! INV007: more landed than was ordered.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::word::LineKind;
use ledger::event::{Event, Payload};
use ledger::subject::SubjectKind;
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    code: "INV007",
    name: "more seats landed than were ordered",
    severity: Severity::High,
    meaning: "The landings of the order brought more seats than it has, reversed ones left out. What was ordered is either landed, left over, or returned (invariant 7).",
    needs: "the seats of every line; the seats of every landing of the order; none of its keys reissued, which is WTR026",
    counter_evidence: "none: what it rests on is the whole of it",
    false_positives: "amendments that a source does not tell of",
    compensation: "compare with the vendor; have the surplus reversed",
    parameters: &[],
    inputs: &[
        "OrderPlaced.order",
        "OrderAmended.order",
        "KeysRedeemed.order",
        "RedemptionReversed.redemption",
    ],
    check: Check::Subject(SubjectKind::Order, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut placed = None;
    let mut lines = None;
    for event in scene.events {
        if let Payload::OrderPlaced(order) = &event.payload {
            placed = Some((*event, order));
            lines = Some(&order.lines);
        } else if let Payload::OrderAmended(amended) = &event.payload
            && !amended.lines.is_empty()
        {
            lines = Some(&amended.lines);
        }
    }
    let ((event, order), lines) = placed
        .zip(lines)
        .ok_or("the order itself is not recorded")?;
    let seats = lines.iter().filter(|line| line.kind == LineKind::Seats);
    let seats = seats.map(|line| line.seats.map(|seats| u64::from(seats.0)));
    let ordered: Option<u64> = seats.sum();
    let ordered = ordered
        .filter(|seats| *seats > 0)
        .ok_or("its seats are not recorded")?;
    let mut landed: BTreeMap<_, (u32, &Event)> = BTreeMap::new();
    for judged in scene.others.of_agreement(&order.license_id) {
        let landing = judged.landing;
        if landing.order.as_ref() != Some(&order.order) || landing.reversed.is_some() {
            continue;
        }
        let mut keys = landing.keys.iter();
        let reissued = keys.any(|key| {
            let facts = scene.evidence.keys.get(key);
            facts.is_some_and(|facts| facts.replaced_by.is_some())
        });
        if reissued || judged.accused {
            return Err(Silence(
                "a landing of it has a finding, or a key of it was reissued",
            ));
        }
        let event = landing
            .events
            .iter()
            .find_map(|event| scene.at.event(*event));
        if let (Some(seats), Some(event)) = (landing.seats, event) {
            landed.insert(&landing.id, (seats.0, event));
        }
    }
    let total: u64 = landed.values().map(|(seats, _)| u64::from(*seats)).sum();
    if total <= ordered {
        return Err(Silence("no more landed than was ordered"));
    }
    let at = landed.values().map(|(_, event)| event.occurred_at);
    let at = at.max_by_key(|at| at.start).unwrap_or(event.occurred_at);
    let summary = format!(
        "Order {} has {ordered} seats, and {total} landed.",
        order.order
    );
    let mut breach = Breach::new(scene.subject, at, Severity::High, 800)
        .says(
            summary,
            "compare with the vendor, and have the surplus reversed",
        )
        .names([&order.license_id])
        .shows(event, format!("{ordered} seats were ordered"));
    for (seats, event) in landed.values() {
        breach = breach.shows(event, format!("{seats} seats landed"));
    }
    Ok(vec![breach])
}
