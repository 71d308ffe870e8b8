//! WTR017: a personal account, or another cloud.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::authority::home_tenant;
use crate::audit::expectation::is_in_another_cloud;
use ledger::event::word::Cloud;
use ledger::id::TenantId;

/// The tenant that all personal accounts are at home in, as the vendor documents it.
const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

pub(super) const RULE: Rule = Rule {
    code: "WTR017",
    name: "a personal account, or another cloud",
    severity: Severity::High,
    meaning: "It was done while signed in with a personal account, or it reached a tenant in another cloud than the agreement is for. Clouds never share tenants or licences.",
    needs: "the home tenant of the session; or the cloud of the agreement and that of the tenant",
    counter_evidence: "the person also administers the tenant, as a guest does",
    false_positives: "a guest with a personal account in the right tenant: then it is where it was expected and the rule is silent",
    compensation: "reissue into the right cloud, in a private window, with a work account",
    parameters: &[],
    inputs: &[
        "SessionStarted.home_tenant",
        "TenantObserved.cloud",
        "AgreementSigned.cloud",
        "KeysRedeemed.tenant",
        "ServicesBoundToTenant.tenant",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    case.must_not_be_as_expected()?;
    let (landing, evidence) = (case.landing, case.evidence);
    let mut hit = Hit::new(Severity::High, 950);
    let name = case.tenant_name();
    if is_personal(case, &landing.tenant) {
        hit.landed(case, "it reached the tenant of personal accounts");
    }
    let home = home_tenant(landing, evidence);
    let start = landing
        .session
        .as_ref()
        .and_then(|s| evidence.session_start(s));
    if let (Some(start), Some(home)) = (start, home)
        && is_personal(case, home)
    {
        let why = "the session was that of a personal account";
        hit.evidence.push((start.event, why.to_owned()));
        let roles = evidence
            .tenants
            .get(&landing.tenant)
            .map(|tenant| &tenant.roles);
        let own = roles.into_iter().flatten().find(|role| {
            let held = role.held(landing.at.start, landing.cutoff(), case.cutoff);
            held && role.may_redeem() && landing.persons.contains(&role.value.user)
        });
        hit.counter_evidence
            .extend(own.map(|role| (role.event, format!("that account administers {name}"))));
    }
    let tenant = evidence.tenants.get(&landing.tenant);
    let tenant = tenant.filter(|tenant| is_in_another_cloud(tenant, landing, &case.basis()));
    let cloud = tenant.and_then(|tenant| tenant.cloud.as_ref());
    let wanted = landing.agreement(evidence).and_then(|a| a.cloud.as_ref());
    if let (Some(cloud), Some(wanted)) = (cloud, wanted) {
        let (is, meant) = (words(cloud.value), words(wanted.value));
        hit.evidence
            .push((cloud.event, format!("{name} is in {is}")));
        hit.evidence
            .push((wanted.event, format!("the agreement is for {meant}")));
    }
    match hit.evidence.is_empty() {
        true => Err(Silence(
            "neither a personal account nor another cloud is known",
        )),
        false => Ok(hit),
    }
}

/// Whether a tenant is the one of personal accounts.
fn is_personal(case: &Case<'_>, tenant: &TenantId) -> bool {
    let cloud = case
        .evidence
        .tenants
        .get(tenant)
        .and_then(|facts| facts.cloud.as_ref());
    tenant.as_str().eq_ignore_ascii_case(PERSONAL_ACCOUNTS)
        || cloud.is_some_and(|cloud| cloud.value == Cloud::Consumer)
}

fn words(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Public => "the worldwide cloud",
        Cloud::GovernmentHigh => "the government cloud",
        Cloud::China => "the cloud in China",
        Cloud::Consumer => "the cloud of personal accounts",
    }
}
