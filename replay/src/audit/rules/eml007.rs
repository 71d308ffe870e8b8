//! EML007: the activation mail went to an address outside the customer's domains.

use super::mail::Mail;
use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload, subject_of};
use ledger::id::CustomerId;
use ledger::secret::DomainId;
use ledger::subject::SubjectKind;
use std::collections::BTreeSet;

pub(super) const RULE: Rule = Rule {
    code: "EML007",
    name: "mail sent outside the customer's domains",
    severity: Severity::Medium,
    meaning: "The activation mail went to an address in a domain that is none of the customer's: to somebody at a partner, a consultancy or another company, or to a private address. Whoever opens it is probably signed in somewhere else.",
    needs: "the recipient's domain; verified domains of the customer; nothing activated yet",
    counter_evidence: "the agreement itself names this person as its contact",
    false_positives: "domains of the customer that nobody recorded",
    compensation: "ask the customer before the link is opened; name a contact of its own",
    parameters: &[],
    inputs: &[
        "ActivationEmailSent.recipient",
        "CustomerRegistered.verified_domains",
        "TenantObserved.domains",
        "DomainVerified.domain",
        "AgreementSigned.contacts",
    ],
    check: Check::Subject(SubjectKind::Email, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mail = Mail::of(scene)?;
    mail.must_still_matter(scene)?;
    let person = if let Payload::ActivationEmailSent(sent) = &mail.sent.payload {
        &sent.recipient
    } else if let Payload::ActivationEmailResent(again) = &mail.sent.payload {
        &again.recipient
    } else {
        return Err(Silence("no source says to whom it went"));
    };
    let agreement = scene.evidence.agreements.get(&mail.license);
    let signed = agreement.and_then(|agreement| agreement.customer.as_ref());
    let order = mail
        .order
        .as_ref()
        .and_then(|o| scene.evidence.orders.get(o));
    let ordered = order.and_then(|order| order.end_customer.as_ref());
    let customer = &ordered
        .or(signed)
        .ok_or("no source names the customer")?
        .value;
    let domains = domains(scene, customer);
    if domains.is_empty() {
        return Err(Silence("no domain of the customer is known"));
    }
    if domains.contains(&person.domain) {
        return Err(Silence("the address is in a domain of the customer"));
    }
    let name = scene.evidence.customer_name(customer);
    let summary = format!("The activation mail for {name} went to an address outside its domains.");
    let next = "ask the customer before the link is opened";
    let mut breach = Breach::new(scene.subject, mail.sent.occurred_at, Severity::Medium, 800)
        .says(summary, next)
        .names([&mail.license])
        .names([customer])
        .names(&mail.order)
        .shows(
            mail.sent,
            match person.public_domain {
                true => "the mail went to an address that anybody can have",
                false => "the mail went to a domain that is none of the customer's",
            },
        );
    if let Some(named) = named(scene, &mail) {
        breach = breach.against(named, "the agreement names this person as its contact");
    }
    Ok(vec![breach])
}

/// The domains of a customer, of those that it belongs together with, and of their tenants.
fn domains(scene: &Scene<'_>, customer: &CustomerId) -> BTreeSet<DomainId> {
    let facts = |customer: &CustomerId| scene.evidence.customers.get(customer);
    let related = facts(customer).into_iter().flat_map(|own| &own.related);
    let mut all: BTreeSet<&CustomerId> = related.map(|known| &known.value.customer).collect();
    all.insert(customer);
    let mut domains = BTreeSet::new();
    for customer in all {
        let verified = facts(customer).into_iter().flat_map(|own| &own.domains);
        domains.extend(verified.map(|known| known.value.1));
        for tenant in scene.evidence.tenants_of_owner(customer) {
            let tenant = scene.evidence.tenants.get(tenant);
            let held = tenant.into_iter().flat_map(|tenant| &tenant.domains);
            domains.extend(held.map(|known| known.value.id));
        }
    }
    domains
}

/// The agreement's own word that the recipient is its contact.
fn named<'s>(scene: &Scene<'s>, mail: &Mail<'_>) -> Option<&'s Event> {
    scene.at.of(&subject_of(&mail.license)).find(|event| {
        if let Payload::AgreementSigned(signed) = &event.payload {
            return signed
                .contacts
                .iter()
                .any(|one| scene.evidence.is_same(one.person.id, mail.recipient));
        }
        false
    })
}
