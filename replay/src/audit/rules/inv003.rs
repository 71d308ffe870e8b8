//! INV003: a key that comes back.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload};
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "INV003",
    name: "spent key redeemed again",
    severity: Severity::Critical,
    meaning: "A key was redeemed after its redemption had been reversed, or after its order was returned or cancelled. A neutralised key never comes back (invariant 3); a key in two tenants is WTR008.",
    needs: "the reversal, return or cancellation, and a redemption that certainly came after it",
    counter_evidence: "none: what it rests on is the whole of it",
    false_positives: "redemptions that a source reports with the day of the report",
    compensation: "find out from the vendor which redemption counts; reverse the other",
    parameters: &[],
    inputs: &[
        "KeysRedeemed.redemption",
        "RedemptionReversed.redemption",
        "OrderReturned.order",
        "OrderCancelled.order",
        "KeyIssued.order",
    ],
    check: Check::Subject(SubjectKind::Key, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut spent: Option<(&Event, &str)> = None;
    let mut order = None;
    for event in scene.events {
        if let Payload::RedemptionReversed(_) = &event.payload {
            spent = spent.or(Some((event, "its redemption was reversed")));
        } else if let Payload::KeyIssued(issued) = &event.payload {
            order = Some(&issued.order);
        }
    }
    let order = order.map(ledger::event::subject_of);
    let gone = order
        .iter()
        .flat_map(|order| scene.at.of(order))
        .find(|event| {
            matches!(
                event.payload,
                Payload::OrderReturned(_) | Payload::OrderCancelled(_)
            )
        });
    let spent = spent
        .or_else(|| gone.map(|event| (event, "its order was returned or cancelled")))
        .ok_or("nothing made the key void")?;
    let again = scene.events.iter().find(|event| {
        matches!(
            event.payload,
            Payload::KeysRedeemed(_) | Payload::CreditLotActivated(_)
        ) && spent.0.occurred_at.certainly_before(event.occurred_at)
    });
    let again = again.ok_or("it was not redeemed after that")?;
    let last5 = scene.subject.id.rsplit('-').next().unwrap_or_default();
    let summary = format!("Key …{last5} was redeemed although it was void.");
    let next = "ask the vendor which redemption counts";
    let mut breach = Breach::new(scene.subject, again.occurred_at, Severity::Critical, 900)
        .says(summary, next)
        .shows(spent.0, spent.1)
        .shows(again, "it was redeemed after that");
    breach.subjects.extend(order);
    Ok(vec![breach])
}
