//! INV009: a mail that a change of contact is said to have caused.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload, subject_of};
use ledger::id::LicenseId;
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "INV009",
    name: "mail caused by a change of contact",
    severity: Severity::Medium,
    meaning: "A source says that a change of contact caused an activation mail. A change sends no mail by itself (R6; invariant 9): either somebody asked for it, and that is not recorded, or the importer joined what does not belong together.",
    needs: "the cause that the mail names",
    counter_evidence: "none: what it rests on is the whole of it",
    false_positives: "importers that write the last change as the cause",
    compensation: "look at the import; record the request if there was one",
    parameters: &[],
    inputs: &[
        "ActivationEmailSent.message",
        "ActivationEmailResent.message",
        "ContactChanged.license_id",
    ],
    check: Check::Subject(SubjectKind::Email, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mail = scene.events.iter().find_map(|event| {
        if let Payload::ActivationEmailSent(sent) = &event.payload {
            return caused(scene, event, &sent.license_id);
        }
        if let Payload::ActivationEmailResent(again) = &event.payload {
            return caused(scene, event, again.license_id.as_ref()?);
        }
        None
    });
    let (event, change, license) = mail.ok_or("it names no change of contact as its cause")?;
    let summary = format!("A mail for agreement {license} names a change of contact as its cause.");
    let next = "look at the import, and record the request for the mail if there was one";
    let breach = Breach::new(scene.subject, event.occurred_at, Severity::Medium, 900)
        .says(summary, next)
        .names([license])
        .shows(event, "the mail names its cause")
        .shows(change, "the contact was changed");
    Ok(vec![breach])
}

fn caused<'s>(
    scene: &Scene<'s>,
    mail: &'s Event,
    license: &'s LicenseId,
) -> Option<(&'s Event, &'s Event, &'s LicenseId)> {
    let cause = mail.causation.as_ref()?;
    let mut changes = scene
        .at
        .of(&subject_of(license))
        .filter(|event| matches!(event.payload, Payload::ContactChanged(_)) && cause.names(event));
    changes.next().map(|change| (mail, change, license))
}
