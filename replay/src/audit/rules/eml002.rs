//! EML002: the activation mail is with somebody who is no longer the contact.

use super::mail::Mail;
use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload, subject_of};
use ledger::secret::PersonId;
use ledger::subject::SubjectKind;

/// A contact who was replaced after the mail went out has this long to be sent it again.
const RESEND_HOURS: i64 = 48;

pub(super) const RULE: Rule = Rule {
    code: "EML002",
    name: "mail sent to a replaced contact",
    severity: Severity::High,
    meaning: "The activation mail went to somebody who had been replaced as the contact, or who was replaced afterwards and nobody sent it again. A change of contact sends no mail by itself (R6), so the person who should activate has no link, and somebody who left has one.",
    needs: "the mail and its recipient; a change of contact that replaces that person; nothing activated since",
    counter_evidence: "the mail was forwarded to the new contact",
    false_positives: "changes that are recorded late, so that the mail seems to come after them; somebody who hands over one role and keeps another",
    compensation: "have the mail sent again to the present contact, and say so in the same request",
    parameters: &[Parameter {
        name: "RESEND_HOURS",
        value: RESEND_HOURS,
        unit: "hours",
        doc: "how long after a change the mail may take to be sent again",
    }],
    inputs: &[
        "ActivationEmailSent.recipient",
        "ActivationEmailResent.recipient",
        "ActivationEmailForwarded.to",
        "ContactChanged.old",
        "ContactChanged.new",
    ],
    check: Check::Subject(SubjectKind::Email, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mail = Mail::of(scene)?;
    mail.must_still_matter(scene)?;
    let recipient = scene.evidence.same_person(mail.recipient);
    let is_recipient = |person: Option<PersonId>| person.is_some_and(|p| recipient.contains(&p));
    let changes = scene.at.of(&subject_of(&mail.license)).filter_map(|event| {
        let Payload::ContactChanged(changed) = &event.payload else {
            return None;
        };
        let old = changed.old.as_ref().map(|person| person.id);
        let of_role = mail.role.is_none_or(|role| role == changed.role);
        let new = changed.new.as_ref().map(|person| person.id);
        (is_recipient(old) && of_role).then_some((event, new))
    });
    let (change, new) = changes.last().ok_or("its recipient was not replaced")?;
    let keeps = is_recipient(new) || is_contact_again(scene, &mail, change.occurred_at.start);
    if keeps {
        return Err(Silence("its recipient is a contact still"));
    }
    let before = change.occurred_at.certainly_before(mail.sent.occurred_at);
    if !before && !scene.hours_since(change.occurred_at.last(), RESEND_HOURS) {
        return Err(Silence("the contact changed only just now"));
    }
    let (sure, why) = match before {
        true => (900, "its recipient had been replaced before it was sent"),
        false => (
            800,
            "its recipient was replaced after it was sent, and it was not sent again",
        ),
    };
    let summary = format!(
        "The activation mail for agreement {} is with somebody who is no longer its contact.",
        mail.license
    );
    let next = "have the mail sent again to the present contact; a change alone sends nothing";
    let mut breach = Breach::new(scene.subject, mail.sent.occurred_at, Severity::High, sure)
        .says(summary, next)
        .names([&mail.license])
        .names(&mail.order)
        .shows(mail.sent, "the mail went to this person")
        .shows(change, why);
    if let Some(forward) = forwarded_to(scene, new) {
        breach = breach.against(forward, "it was forwarded to the new contact");
    }
    Ok(vec![breach])
}

fn forwarded_to<'s>(scene: &Scene<'s>, to: Option<PersonId>) -> Option<&'s Event> {
    let mut forwards = scene.events.iter().filter(|event| {
        matches!(&event.payload, Payload::ActivationEmailForwarded(forwarded)
            if to.is_some_and(|to| scene.evidence.is_same(forwarded.to.id, to)))
    });
    forwards.next().copied()
}

/// Whether the recipient became a contact again after an instant.
fn is_contact_again(scene: &Scene<'_>, mail: &Mail<'_>, since: ledger::time::Timestamp) -> bool {
    let mut events = scene.at.of(&subject_of(&mail.license));
    events.any(|event| {
        matches!(&event.payload, Payload::ContactChanged(changed)
            if event.occurred_at.start > since
                && changed.new.as_ref().is_some_and(|person| scene.evidence.is_same(person.id, mail.recipient)))
    })
}
