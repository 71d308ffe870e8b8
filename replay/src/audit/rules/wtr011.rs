//! WTR011: Sign In where Sign Up was right.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::authority::belongs_to_customer;
use crate::audit::expectation::scenario;
use crate::audit::landing::LandingKind;
use ledger::event::word::Scenario;

pub(super) const RULE: Rule = Rule {
    code: "WTR011",
    name: "Sign In where Sign Up was right",
    severity: Severity::High,
    meaning: "Sign In was chosen although a new tenant was to be made: the customer was new, or wanted to leave its trial behind. The agreement is bound to a tenant that is older than the customer's first order.",
    needs: "the choice; the assessed scenario; when the tenant came to be, and the customer's first order",
    counter_evidence: "the assessment was made after the choice",
    false_positives: "a new customer that forgot to say that it had a trial: if the tenant is known to be its own, the rule is silent",
    compensation: "remap to a fresh tenant; the data of the trial stays where it is",
    parameters: &[],
    inputs: &[
        "SignInChosen.license_id",
        "ScenarioAssessed.scenario",
        "ServicesBoundToTenant.tenant",
        "TenantCreated.tenant",
        "TenantObserved.created_on",
        "OrderPlaced.end_customer",
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
    let what = match assessed.value.scenario {
        Scenario::New if belongs_to_customer(&landing.tenant, landing, evidence) => {
            return Err(Silence("the tenant is the customer's own"));
        }
        Scenario::New => "the customer was new, which needs Sign Up",
        Scenario::TrialFresh => "the trial was to be left behind, which needs Sign Up",
        Scenario::TrialRetain | Scenario::Bypass | Scenario::ExistingPaid => {
            return Err(Silence("the scenario allows Sign In"));
        }
    };
    let first = landing
        .customer
        .as_ref()
        .and_then(|c| evidence.customers.get(c));
    let first = first.and_then(|facts| facts.first_order.as_ref());
    let first = first.ok_or("no order of the customer is known")?;
    let tenant = evidence.tenants.get(&landing.tenant);
    let created = tenant.into_iter().flat_map(|tenant| &tenant.created);
    let older = created
        .map(|created| {
            (
                created.value.on.map_or(created.from, |on| on.start()),
                created.event,
            )
        })
        .min();
    let (since, created) = older.ok_or("nothing says when the tenant came to be")?;
    if since >= first.from {
        return Err(Silence("the tenant is not older than the first order"));
    }
    let mut hit = Hit::new(Severity::High, 900);
    let name = case.tenant_name();
    hit.evidence.push((assessed.event, what.to_owned()));
    hit.evidence
        .push((created, format!("{name} came to be on {}", since.date())));
    hit.evidence.push((
        first.event,
        "this was the customer's first order".to_owned(),
    ));
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
