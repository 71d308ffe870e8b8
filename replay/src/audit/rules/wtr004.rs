//! WTR004: done by somebody who does not administer the tenant.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::authority::administers;
use crate::audit::landing::LandingKind;

pub(super) const RULE: Rule = Rule {
    code: "WTR004",
    name: "done by no administrator of the tenant",
    severity: Severity::High,
    meaning: "Whoever redeemed or chose held no global or billing administrator role in the tenant at that time, by the roles on record, had no live delegation, and did not create the tenant (invariant 5). If the licences are where they were expected, the manner is wrong and not the tenant.",
    needs: "an expected tenant, so that the landing is judged at all; who did it; an administrator of the tenant on record",
    counter_evidence: "the person held such a role in the tenant at another time",
    false_positives: "a role that is active for an hour only (privileged identity management); a role log with gaps; another address of the same person. Without any administrator on record the rule is silent",
    compensation: "ask the Online Services Manager or primary contact and an administrator of the tenant; if they refuse, reverse and reissue, or remap",
    parameters: &[],
    inputs: &[
        "TenantRoleAssigned.user",
        "TenantRoleAssigned.role",
        "TenantRoleAssigned.until",
        "TenantRoleRemoved.user",
        "DelegatedAdminGranted.roles",
        "DelegatedAdminGranted.partner_tenant",
        "DelegatedAdminRevoked.partner_tenant",
        "SessionStarted.home_tenant",
        "TenantCreated.session",
        "OnlineServicesIdAdded.user",
        "KeysRedeemed.redeemer",
        "SignInChosen.principal",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    let (landing, evidence) = (case.landing, case.evidence);
    case.must_be_judged()?;
    if landing.persons.is_empty() || landing.kind == LandingKind::AutoAssignment {
        return Err(Silence("no source says who did it"));
    }
    match administers(landing, evidence) {
        None => return Err(Silence("no administrator of the tenant is on record")),
        Some(true) => return Err(Silence("who did it had authority over the tenant")),
        Some(false) => {}
    }
    let tenant = evidence.tenants.get(&landing.tenant);
    let roles = tenant.into_iter().flat_map(|tenant| &tenant.roles);
    let roles: Vec<_> = roles.filter(|role| role.may_redeem()).collect();
    let (start, last) = (landing.at.start, landing.cutoff());
    let mut hit = match case.is_elsewhere() {
        true => Hit::new(Severity::High, 900),
        false => Hit::of_manner(Severity::High, 900),
    };
    let name = case.tenant_name();
    let other = roles
        .iter()
        .rfind(|role| role.held(start, last, Some(last)));
    hit.evidence
        .extend(other.map(|role| (role.event, format!("somebody else administers {name}"))));
    hit.landed(
        case,
        "who did it is no administrator of the tenant on record",
    );
    let once = roles
        .iter()
        .find(|role| landing.persons.contains(&role.value.user));
    hit.counter_evidence.extend(once.map(|role| {
        let why = "who did it held an administrator's role there at another time";
        (role.event, why.to_owned())
    }));
    Ok(hit)
}
