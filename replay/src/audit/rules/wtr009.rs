//! WTR009: a second tenant of the same customer.

use super::{Case, Check, Hit, Parameter, Rule, Severity, Silence};
use crate::audit::authority::belongs_to_customer;
use crate::audit::expectation::ExpectationSource;
use ledger::id::EventId;

const BORN_WITHIN_DAYS: i64 = 7;

pub(super) const RULE: Rule = Rule {
    code: "WTR009",
    name: "a second tenant of the same customer",
    severity: Severity::High,
    meaning: "The License ID, or all other agreements of the customer number, are bound to one tenant of the customer; this reached another one, which is new or which nobody uses. One License ID cannot belong to two tenants.",
    needs: "an earlier binding of the License ID or of the customer number; that the tenant is the customer's, or came to be within days; when users were given licences in it",
    counter_evidence: "users had licences in the tenant before",
    false_positives: "a customer that runs several tenants by intent, with agreements of their own: then the tenant is in use, or the order names it, and the rule is silent",
    compensation: "move it to the tenant that the agreement is bound to; the vendor moves whole agreements",
    parameters: &[Parameter {
        name: "born_within_days",
        value: BORN_WITHIN_DAYS,
        unit: "days",
        doc: "how far from the landing a tenant may have come to be to count as new",
    }],
    inputs: &[
        "ServicesBoundToTenant.tenant",
        "KeysRedeemed.tenant",
        "TenantRemapped.moves",
        "AgreementSigned.pcn",
        "TenantObserved.owner",
        "TenantObserved.created_on",
        "TenantCreated.tenant",
        "LicensesAssigned.users",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    case.must_be_elsewhere()?;
    let (landing, evidence) = (case.landing, case.evidence);
    let agreement = match case.expectation.source {
        ExpectationSource::AgreementBinding => true,
        ExpectationSource::CustomerNumberBinding => false,
        _ => return Err(Silence("no binding says which tenant was meant")),
    };
    if case.expectation.contested || case.expectation.tenant().is_none() {
        return Err(Silence("more than one tenant claims the agreement"));
    }
    let before = |event: &&EventId| {
        let occurred = evidence.occurred.get(event);
        occurred.is_some_and(|occurred| occurred.start <= landing.at.start)
    };
    let bound = case.expectation.evidence.iter().find(before);
    let bound = *bound.ok_or("the binding came later")?;
    let facts = evidence.tenants.get(&landing.tenant);
    let close = |at: ledger::time::Timestamp| {
        let days = landing.at.start.date().days_since(at.date());
        days.abs() <= BORN_WITHIN_DAYS
    };
    let born = facts.into_iter().flat_map(|facts| &facts.created);
    let born = born
        .filter(|born| born.by(case.cutoff))
        .find(|born| close(born.value.on.map_or(born.from, |on| on.start())));
    let owners = evidence.owners_of(&landing.tenant, landing.cutoff(), case.cutoff);
    let ours = belongs_to_customer(&landing.tenant, landing, evidence);
    let newborn = owners.is_empty() && born.is_some();
    if !ours && !newborn {
        return Err(Silence("nothing says that the tenant is the customer's"));
    }
    let used = facts.into_iter().flat_map(|facts| &facts.assigned);
    let used: Vec<_> = used.filter(|users| users.from < landing.at.start).collect();
    if !agreement && born.is_none() && !used.is_empty() {
        return Err(Silence("the tenant is in use: a customer may run several"));
    }
    let mut hit = Hit::new(Severity::High, 900);
    let name = case.tenant_name();
    let what = if agreement {
        "the License ID"
    } else {
        "the customer number"
    };
    hit.evidence
        .push((bound, format!("{what} was bound to another tenant before")));
    hit.evidence
        .extend(born.map(|born| (born.event, format!("{name} had just come to be"))));
    let owned = owners.into_values().flatten();
    hit.evidence.extend(owned);
    hit.counter_evidence.extend(
        used.first()
            .map(|users| (users.event, format!("users had licences in {name} before"))),
    );
    Ok(hit)
}
