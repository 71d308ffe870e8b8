//! CHO002: a choice against the scenario, before anything was bound.

use super::choice::{Choice, choices};
use super::{Breach, Check, Rule, Scene, Severity, Silence};
use crate::audit::evidence::{Known, ScenarioFacts};
use ledger::event::word::Scenario;
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "CHO002",
    name: "choice against the scenario",
    severity: Severity::High,
    meaning: "Somebody chose the way that the customer's scenario rules out (R9): Sign In for a new customer or one that leaves its trial, Sign Up for one that keeps its trial or has a paid tenant. Nothing is bound yet, so there may be time to stop it.",
    needs: "the assessed scenario of the activation, and the choice; nothing landed yet",
    counter_evidence: "the scenario was assessed after the choice",
    false_positives: "scenarios that were assessed wrongly",
    compensation: "call support before the services are bound; afterwards only a remap helps",
    parameters: &[],
    inputs: &[
        "ScenarioAssessed.scenario",
        "SignInChosen.activation",
        "SignUpChosen.activation",
    ],
    check: Check::Subject(SubjectKind::Agreement, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut why = Silence("nobody chose");
    let mut breaches = Vec::new();
    for choice in choices(scene) {
        match judge(scene, &choice) {
            Ok(breach) => breaches.push(breach),
            Err(silence) => why = silence,
        }
    }
    if breaches.is_empty() {
        Err(why)
    } else {
        Ok(breaches)
    }
}

fn judge(scene: &Scene<'_>, choice: &Choice<'_>) -> Result<Breach, Silence> {
    let agreement = scene.evidence.agreements.get(choice.license);
    let scenarios = agreement.map_or(&[][..], |agreement| &agreement.scenarios);
    let of_this = |known: &&Known<ScenarioFacts>| {
        let other = known.value.activation.as_ref().zip(choice.activation);
        other.is_none_or(|(one, other)| one == other)
    };
    let scenario = scenarios.iter().rfind(of_this);
    let scenario = scenario.ok_or("no scenario was assessed")?;
    let demands = match (scenario.value.scenario, choice.sign_up) {
        (Scenario::New, false) => "the customer is new, which needs Sign Up",
        (Scenario::TrialFresh, false) => "the customer leaves its trial, which needs Sign Up",
        (Scenario::TrialRetain, true) => "the customer keeps its trial, which needs Sign In",
        (Scenario::ExistingPaid, true) => "the customer has a paid tenant, which needs Sign In",
        (Scenario::New | Scenario::TrialFresh, true)
        | (Scenario::TrialRetain | Scenario::ExistingPaid, false)
        | (Scenario::Bypass, _) => return Err(Silence("the scenario allows the choice")),
    };
    let landed = scene
        .others
        .of_agreement(choice.license)
        .any(|other| other.landing.cutoff() >= choice.event.occurred_at.start);
    if landed {
        return Err(Silence(
            "the services were bound, and the landing is judged",
        ));
    }
    let summary = format!(
        "{} was chosen for agreement {}, although {demands}.",
        choice.word(),
        choice.license
    );
    let next = "call support before the services are bound";
    let mut breach = Breach::new(scene.subject, choice.event.occurred_at, Severity::High, 950)
        .says(summary, next)
        .key(choice.key())
        .shows(choice.event, format!("{} was chosen", choice.word()));
    let exhibit = (scenario.event, demands.to_owned());
    if scenario.from > choice.event.occurred_at.last() {
        let late = "the scenario was assessed after the choice".to_owned();
        breach.hit.counter_evidence.push((scenario.event, late));
    }
    breach.hit.evidence.push(exhibit);
    Ok(breach)
}
