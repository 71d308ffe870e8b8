//! WTR006: the partner's own tenant.

use super::{Case, Check, Hit, Rule, Severity, Silence};

pub(super) const RULE: Rule = Rule {
    code: "WTR006",
    name: "the partner's own tenant",
    severity: Severity::Critical,
    meaning: "The licences of a customer reached a tenant of the partner who handled them: the partner was signed in as itself.",
    needs: "the partner's own tenants as registered; the end customer of the order. The partner tenant that a portal shows as a subscription's creator is no accusation",
    counter_evidence: "the end customer is related to the partner",
    false_positives: "a partner that buys for its own use: then the end customer is the partner itself and the rule is silent",
    compensation: "reverse and reissue; if several customers of this partner are concerned, sweep all of its redemptions",
    parameters: &[],
    inputs: &[
        "PartnerRegistered.tenants",
        "PartnerRegistered.customer",
        "OrderPlaced.end_customer",
        "KeysRedeemed.tenant",
        "CustomersRelated.related",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    case.must_not_be_as_expected()?;
    let landing = case.landing;
    let (partner, own) = case
        .evidence
        .partner_of_tenant(&landing.tenant, case.cutoff)
        .ok_or("the tenant is no partner's own")?;
    let customer = landing.customer.as_ref();
    let customer = customer.ok_or("no source names the customer")?;
    let itself = case
        .evidence
        .partners
        .get(partner)
        .and_then(|facts| facts.customer.as_ref());
    if itself == Some(customer) {
        return Err(Silence("the partner bought for itself"));
    }
    let mut hit = Hit::new(Severity::Critical, 950);
    let tenant = case.evidence.tenant_name(&landing.tenant);
    hit.evidence.push((
        own.event,
        format!("{tenant} is a tenant of the partner {partner}"),
    ));
    let ordered = landing
        .order_facts(case.evidence)
        .and_then(|order| order.end_customer.as_ref());
    let signed = landing
        .agreement(case.evidence)
        .and_then(|agreement| agreement.customer.as_ref());
    if let Some(known) = ordered.or(signed) {
        let name = case.evidence.customer_name(customer);
        hit.evidence
            .push((known.event, format!("it was ordered for {name}")));
    }
    for event in landing
        .events
        .iter()
        .filter(|_| landing.partners.contains(partner))
    {
        hit.evidence
            .push((*event, format!("somebody of {partner} did it")));
    }
    let related = itself.filter(|itself| {
        case.evidence
            .belong_together(itself, customer, landing.at.start, case.cutoff)
    });
    hit.counter_evidence.extend(related.map(|_| {
        (
            own.event,
            "the partner and the customer belong together".to_owned(),
        )
    }));
    Ok(hit)
}
