//! WTR005: another customer's tenant.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use ledger::id::{CustomerId, EventId};
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    code: "WTR005",
    name: "another customer's tenant",
    severity: Severity::Critical,
    meaning: "The tenant belongs to a customer who has nothing to do with the order: a source calls that customer its owner, the tenant has verified that customer's domain, or that customer's agreements are bound to it.",
    needs: "the end customer of the order or agreement; who the tenant belongs to",
    counter_evidence: "the two customers are merged, parent and affiliate, or renamed; the person who did it is an administrator of the customer's own tenant",
    false_positives: "a merger, a renamed company or a parent company that nobody has recorded",
    compensation: "reverse and reissue, or remap; notify both customers; first unassign the seats that the other company has given out",
    parameters: &[],
    inputs: &[
        "OrderPlaced.end_customer",
        "AgreementSigned.customer",
        "TenantObserved.owner",
        "TenantObserved.domains",
        "DomainVerified.domain",
        "CustomerRegistered.verified_domains",
        "CustomersRelated.related",
        "KeysRedeemed.tenant",
        "ServicesBoundToTenant.tenant",
        "ServicesAutoAssigned.tenant",
        "CreditLotActivated.tenant",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    let landing = case.landing;
    case.must_not_be_as_expected()?;
    let partner = case
        .evidence
        .partner_of_tenant(&landing.tenant, case.cutoff);
    if partner.is_some() {
        return Err(Silence("the tenant is a partner's own: WTR006"));
    }
    let customer = landing.customer.as_ref();
    let customer = customer.ok_or("no source names the customer")?;
    let owners = owners(case);
    let own = owners.keys().any(|owner| {
        case.evidence
            .belong_together(owner, customer, landing.at.start, case.cutoff)
    });
    if own {
        return Err(Silence("the tenant belongs to the customer"));
    }
    let owner = owners.into_iter().max_by_key(|(_, why)| why.len());
    let (owner, why) = owner.ok_or("nobody is known to own the tenant")?;
    let mut hit = Hit::new(Severity::Critical, 950);
    hit.evidence.extend(why);
    let name = case.evidence.customer_name(customer);
    let order = landing
        .order_facts(case.evidence)
        .and_then(|o| o.end_customer.as_ref());
    let agreement = landing
        .agreement(case.evidence)
        .and_then(|a| a.customer.as_ref());
    if let Some(known) = order.or(agreement) {
        let owner = case.evidence.customer_name(&owner);
        hit.evidence.push((
            known.event,
            format!("it was ordered for {name}, not for {owner}"),
        ));
    }
    Ok(hit)
}

/// The customers that the tenant belongs to, each with the events that say so.
fn owners(case: &Case<'_>) -> BTreeMap<CustomerId, Vec<(EventId, String)>> {
    let known = case
        .evidence
        .owners_of(&case.landing.tenant, case.landing.cutoff(), case.cutoff);
    let mut owners: BTreeMap<CustomerId, Vec<(EventId, String)>> = known
        .into_iter()
        .map(|(customer, why)| (customer.clone(), why))
        .collect();
    let shown = case.evidence.tenant_name(&case.landing.tenant);
    let name = |customer: &CustomerId| case.evidence.customer_name(customer);
    let bound = case
        .others
        .of_tenant(&case.landing.tenant)
        .filter(|judged| {
            let other = judged.landing;
            !judged.accused
                && other.id != case.landing.id
                && other.present_tenant() == Some(&case.landing.tenant)
                && other.at.start < case.landing.at.start
        });
    for judged in bound {
        if let (Some(customer), Some(event)) =
            (&judged.landing.customer, judged.landing.events.first())
        {
            let why = format!("{shown} holds an agreement of {}", name(customer));
            owners
                .entry(customer.clone())
                .or_default()
                .push((*event, why));
        }
    }
    owners
}
