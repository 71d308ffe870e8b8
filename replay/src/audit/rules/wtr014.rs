//! WTR014: assigned by a customer number that is another customer's.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::landing::LandingKind;
use ledger::event::word::AutoAssignCriterion;

pub(super) const RULE: Rule = Rule {
    code: "WTR014",
    name: "assigned by another customer's number",
    severity: Severity::High,
    meaning: "A renewal went by itself to the tenant of the agreement that it continues, by the customer number; but the two agreements are those of two customers: after a demerger, or because the renewal carries the wrong number.",
    needs: "the renewal and the agreement that it continues; the customers of both; where the old agreement is bound",
    counter_evidence: "nothing lowers it",
    false_positives: "a reorganisation by intent: if the two customers belong together on that day, or the order names the tenant, the rule is silent",
    compensation: "a customer number and License ID of its own for the new customer, and a remap",
    parameters: &[],
    inputs: &[
        "AgreementRenewedAs.old_license_id",
        "AgreementRenewedAs.new_license_id",
        "AgreementSigned.customer",
        "ServicesAutoAssigned.criterion",
        "ServicesAutoAssigned.tenant",
        "CustomersRelated.related",
        "CustomersRelated.until",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    let (landing, evidence) = (case.landing, case.evidence);
    if landing.kind != LandingKind::AutoAssignment {
        return Err(Silence("somebody chose it"));
    }
    case.must_not_be_as_expected()?;
    let agreement = landing
        .agreement(evidence)
        .ok_or("no source names its agreement")?;
    let renews = agreement
        .renews
        .as_ref()
        .ok_or("it continues no other agreement")?;
    let mut assigned = agreement
        .assigned
        .iter()
        .filter(|to| to.value.0 == landing.tenant);
    if assigned.any(|to| to.value.1 != AutoAssignCriterion::CustomerNumberAssigned) {
        return Err(Silence("it was assigned by another criterion"));
    }
    let customer = case.customer()?;
    let old = evidence.agreements.get(&renews.value);
    let old = old.and_then(|old| old.customer.as_ref());
    let old = old.ok_or("the customer of the old agreement is not known")?;
    if evidence.belong_together(&old.value, customer, landing.at.start, case.cutoff) {
        return Err(Silence("both agreements are of one customer or group"));
    }
    let theirs = case
        .others
        .of_agreement(&renews.value)
        .find(|judged| judged.landing.present_tenant() == Some(&landing.tenant));
    let theirs = theirs.ok_or("the old agreement is not bound to the tenant")?;
    let mut hit = Hit::new(Severity::High, 900);
    let (was, is) = (
        evidence.customer_name(&old.value),
        evidence.customer_name(customer),
    );
    let license = &renews.value;
    hit.evidence.push((
        renews.event,
        format!("it continues {license} under its customer number"),
    ));
    hit.evidence
        .push((old.event, format!("{license} is an agreement of {was}")));
    hit.evidence.extend(
        case.customer_says()
            .map(|event| (event, format!("this one is of {is}"))),
    );
    let name = case.tenant_name();
    let event = theirs.landing.events.first();
    hit.evidence
        .extend(event.map(|event| (*event, format!("{license} is bound to {name}"))));
    Ok(hit)
}
