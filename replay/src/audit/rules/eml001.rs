//! EML001: nobody to send the activation mail to.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::Payload;
use ledger::event::word::SuppressedReason;
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "EML001",
    name: "nobody to send the activation mail to",
    severity: Severity::High,
    meaning: "The order has no contact that the activation mail could go to: the vendor said so, or neither the order nor its agreement names anybody. The customer has bought something that nobody is told to activate.",
    needs: "the vendor's word that there was no contact; or the order and its agreement, both without contacts",
    counter_evidence: "none: once a mail went out, a contact is named, or the agreement is activated, the rule is silent",
    false_positives: "exports of orders or agreements that leave the contacts out; then confidence is weak",
    compensation: "name an Online Services Manager or Primary Contact on the agreement, then ask for the mail to be sent again: a change alone sends nothing (R6)",
    parameters: &[],
    inputs: &[
        "OrderPlaced.contacts",
        "OrderAmended.contacts",
        "AgreementSigned.contacts",
        "ContactChanged.new",
        "ActivationEmailScheduled.chosen_role",
        "ActivationEmailSuppressed.reason",
        "ActivationEmailSent.order",
    ],
    check: Check::Subject(SubjectKind::Order, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let placed = scene.events.iter().find_map(|event| {
        if let Payload::OrderPlaced(placed) = &event.payload {
            return Some((*event, placed));
        }
        None
    });
    let (event, placed) = placed.ok_or("the order itself is not recorded")?;
    let gone = scene.events.iter().any(|event| {
        matches!(
            event.payload,
            Payload::ActivationEmailSent(_)
                | Payload::OrderCancelled(_)
                | Payload::OrderReturned(_)
        )
    });
    if gone {
        return Err(Silence("a mail went out, or the order is gone"));
    }
    let landed = scene.others.of_agreement(&placed.license_id).any(|other| {
        let its = other.landing.order.as_ref();
        its.is_none_or(|order| *order == placed.order)
            && other.landing.cutoff() >= event.occurred_at.start
    });
    if landed {
        return Err(Silence("the order was activated"));
    }
    let agreement = scene.evidence.agreements.get(&placed.license_id);
    let known = agreement.is_some_and(|agreement| !agreement.contacts.is_empty());
    let order = scene.evidence.orders.get(&placed.order);
    let named = order.is_some_and(|order| !order.contacts.is_empty());
    let summary = format!(
        "Nobody is named whom the activation mail of order {} could go to.",
        placed.order
    );
    let next = "name a contact on the agreement, and ask for the mail to be sent again";
    let breach = |thousandths| {
        Breach::new(
            scene.subject,
            event.occurred_at,
            Severity::High,
            thousandths,
        )
        .says(summary, next)
        .names([&placed.license_id])
        .names([&placed.end_customer])
    };
    let said = scene.events.iter().rev().find(|event| {
        matches!(&event.payload, Payload::ActivationEmailSuppressed(no)
            if no.reason == SuppressedReason::NoContact)
            || matches!(&event.payload, Payload::ActivationEmailScheduled(plan)
                if plan.chosen_role.is_none())
    });
    if let Some(said) = said {
        if known && named_after(scene, said.occurred_at.start, &placed.license_id) {
            return Err(Silence("a contact was named since"));
        }
        return Ok(vec![
            breach(950).shows(said, "the vendor found nobody to send the mail to"),
        ]);
    }
    if known || named {
        return Err(Silence("a contact is named"));
    }
    let signed = scene.at.of(&ledger::event::subject_of(&placed.license_id));
    let signed = signed
        .filter(|event| matches!(event.payload, Payload::AgreementSigned(_)))
        .last();
    let signed = signed.ok_or("the agreement is not recorded")?;
    Ok(vec![
        breach(600)
            .shows(event, "the order names no contact")
            .shows(signed, "the agreement names no contact"),
    ])
}

/// Whether the agreement got a contact after an instant.
fn named_after(
    scene: &Scene<'_>,
    since: ledger::time::Timestamp,
    license: &ledger::id::LicenseId,
) -> bool {
    let agreement = scene.evidence.agreements.get(license);
    let mut contacts = agreement
        .into_iter()
        .flat_map(|agreement| &agreement.contacts);
    contacts.any(|contact| contact.from > since)
}
