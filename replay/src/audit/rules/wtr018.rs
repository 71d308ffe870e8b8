//! WTR018: a tenant that users made for themselves.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::authority::contacts;
use crate::audit::expectation::is_nobodys;

pub(super) const RULE: Rule = Rule {
    code: "WTR018",
    name: "a tenant that users made for themselves",
    severity: Severity::High,
    meaning: "The tenant has the customer's domain, but it came to be by a user's own sign-up, before the order, and nobody administers it: the domain leads into it, and the customer has no hold on it.",
    needs: "how the tenant came to be; its domains; its administrators; the order",
    counter_evidence: "nothing lowers it: an administrator on record silences the rule",
    false_positives: "an administrator took the tenant over and the role log does not show it",
    compensation: "an administrator takes the tenant over, or the agreement is remapped",
    parameters: &[],
    inputs: &[
        "TenantCreated.created_via",
        "TenantObserved.created_via",
        "TenantObserved.domains",
        "DomainVerified.domain",
        "TenantRoleAssigned.role",
        "CustomerRegistered.verified_domains",
        "OrderPlaced.order",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    case.must_not_be_as_expected()?;
    let (landing, evidence) = (case.landing, case.evidence);
    let tenant = evidence.tenants.get(&landing.tenant);
    let tenant = tenant.ok_or("nothing is known of the tenant")?;
    let own = tenant.self_service.as_ref();
    let own = own.ok_or("nothing says that users made the tenant for themselves")?;
    if !is_nobodys(tenant, landing, &case.basis()) {
        return Err(Silence("somebody administers the tenant"));
    }
    let order = landing
        .order_facts(evidence)
        .and_then(|order| order.end_customer.as_ref());
    let order = order.ok_or("its order is not known")?;
    let created = tenant.created.iter();
    let since = created
        .map(|c| c.value.on.map_or(c.from, |on| on.start()))
        .min();
    if since.unwrap_or(own.from) >= order.from {
        return Err(Silence("the tenant is not older than the order"));
    }
    let customer = evidence.customers.get(case.customer()?);
    let registered = customer.into_iter().flat_map(|facts| &facts.domains);
    let registered = registered.map(|domain| domain.value.1);
    let addresses = contacts(landing, evidence).map(|contact| &contact.value.person);
    let addresses = addresses.filter(|p| !p.public_domain).map(|p| p.domain);
    let domains: Vec<_> = registered.chain(addresses).collect();
    let held = tenant.domains.iter().find(|held| {
        domains.contains(&held.value.id) && held.held_at(landing.cutoff(), case.cutoff)
    });
    let held = held.ok_or("the tenant does not have the customer's domain")?;
    let mut hit = Hit::new(Severity::High, 900);
    let name = case.tenant_name();
    hit.evidence
        .push((own.event, format!("users made {name} for themselves")));
    let domain = &held.value.name;
    hit.evidence.push((
        held.event,
        format!("{name} has the customer's domain {domain}"),
    ));
    hit.evidence.push((
        order.event,
        "the order came later, and nobody administers the tenant".to_owned(),
    ));
    Ok(hit)
}
