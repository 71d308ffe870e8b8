//! CHO001: a second choice.

use super::choice::choices;
use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "CHO001",
    name: "second choice for one activation",
    severity: Severity::High,
    meaning: "Sign In or Sign Up was chosen again although the activation had its choice. The choice is made once and cannot be undone (R8; invariant 1): the first stands, and what the second did has to be found out.",
    needs: "two choices of one activation, or through one link, that differ in what was chosen or in their sessions",
    counter_evidence: "none: two reports of one choice are one choice",
    false_positives: "systems that give one sign-in two session ids; orders that share an activation id",
    compensation: "find out where each choice led; only support can bind the agreement again",
    parameters: &[],
    inputs: &[
        "SignInChosen.activation",
        "SignInChosen.link",
        "SignInChosen.session",
        "SignUpChosen.activation",
        "SignUpChosen.link",
        "SignUpChosen.session",
    ],
    check: Check::Subject(SubjectKind::Agreement, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let choices = choices(scene);
    let mut breaches = Vec::new();
    for (index, second) in choices.iter().enumerate() {
        let before = choices.get(..index).unwrap_or_default();
        let mut same = before
            .iter()
            .filter(|one| one.is_of_same_activation(second));
        let Some(first) = same.next().filter(|first| !first.may_be_one_with(second)) else {
            continue;
        };
        let summary = format!(
            "{} was chosen for agreement {} although {} had been chosen before.",
            second.word(),
            second.license,
            first.word()
        );
        let next = "find out where each choice led; the first one stands";
        breaches.push(
            Breach::new(scene.subject, second.event.occurred_at, Severity::High, 950)
                .says(summary, next)
                .key(second.key())
                .shows(first.event, format!("{} was chosen", first.word()))
                .shows(second.event, format!("{} was chosen again", second.word())),
        );
    }
    match (breaches.is_empty(), choices.is_empty()) {
        (false, _) => Ok(breaches),
        (true, true) => Err(Silence("nobody chose")),
        (true, false) => Err(Silence("every activation has one choice")),
    }
}
