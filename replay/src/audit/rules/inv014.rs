//! INV014: a credit lot that does not add up.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload};
use ledger::subject::SubjectKind;
use projections::policy::{TERM_MONTHS, TermEnd};

pub(super) const RULE: Rule = Rule {
    code: "INV014",
    name: "credit lot with a wrong term or overdrawn",
    severity: Severity::Medium,
    meaning: "A lot of prepaid credit ends on another day than twelve months after its activation, or more was consumed than it holds (R17; invariant 14).",
    needs: "the activation of the lot with its amount and days; what was consumed, in the same currency",
    counter_evidence: "none: what it rests on is the whole of it",
    false_positives: "reports of consumption that overlap",
    compensation: "compare with the portal; ask the vendor to correct the lot",
    parameters: &[],
    inputs: &[
        "CreditLotActivated.activated_on",
        "CreditLotActivated.expires_on",
        "CreditConsumed.lot",
    ],
    check: Check::Subject(SubjectKind::Credit, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let activated = scene.events.iter().find_map(|event| {
        if let Payload::CreditLotActivated(lot) = &event.payload {
            return Some((*event, lot));
        }
        None
    });
    let (event, lot) = activated.ok_or("its activation is not recorded")?;
    let breach = |at: &Event, what: &str, next: &str| {
        Breach::new(scene.subject, at.occurred_at, Severity::Medium, 800)
            .says(format!("Credit lot {} {what}.", lot.lot), next)
            .names(&lot.tenant)
            .names([&lot.azure_subscription])
    };
    let ends = [TermEnd::OnAnniversary, TermEnd::DayBeforeAnniversary];
    let ends = ends.map(|policy| policy.end(lot.activated_on, TERM_MONTHS));
    let mut breaches = Vec::new();
    if let Some(expires) = lot.expires_on.filter(|day| !ends.contains(day)) {
        let what = format!(
            "was activated on {} and ends on {expires}",
            lot.activated_on
        );
        let next = "ask the vendor to correct the last day of the lot";
        breaches.push(
            breach(event, &what, next)
                .key("term")
                .shows(event, what.clone()),
        );
    }
    let mut used = 0_i64;
    for consumed in scene.events {
        if let Payload::CreditConsumed(part) = &consumed.payload
            && part.amount.currency == lot.amount.currency
        {
            used = used.saturating_add(part.amount.minor_units.0);
            if used > lot.amount.minor_units.0 {
                let what = "was consumed beyond its amount";
                let next = "compare the consumption with the portal";
                let drawn = breach(consumed, what, next).key("amount");
                let drawn = drawn.shows(event, "the lot held this amount");
                breaches.push(drawn.shows(consumed, "with this more was consumed than it held"));
                break;
            }
        }
    }
    match breaches.is_empty() {
        true => Err(Silence("its term and its consumption are right")),
        false => Ok(breaches),
    }
}
