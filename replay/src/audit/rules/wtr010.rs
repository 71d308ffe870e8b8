//! WTR010: Sign Up where Sign In was right.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::expectation::{had_tenant, scenario, trials};
use crate::audit::landing::LandingKind;
use ledger::event::word::Scenario;
use ledger::id::EventId;

pub(super) const RULE: Rule = Rule {
    code: "WTR010",
    name: "Sign Up where Sign In was right",
    severity: Severity::High,
    meaning: "Sign Up was chosen although the customer has a trial to keep or a paid tenant already. The choice cannot be taken back: there is a second tenant now, and the data is in the first.",
    needs: "the choice; the assessed scenario, or a tenant with the customer's domain or a live trial of the same contact before the choice",
    counter_evidence: "the assessment was made after the choice",
    false_positives: "a trial left behind or a bypass by intent: then the assessment says so and the rule is silent",
    compensation: "bind the agreement to the original tenant by a remap; retire the new tenant; no data moves",
    parameters: &[],
    inputs: &[
        "SignUpChosen.license_id",
        "ScenarioAssessed.scenario",
        "ScenarioAssessed.trial_tenant",
        "TrialStarted.customer",
        "TrialStarted.contact",
        "TrialStarted.ends",
        "CustomerRegistered.verified_domains",
        "DomainVerified.domain",
        "TenantObserved.domains",
        "ServicesBoundToTenant.basis",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    let landing = case.landing;
    if landing.kind != LandingKind::SignUp {
        return Err(Silence("nobody signed up"));
    }
    case.must_not_be_as_expected()?;
    let basis = case.basis();
    let agreement = landing.agreement(case.evidence);
    let choices = agreement.map_or(&[][..], |agreement| &agreement.choices);
    let choice = choices.iter().rfind(|choice| choice.value.sign_up);
    let mut hit = Hit::new(Severity::High, 950);
    let assessed = scenario(landing, &basis);
    match assessed.map(|known| known.value.scenario) {
        Some(Scenario::New | Scenario::TrialFresh | Scenario::Bypass) => {
            return Err(Silence("the scenario allows Sign Up"));
        }
        Some(Scenario::TrialRetain) => {
            let event = assessed.map(|known| known.event);
            let why = "the customer was to keep its trial, which needs Sign In";
            hit.evidence
                .extend(event.map(|event| (event, why.to_owned())));
        }
        Some(Scenario::ExistingPaid) => {
            let event = assessed.map(|known| known.event);
            let why = "the customer has a paid tenant already, which needs Sign In";
            hit.evidence
                .extend(event.map(|event| (event, why.to_owned())));
        }
        None => {
            hit.evidence = forgotten(case);
            if hit.evidence.is_empty() {
                return Err(Silence("no tenant or trial of the customer is known"));
            }
        }
    }
    hit.evidence
        .extend(choice.map(|choice| (choice.event, "Sign Up was chosen".to_owned())));
    if let (Some(assessed), Some(choice)) = (assessed, choice)
        && assessed.from > choice.from
    {
        let why = "the scenario was assessed after the choice";
        hit.counter_evidence.push((assessed.event, why.to_owned()));
    }
    Ok(hit)
}

/// What the customer had although nobody assessed it: a live trial, or a tenant with its domain.
fn forgotten(case: &Case<'_>) -> Vec<(EventId, String)> {
    let basis = case.basis();
    let on = case.landing.at.start.date();
    let live = trials(case.landing, &basis)
        .into_iter()
        .rfind(|trial| trial.value.ends >= on);
    let trial = live.map(|trial| {
        let tenant = case.evidence.tenant_name(&trial.value.tenant);
        let why = format!("a trial of the customer was running in {tenant}");
        (trial.event, why)
    });
    let why = "a tenant with the customer's verified domain existed already";
    let had = had_tenant(case.landing, &basis).into_iter();
    trial
        .into_iter()
        .chain(had.map(|event| (event, why.to_owned())))
        .collect()
}
