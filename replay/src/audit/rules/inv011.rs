//! INV011: a bypass that cannot have been one.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::Payload;
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "INV011",
    name: "bypass of an activated subscription or trial",
    severity: Severity::Medium,
    meaning: "A BPOS-S subscription was transitioned as bypassed although it had been activated, or was a trial. The bypass was for subscriptions that were bought and never activated (R3; invariant 11).",
    needs: "what the transition says of the subscription",
    counter_evidence: "none: what it rests on is the whole of it",
    false_positives: "exports that fill the columns with a default",
    compensation: "look up the old subscription; treat it as a transition with data if it was in use",
    parameters: &[],
    inputs: &[
        "BypassTransitioned.never_activated",
        "BypassTransitioned.trial",
    ],
    check: Check::Subject(SubjectKind::Agreement, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut silence = Silence("nothing was bypassed");
    for event in scene.events {
        let Payload::BypassTransitioned(bypass) = &event.payload else {
            continue;
        };
        let what = match (bypass.never_activated, bypass.trial) {
            (true, false) => {
                silence = Silence("what was bypassed had been bought and never activated");
                continue;
            }
            (_, true) => "was a trial",
            (false, false) => "had been activated",
        };
        let summary = format!(
            "Subscription {} was bypassed although it {what}.",
            bypass.bpos_subscription
        );
        let next = "look up the old subscription, and treat it as a transition with data";
        let breach = Breach::new(scene.subject, event.occurred_at, Severity::Medium, 900)
            .says(summary, next)
            .key(&bypass.bpos_subscription)
            .names([&bypass.bpos_subscription])
            .names(&bypass.tenant)
            .shows(event, format!("the subscription {what}"));
        return Ok(vec![breach]);
    }
    Err(silence)
}
