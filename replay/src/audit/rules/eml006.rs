//! EML006: the order names another contact than its agreement.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::part::Contact;
use ledger::event::{Event, Payload, subject_of};
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "EML006",
    name: "order and agreement name different contacts",
    severity: Severity::Medium,
    meaning: "For one role the order names somebody else than the agreement does. The mail may go to the wrong person (R2).",
    needs: "contacts of the same role on the order and on the agreement, as it stood at the order; nothing activated yet",
    counter_evidence: "none: a correction of either, or an activation, makes the rule silent",
    false_positives: "one person with two addresses; a change of contact that is recorded late",
    compensation: "ask the customer who is right, and correct the order or the agreement before the mail goes out",
    parameters: &[],
    inputs: &[
        "OrderPlaced.contacts",
        "OrderAmended.contacts",
        "AgreementSigned.contacts",
        "ContactChanged.new",
    ],
    check: Check::Subject(SubjectKind::Order, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut order: Option<(&Event, &[Contact])> = None;
    let mut license = None;
    for event in scene.events {
        if let Payload::OrderPlaced(placed) = &event.payload {
            license = Some((&placed.license_id, &placed.order));
            order = Some((event, &placed.contacts));
        } else if let Payload::OrderAmended(amended) = &event.payload {
            if !amended.contacts.is_empty() {
                order = Some((event, &amended.contacts));
            }
        } else if let Payload::OrderCancelled(_) | Payload::OrderReturned(_) = &event.payload {
            return Err(Silence("the order is gone"));
        }
    }
    let ((license, number), (event, contacts)) = license
        .zip(order)
        .ok_or("the order itself is not recorded")?;
    let landed = scene.others.of_agreement(license).any(|other| {
        let its = other.landing.order.as_ref();
        its.is_none_or(|order| order == number) && other.landing.cutoff() >= event.occurred_at.start
    });
    if landed {
        return Err(Silence("the order was activated"));
    }
    let agreement = on_agreement(scene, license, event);
    if agreement.is_empty() {
        return Err(Silence("the agreement names no contact"));
    }
    let differs = contacts.iter().find_map(|contact| {
        let same_role = |(_, known): &&(&Event, Contact)| known.role == contact.role;
        let (event, known) = agreement.iter().rfind(same_role)?;
        let same = scene.evidence.is_same(known.person.id, contact.person.id);
        (!same).then_some((*event, contact.role))
    });
    let (known, role) = differs.ok_or("order and agreement name the same contacts")?;
    let role = super::super::story::spaced(role.as_str());
    let summary = format!("Order {number} names another {role} than agreement {license}.",);
    let next = "ask the customer who is right before the mail is opened by the wrong person";
    let breach = Breach::new(scene.subject, event.occurred_at, Severity::Medium, 800)
        .says(summary, next)
        .key(role)
        .names([license])
        .shows(event, "the order names this person")
        .shows(known, "the agreement names another person");
    Ok(vec![breach])
}

/// The contacts of an agreement as it stood at the order, in the order in which they were named.
fn on_agreement<'s>(
    scene: &Scene<'s>,
    license: &ledger::id::LicenseId,
    order: &Event,
) -> Vec<(&'s Event, Contact)> {
    let mut contacts = Vec::new();
    for event in scene.at.of(&subject_of(license)) {
        if let Payload::AgreementSigned(signed) = &event.payload {
            contacts.extend(signed.contacts.iter().cloned().map(|one| (event, one)));
        } else if let Payload::ContactChanged(changed) = &event.payload
            && event.occurred_at.start <= order.occurred_at.last()
        {
            contacts.extend(changed.new.clone().map(|person| {
                let role = changed.role;
                (event, Contact { role, person })
            }));
        }
    }
    contacts
}
