//! EML004: the activation link expired before anybody used it.

use super::mail::Mail;
use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload};
use ledger::subject::SubjectKind;
use ledger::time::Date;

pub(super) const RULE: Rule = Rule {
    code: "EML004",
    name: "activation link expired",
    severity: Severity::High,
    meaning: "The link in the activation mail has expired, and nothing was activated. It works again only if support reactivates it (P4).",
    needs: "the link's last day, or a source that calls it expired; no choice, no landing and no reactivation since",
    counter_evidence: "somebody opened the link while it was valid",
    false_positives: "sources that do not tell of redemptions",
    compensation: "ask support to reactivate the link, or to send the mail again",
    parameters: &[],
    inputs: &[
        "ActivationEmailSent.link_expires",
        "ActivationLinkExpired.link",
        "ActivationLinkReactivated.link_expires",
        "ActivationLinkOpened.link",
    ],
    check: Check::Subject(SubjectKind::Email, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mail = Mail::of(scene)?;
    mail.must_still_matter(scene)?;
    let mut last: (Option<Date>, &Event) = (mail.expires, mail.sent);
    let mut expired: Option<&Event> = None;
    for event in mail.of_link(scene) {
        if let Payload::ActivationLinkExpired(_) = &event.payload {
            expired = Some(event);
        } else if let Payload::ActivationLinkReactivated(again) = &event.payload {
            expired = None;
            last = (again.link_expires, event);
        }
    }
    let over = last.0.filter(|day| scene.evidence.is_over(*day));
    let (shown, why) = match (expired, over) {
        (Some(event), _) => (event, "the link expired".to_owned()),
        (None, Some(day)) => (last.1, format!("the last day of the link was {day}")),
        (None, None) => return Err(Silence("its link has not expired")),
    };
    let summary = format!(
        "The activation link for agreement {} expired before anything was activated.",
        mail.license
    );
    let next = "ask support to reactivate the link, or to send the mail again";
    let mut breach = Breach::new(scene.subject, mail.sent.occurred_at, Severity::High, 800)
        .says(summary, next)
        .names([&mail.license])
        .names(&mail.order)
        .shows(shown, why);
    if let Some(opened) = mail.opened(scene) {
        breach = breach.against(opened, "somebody opened the link before");
    }
    Ok(vec![breach])
}
