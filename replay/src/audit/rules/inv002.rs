//! INV002: a License ID in two tenants.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::subject::SubjectKind;
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    code: "INV002",
    name: "License ID in two tenants",
    severity: Severity::High,
    meaning: "The License ID reaches two tenants at the same time, and no rule says which landing is wrong: the binding is contested. One License ID belongs to one tenant, and only a remap changes that (invariant 2; E1).",
    needs: "two landings of one agreement in different tenants, neither reversed nor moved, neither accused",
    counter_evidence: "none: what it rests on is the whole of it",
    false_positives: "registrations of two agreements under one License ID",
    compensation: "ask the contacts of both tenants which one was meant; then remap or reverse the other",
    parameters: &[],
    inputs: &[
        "KeysRedeemed.tenant",
        "ServicesBoundToTenant.tenant",
        "ServicesAutoAssigned.tenant",
        "TenantRemapped.pcn",
        "RedemptionReversed.redemption",
    ],
    check: Check::Subject(SubjectKind::Agreement, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let license = ledger::id::LicenseId::new(&scene.subject.id);
    let license = license.map_err(|_| Silence("its License ID cannot be read"))?;
    let mut tenants = BTreeMap::new();
    for judged in scene.others.of_agreement(&license) {
        if judged.accused {
            return Err(Silence("a landing of it has a finding, which says more"));
        }
        if let Some(tenant) = judged.landing.present_tenant() {
            let of = tenants.entry(tenant).or_insert_with(Vec::new);
            of.push(judged.landing);
        }
    }
    let last = tenants
        .values()
        .flatten()
        .max_by_key(|landing| landing.at.start);
    let (true, Some(last)) = (tenants.len() > 1, last) else {
        return Err(Silence("it is in no more than one tenant"));
    };
    let names: Vec<String> = tenants
        .keys()
        .map(|t| scene.evidence.tenant_name(t))
        .collect();
    let summary = format!(
        "Agreement {license} is in {} at the same time.",
        names.join(" and ")
    );
    let next = "ask the contacts of the tenants which one was meant";
    let mut breach = Breach::new(scene.subject, last.at, Severity::High, 800)
        .says(summary, next)
        .names(tenants.keys().copied());
    for (tenant, landings) in &tenants {
        let why = format!("it reached {}", scene.evidence.tenant_name(tenant));
        let events = landings.iter().flat_map(|landing| &landing.events);
        let shown = events.map(|event| (*event, why.clone()));
        breach.hit.evidence.extend(shown);
    }
    Ok(vec![breach])
}
