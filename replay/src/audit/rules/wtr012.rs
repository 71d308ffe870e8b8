//! WTR012: a new customer signed in.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::authority::belongs_to_customer;
use crate::audit::expectation::scenario;
use crate::audit::landing::LandingKind;
use ledger::event::word::Scenario;

pub(super) const RULE: Rule = Rule {
    code: "WTR012",
    name: "a new customer signed in",
    severity: Severity::Critical,
    meaning: "The customer was assessed as new: it never had a trial and never bought. It has no tenant to sign in to, so the tenant that its agreement is bound to is somebody else's.",
    needs: "the choice of Sign In; the scenario New; a tenant that nothing shows to be the customer's",
    counter_evidence: "the assessment was made after the choice",
    false_positives: "a wrong assessment: if the tenant is known to be the customer's own, by its domain, its owner or a trial, the rule is silent",
    compensation: "a new key or a remap to a new tenant; tell the owner of the tenant",
    parameters: &[],
    inputs: &[
        "SignInChosen.license_id",
        "ScenarioAssessed.scenario",
        "ServicesBoundToTenant.tenant",
        "ServicesBoundToTenant.basis",
        "TenantObserved.owner",
        "TenantObserved.domains",
        "TrialStarted.customer",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    let (landing, evidence) = (case.landing, case.evidence);
    if landing.kind != LandingKind::SignIn {
        return Err(Silence("Sign In was not chosen"));
    }
    case.must_not_be_as_expected()?;
    let assessed = scenario(landing, &case.basis()).ok_or("no scenario was assessed")?;
    if assessed.value.scenario != Scenario::New {
        return Err(Silence("the customer was not assessed as new"));
    }
    if belongs_to_customer(&landing.tenant, landing, evidence) {
        return Err(Silence(
            "the tenant is the customer's own: the assessment is wrong",
        ));
    }
    let mut hit = Hit::new(Severity::Critical, 900);
    let why = "the customer was new and had no tenant";
    hit.evidence.push((assessed.event, why.to_owned()));
    let choices = landing.agreement(evidence).map(|a| &a.choices);
    let choice = choices.and_then(|choices| choices.iter().rfind(|c| !c.value.sign_up));
    hit.evidence
        .extend(choice.map(|choice| (choice.event, "Sign In was chosen".to_owned())));
    if choice.is_some_and(|choice| assessed.from > choice.from) {
        let why = "the scenario was assessed after the choice";
        hit.counter_evidence.push((assessed.event, why.to_owned()));
    }
    Ok(hit)
}
