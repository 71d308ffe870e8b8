//! WTR008: one key, two tenants.

use super::{Case, Check, Hit, Rule, Severity, Silence};

pub(super) const RULE: Rule = Rule {
    code: "WTR008",
    name: "one key, two tenants",
    severity: Severity::High,
    meaning: "A key that was redeemed in this tenant was redeemed, or tried, in another one too. Somebody is looking for the key: usually the first tenant is the wrong one.",
    needs: "the same key being redeemed twice, or being refused as used already while signed in to another tenant",
    counter_evidence: "the landing is where it was expected; then the attempt elsewhere is the mistake, and nothing landed there",
    false_positives: "a retry in the same tenant, which is passed over",
    compensation: "ask the contact of the second tenant; if the first is wrong, reverse and reissue",
    parameters: &[],
    inputs: &[
        "KeyRejected.key",
        "KeyRejected.code",
        "KeyRejected.tenant",
        "KeysRedeemed.keys",
        "KeysRedeemed.tenant",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    case.must_not_be_as_expected()?;
    let landing = case.landing;
    let mut keys = landing.keys.iter();
    let earlier = keys.any(|key| {
        let mut others = case.others.of_key(key).map(|judged| judged.landing);
        others.any(|other| other.at.start < landing.at.start && other.tenant != landing.tenant)
    });
    if earlier && !case.is_elsewhere() {
        return Err(Silence("the finding about its first redemption says so"));
    }
    let sure = if case.is_elsewhere() { 900 } else { 500 };
    let mut hit = Hit::new(Severity::High, sure);
    for key in &landing.keys {
        let facts = case.evidence.keys.get(key);
        for refused in facts.into_iter().flat_map(|facts| &facts.refused_as_used) {
            let Some(tenant) = refused.value.as_ref().filter(|t| **t != landing.tenant) else {
                continue;
            };
            let tenant = case.evidence.tenant_name(tenant);
            let why = format!("key …{} was refused as used already in {tenant}", key.last5);
            hit.evidence.push((refused.event, why));
        }
        let others = case.others.of_key(key).map(|judged| judged.landing);
        let twice = others.filter(|other| other.id != landing.id && other.tenant != landing.tenant);
        for other in twice {
            let tenant = case.evidence.tenant_name(&other.tenant);
            let why = format!("key …{} was redeemed in {tenant} as well", key.last5);
            hit.evidence
                .extend(other.events.iter().map(|event| (*event, why.clone())));
        }
    }
    match hit.evidence.is_empty() {
        true => Err(Silence("its keys are known in no other tenant")),
        false => Ok(hit),
    }
}
