//! EML003: the activation mail was never opened.

use super::mail::Mail;
use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::subject::SubjectKind;

/// A mail may lie this long.
const UNOPENED_HOURS: i64 = 14 * 24;

pub(super) const RULE: Rule = Rule {
    code: "EML003",
    name: "activation mail never opened",
    severity: Severity::Medium,
    meaning: "The link of the activation mail was not opened for two weeks, and nothing was activated in another way. The customer pays for something that nobody can use.",
    needs: "the mail and its link; no opened link, no choice and no landing since. A portal that still says \"not activated\" makes it certain",
    counter_evidence: "none: the rule is silent as soon as anything came of the mail",
    false_positives: "sources that do not tell of opened links or redemptions; then confidence is weak",
    compensation: "ask the contact; have the mail sent again if it was lost",
    parameters: &[Parameter {
        name: "UNOPENED_HOURS",
        value: UNOPENED_HOURS,
        unit: "hours",
        doc: "how long a mail may lie unopened",
    }],
    inputs: &[
        "ActivationEmailSent.link",
        "ActivationLinkOpened.link",
        "ActivationStatusObserved.status",
    ],
    check: Check::Subject(SubjectKind::Email, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mail = Mail::of(scene)?;
    mail.must_still_matter(scene)?;
    if mail.link.is_none() {
        return Err(Silence("it has no link that could be opened"));
    }
    if mail.opened(scene).is_some() {
        return Err(Silence("its link was opened"));
    }
    let sent = mail.sent.occurred_at.last();
    if !scene.hours_since(sent, UNOPENED_HOURS) {
        return Err(Silence("it was sent less than two weeks ago"));
    }
    let status = mail.not_activated(scene, sent, UNOPENED_HOURS);
    let sure = if status.is_some() { 900 } else { 600 };
    let summary = format!(
        "Nobody opened the activation mail for agreement {}.",
        mail.license
    );
    let next = "ask the contact whether the mail arrived, and have it sent again";
    let mut breach = Breach::new(scene.subject, mail.sent.occurred_at, Severity::Medium, sure)
        .says(summary, next)
        .names([&mail.license])
        .names(&mail.order)
        .shows(mail.sent, "the mail was sent, and its link was not opened");
    if let Some(status) = status {
        breach = breach.shows(status, "the portal said that nothing was activated");
    }
    Ok(vec![breach])
}
