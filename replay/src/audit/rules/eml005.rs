//! EML005: the activation mail came back.

use super::mail::Mail;
use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::event::Payload;
use ledger::subject::SubjectKind;

/// A mail that came back has this long to be sent again.
const BOUNCED_HOURS: i64 = 48;

pub(super) const RULE: Rule = Rule {
    code: "EML005",
    name: "activation mail came back",
    severity: Severity::High,
    meaning: "The activation mail could not be delivered, and was not sent again. Nobody has the link.",
    needs: "the bounce; no later delivery, no other mail and no landing",
    counter_evidence: "none: a delivery after the bounce makes the rule silent",
    false_positives: "mail systems that report a delay as a bounce",
    compensation: "correct the address on the agreement, and ask for the mail to be sent again in the same request",
    parameters: &[Parameter {
        name: "BOUNCED_HOURS",
        value: BOUNCED_HOURS,
        unit: "hours",
        doc: "how long a mail that came back may take to be sent again",
    }],
    inputs: &[
        "ActivationEmailBounced.message",
        "ActivationEmailDelivered.message",
        "ActivationEmailResent.original",
    ],
    check: Check::Subject(SubjectKind::Email, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mail = Mail::of(scene)?;
    mail.must_still_matter(scene)?;
    let mut bounced = None;
    for event in scene.events {
        if let Payload::ActivationEmailBounced(_) = &event.payload {
            bounced = Some(*event);
        } else if let Payload::ActivationEmailDelivered(_) = &event.payload {
            bounced = None;
        }
    }
    let bounced = bounced.ok_or("it did not come back")?;
    if !scene.hours_since(bounced.occurred_at.last(), BOUNCED_HOURS) {
        return Err(Silence("it came back only just now"));
    }
    let summary = format!(
        "The activation mail for agreement {} came back, and was not sent again.",
        mail.license
    );
    let next = "correct the contact's address, and ask for the mail to be sent again";
    let breach = Breach::new(scene.subject, bounced.occurred_at, Severity::High, 900)
        .says(summary, next)
        .names([&mail.license])
        .names(&mail.order)
        .shows(bounced, "the mail could not be delivered");
    Ok(vec![breach])
}
