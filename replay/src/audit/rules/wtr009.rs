//! WTR009: a second tenant of the same customer.

use super::{Case, Check, Hit, Parameter, Rule, Severity, Silence};
use crate::audit::authority::belongs_to_customer;
use crate::audit::expectation::bound_before;

const BORN_WITHIN_DAYS: i64 = 7;

pub(super) const RULE: Rule = Rule {
    code: "WTR009",
    name: "a second tenant of the same customer",
    severity: Severity::High,
    meaning: "The License ID, or all other agreements of the customer number, are bound to one tenant of the customer; this reached another one, which is new or which nobody uses. One License ID cannot belong to two tenants.",
    needs: "an earlier binding of the License ID or of the customer number, to the tenant that was expected; that the tenant is the customer's, or came to be within days; when users were given licences in it",
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
    let (first, bound, agreement) = bound_before(landing, &case.basis())
        .ok_or("no one tenant was bound to the License ID or the customer number before")?;
    if first == landing.tenant {
        return Err(Silence("it is the tenant that the binding names"));
    }
    if case.expectation.contested || case.expectation.tenant() != Some(&first) {
        return Err(Silence(
            "the tenant of the binding is not the one that was meant",
        ));
    }
    let bound = *bound.first().ok_or("no event says how it was bound")?;
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
    let used = evidence.assigned.get(&landing.tenant).into_iter();
    let used = used.flatten();
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
