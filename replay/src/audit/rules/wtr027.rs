//! WTR027: signed in to the wrong tenant.

use super::{Case, Check, Hit, Parameter, Rule, Severity, Silence};
use crate::audit::expectation::scenario;
use crate::audit::landing::LandingKind;
use ledger::event::word::{CasePurpose, Scenario};

const CASE_BEFORE_DAYS: i64 = 14;

pub(super) const RULE: Rule = Rule {
    code: "WTR027",
    name: "signed in to the wrong tenant",
    severity: Severity::Critical,
    meaning: "Sign In was right, but the account belonged to another tenant than the customer's trial or paid one: the agreement is bound to that tenant now.",
    needs: "the choice of Sign In; the scenario (a trial to keep, a paid tenant, or a bypass); the trial's or known tenant. A support case to recover credentials just before is further evidence",
    counter_evidence: "nothing of its own lowers it",
    false_positives: "a customer with several tenants who meant another one than the assessment names",
    compensation: "remap the agreement to the trial's or known tenant",
    parameters: &[Parameter {
        name: "case_before_days",
        value: CASE_BEFORE_DAYS,
        unit: "days",
        doc: "how long before the landing a support case about credentials may have been opened",
    }],
    inputs: &[
        "SignInChosen.license_id",
        "ScenarioAssessed.scenario",
        "ScenarioAssessed.trial_tenant",
        "TrialStarted.tenant",
        "ServicesBoundToTenant.tenant",
        "ServicesBoundToTenant.basis",
        "CaseOpened.purpose",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    let landing = case.landing;
    if landing.kind != LandingKind::SignIn {
        return Err(Silence("nobody signed in"));
    }
    case.must_be_elsewhere()?;
    let assessed = scenario(landing, &case.basis());
    let assessed = assessed.ok_or("no scenario was assessed")?;
    let what = match assessed.value.scenario {
        Scenario::TrialRetain => "the customer was to keep its trial",
        Scenario::ExistingPaid => "the customer has a paid tenant",
        Scenario::Bypass => "the customer was bypassed and has a tenant",
        Scenario::New | Scenario::TrialFresh => {
            return Err(Silence("the scenario demands Sign Up"));
        }
    };
    let mut hit = Hit::new(Severity::Critical, 950);
    hit.evidence.push((assessed.event, what.to_owned()));
    let agreement = landing.agreement(case.evidence);
    let choices = agreement.map_or(&[][..], |agreement| &agreement.choices);
    let choice = choices.iter().rfind(|choice| !choice.value.sign_up);
    hit.evidence
        .extend(choice.map(|choice| (choice.event, "Sign In was chosen".to_owned())));
    let tenant = case.evidence.tenant_name(&landing.tenant);
    for event in &landing.events {
        hit.evidence
            .push((*event, format!("the agreement was bound to {tenant}")));
    }
    let earliest = landing.at.start.plus_days(-CASE_BEFORE_DAYS);
    let cases = agreement.map_or(&[][..], |agreement| &agreement.cases);
    let credentials = cases.iter().rfind(|opened| {
        let before = opened.from >= earliest && opened.from <= landing.cutoff();
        before && opened.value == CasePurpose::Credentials
    });
    let why = "support was asked for credentials just before";
    hit.evidence
        .extend(credentials.map(|opened| (opened.event, why.to_owned())));
    Ok(hit)
}
