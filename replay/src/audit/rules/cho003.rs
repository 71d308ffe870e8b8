//! CHO003: a choice that led to nothing.

use super::choice::choices;
use super::mail::not_activated;
use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::event::Payload;
use ledger::subject::SubjectKind;

/// Portals may lag this far behind (R16, P4).
const BINDING_HOURS: i64 = 48;

pub(super) const RULE: Rule = Rule {
    code: "CHO003",
    name: "choice without a binding",
    severity: Severity::Medium,
    meaning: "Sign In or Sign Up was chosen, and two days later no source says that the services were bound to a tenant. The customer believes that it is done, and cannot choose again.",
    needs: "the choice; no binding, redemption or assignment of the agreement since. A portal that still says \"not activated\" makes it certain",
    counter_evidence: "none: any landing of the agreement makes the rule silent",
    false_positives: "sources that do not tell of bindings; then confidence is weak",
    compensation: "ask support which tenant the choice led to",
    parameters: &[Parameter {
        name: "BINDING_HOURS",
        value: BINDING_HOURS,
        unit: "hours",
        doc: "how long after the choice the binding may take to be seen",
    }],
    inputs: &[
        "SignInChosen.license_id",
        "SignUpChosen.license_id",
        "ServicesBoundToTenant.license_id",
        "ActivationStatusObserved.status",
    ],
    check: Check::Subject(SubjectKind::Agreement, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut choices = choices(scene);
    let choice = choices.pop().ok_or("nobody chose")?;
    let chosen = choice.event.occurred_at;
    let landed = scene
        .others
        .of_agreement(choice.license)
        .any(|other| other.landing.cutoff() >= chosen.start);
    let moved = scene.events.iter().any(|event| {
        event.occurred_at.last() >= chosen.start
            && matches!(
                event.payload,
                Payload::TenantRemapped(_) | Payload::OrderCancelled(_) | Payload::OrderReturned(_)
            )
    });
    if landed || moved {
        return Err(Silence("the services were bound, or the order is gone"));
    }
    if !scene.hours_since(chosen.last(), BINDING_HOURS) {
        return Err(Silence("the choice is less than two days old"));
    }
    let status = not_activated(scene, choice.license, chosen.last(), BINDING_HOURS);
    let sure = if status.is_some() { 900 } else { 600 };
    let summary = format!(
        "{} was chosen for agreement {}, and nothing was bound since.",
        choice.word(),
        choice.license
    );
    let next = "ask support which tenant the choice led to";
    let mut breach = Breach::new(scene.subject, chosen, Severity::Medium, sure)
        .says(summary, next)
        .key(choice.key())
        .shows(choice.event, format!("{} was chosen", choice.word()));
    if let Some(status) = status {
        breach = breach.shows(status, "the portal said that nothing was activated");
    }
    Ok(vec![breach])
}
