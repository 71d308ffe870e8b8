//! What would settle a landing that could not be judged.

use super::evidence::Evidence;
use super::expectation::Expectation;
use super::landing::Landing;

/// What is missing from the record, the strongest first, for people.
pub(super) fn needs(evidence: &Evidence, landing: &Landing, expectation: &Expectation) -> String {
    if expectation.contested {
        return "the word of the Online Services Manager or Notices Contact: two tenants claim the agreement".to_owned();
    }
    let mut needs = Vec::new();
    match landing.order_facts(evidence) {
        Some(_) => needs.push("the tenant named on the order"),
        None => needs.push("the order"),
    }
    match &landing.license_id {
        Some(_) => needs.push("an earlier binding of the License ID"),
        None => needs.push("the License ID"),
    }
    let customer = landing.customer.as_ref();
    let facts = customer.and_then(|customer| evidence.customers.get(customer));
    match (customer, facts) {
        (None, _) => needs.push("whose it is"),
        (Some(_), Some(facts)) if !facts.domains.is_empty() => {
            needs.push("a tenant with the customer's verified domain");
        }
        (Some(_), _) => needs.push("the customer's verified domain, and a tenant that has it"),
    }
    match needs.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{}, or {last}", rest.join(", ")),
        _ => needs.concat(),
    }
}
