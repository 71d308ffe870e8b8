//! WTR007: a partner mixed up two customers.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use ledger::id::PartnerId;
use ledger::secret::PersonId;

pub(super) const RULE: Rule = Rule {
    code: "WTR007",
    name: "a partner mixed up two customers",
    severity: Severity::Critical,
    meaning: "Somebody of a partner who administers several tenants by delegation activated one customer's licences in another customer's tenant.",
    needs: "that a partner did it; the partner's delegation in the tenant; whose the tenant is, or an expected tenant that is another one",
    counter_evidence: "the delegation is not on record as live on that day",
    false_positives: "customers that belong together although nobody recorded it. A partner in the right customer's tenant is as expected, and in its own tenant it is WTR006",
    compensation: "reverse and reissue, or remap; notify both customers; look at everything else that the partner did in that session",
    parameters: &[],
    inputs: &[
        "KeysRedeemed.redeemer",
        "PartnerRegistered.domains",
        "PartnerRegistered.tenants",
        "DelegatedAdminGranted.tenant",
        "DelegatedAdminGranted.partner",
        "DelegatedAdminGranted.partner_tenant",
        "DelegatedAdminGranted.until",
        "TenantObserved.owner",
        "OrderPlaced.end_customer",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    case.must_not_be_as_expected()?;
    let (landing, evidence) = (case.landing, case.evidence);
    let partner = partner(case).ok_or("nobody of a partner did it")?;
    let own = evidence.partner_of_tenant(&landing.tenant, case.cutoff);
    if own.is_some_and(|(own, _)| *own == partner) {
        return Err(Silence("the tenant is the partner's own: WTR006"));
    }
    let customer = case.customer()?;
    let facts = evidence.partners.get(&partner);
    let theirs = |tenant: &_| facts.is_some_and(|f| f.tenants.iter().any(|t| t.value == *tenant));
    let tenant = evidence.tenants.get(&landing.tenant);
    let delegations = tenant.into_iter().flat_map(|tenant| &tenant.delegations);
    let granted = delegations.filter(|to| {
        to.value.partner.as_ref() == Some(&partner) || theirs(&to.value.partner_tenant)
    });
    let (start, last) = (landing.at.start, landing.cutoff());
    let granted = granted.max_by_key(|to| (to.live(start, last, case.cutoff), to.from, to.event));
    let granted = granted.ok_or("the partner has no delegation in the tenant")?;
    let owners = evidence.owners_of(&landing.tenant, last, case.cutoff);
    let related = |owner: &&_| evidence.belong_together(owner, customer, start, case.cutoff);
    if owners.keys().any(related) {
        return Err(Silence("the tenant belongs to the customer"));
    }
    let mut hit = Hit::new(Severity::Critical, 950);
    match owners.into_iter().max_by_key(|(_, why)| why.len()) {
        Some((_, why)) => hit.evidence.extend(why),
        None if case.is_elsewhere() => {}
        None => return Err(Silence("nobody is known to own the tenant")),
    }
    let name = case.tenant_name();
    let why = format!("{partner} administers {name} by delegation");
    match granted.live(start, last, case.cutoff) {
        true => hit.evidence.push((granted.event, why)),
        false => {
            let why = format!("the delegation of {name} to {partner} was not live that day");
            hit.counter_evidence.push((granted.event, why));
        }
    }
    let whose = evidence.customer_name(customer);
    hit.evidence.extend(
        case.customer_says()
            .map(|event| (event, format!("it was ordered for {whose}"))),
    );
    hit.landed(case, &format!("somebody of {partner} did it"));
    Ok(hit)
}

/// The partner who did it: named by the report, or by the address of who did it.
fn partner(case: &Case<'_>) -> Option<PartnerId> {
    if let Some(partner) = case.landing.partners.first() {
        return Some(partner.clone());
    }
    let evidence = case.evidence;
    let order = case
        .landing
        .order_facts(evidence)
        .map(|order| &order.partners);
    let agreement = case.landing.agreement(evidence).map(|a| &a.partners);
    let on_record = order.into_iter().chain(agreement).flatten();
    let employs = |partner: &&PartnerId, person: &PersonId| {
        let mailbox = evidence.mailboxes.get(person).filter(|m| !m.public);
        let domains = evidence.partners.get(partner).map(|facts| &facts.domains);
        mailbox.is_some_and(|m| domains.is_some_and(|domains| domains.contains(&m.domain)))
    };
    let persons = &case.landing.persons;
    let did = on_record.filter(|partner| persons.iter().any(|person| employs(partner, person)));
    did.min().cloned()
}
