//! WTR024: credit on another customer's Azure subscription.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::landing::LandingKind;
use ledger::id::{CustomerId, EventId};
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    code: "WTR024",
    name: "credit on another customer's subscription",
    severity: Severity::Critical,
    meaning: "Prepaid Azure credit was added to an Azure subscription that belongs to another customer. Credit cannot be cancelled once it is activated, and what the other customer spends is gone.",
    needs: "the credit lot and its subscription; whose the subscription is, by earlier credit, by its agreement, or by the owner of its tenant",
    counter_evidence: "nothing lowers it",
    false_positives: "customers that belong together although nobody recorded it",
    compensation: "only what is unspent, through support; tell both customers at once",
    parameters: &[],
    inputs: &[
        "CreditLotActivated.azure_subscription",
        "CreditLotActivated.tenant",
        "CreditLotActivated.key",
        "SubscriptionStarted.license_id",
        "TenantObserved.owner",
        "TenantObserved.domains",
        "OrderPlaced.end_customer",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    let (landing, evidence) = (case.landing, case.evidence);
    if landing.kind != LandingKind::Credit {
        return Err(Silence("no credit was activated"));
    }
    case.must_not_be_as_expected()?;
    let customer = case.customer()?;
    let owners = owners(case);
    let related = |owner: &CustomerId| {
        evidence.belong_together(owner, customer, landing.at.start, case.cutoff)
    };
    if owners.keys().any(related) {
        return Err(Silence("the subscription is the customer's"));
    }
    let owner = owners.into_iter().max_by_key(|(_, why)| why.len());
    let (_, why) = owner.ok_or("whose the subscription is, is not known")?;
    let mut hit = Hit::new(Severity::Critical, 950);
    hit.evidence.extend(why);
    let name = evidence.customer_name(customer);
    hit.evidence.extend(
        case.customer_says()
            .map(|event| (event, format!("it was ordered for {name}"))),
    );
    Ok(hit)
}

/// Whose the Azure subscriptions of the landing are, each with the events that say so.
fn owners(case: &Case<'_>) -> BTreeMap<CustomerId, Vec<(EventId, String)>> {
    let (landing, evidence) = (case.landing, case.evidence);
    let mut owners: BTreeMap<CustomerId, Vec<(EventId, String)>> = BTreeMap::new();
    let of_tenant = evidence.owners_of(&landing.tenant, landing.cutoff(), case.cutoff);
    for (owner, why) in of_tenant {
        owners.entry(owner.clone()).or_default().extend(why);
    }
    for subscription in &landing.subscriptions {
        let facts = evidence.subscriptions.get(subscription);
        let earlier = facts
            .into_iter()
            .flat_map(|facts| &facts.lots)
            .filter(|lot| lot.from < landing.at.start && !landing.lots.contains(&lot.value.0));
        for lot in earlier {
            let agreement = lot
                .value
                .1
                .as_ref()
                .and_then(|l| evidence.agreements.get(l));
            if let Some(of) = agreement.and_then(|agreement| agreement.customer.as_ref()) {
                let name = evidence.customer_name(&of.value);
                let why = format!("{subscription} had credit of {name} before");
                owners
                    .entry(of.value.clone())
                    .or_default()
                    .push((lot.event, why));
            }
        }
    }
    owners
}
