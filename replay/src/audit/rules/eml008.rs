//! EML008: the data of a trial was deleted unannounced.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload};
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "EML008",
    name: "trial data deleted without advice",
    severity: Severity::High,
    meaning: "The data of a trial was deleted, and no source says that the customer had been advised before, or the deletion came before the day that was announced (R11). Whoever wanted to keep the trial lost it.",
    needs: "the deletion; the advice, if there was any, certainly not after it",
    counter_evidence: "the trial was left behind by choice: then nobody misses the data",
    false_positives: "notices that are outside of the record, as any mail can be",
    compensation: "ask the vendor for the notice; if there was none, ask whether the data can be restored",
    parameters: &[],
    inputs: &[
        "TrialDataDeleted.subscription",
        "TrialDeletionAdvised.delete_on",
        "TrialAbandoned.subscription",
    ],
    check: Check::Subject(SubjectKind::Subscription, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let is_deletion = |event: &&&Event| matches!(event.payload, Payload::TrialDataDeleted(_));
    let deleted = scene.events.iter().find(is_deletion);
    let deleted = *deleted.ok_or("no data of a trial was deleted")?;
    let mut advised = None;
    let mut abandoned = None;
    for event in scene.events {
        let possible = !deleted.occurred_at.certainly_before(event.occurred_at);
        if let Payload::TrialDeletionAdvised(advice) = &event.payload
            && possible
        {
            advised = Some((*event, advice.delete_on));
        } else if let Payload::TrialAbandoned(_) = &event.payload {
            abandoned = Some(*event);
        }
    }
    let on = deleted.occurred_at.last().date();
    let (shown, what) = match advised {
        Some((_, day)) if day <= on => {
            return Err(Silence("it was announced for that day or before"));
        }
        Some((advice, day)) => (
            Some(advice),
            format!("before {day}, the day that was announced"),
        ),
        None => (None, "and nobody had been advised".to_owned()),
    };
    let summary = format!(
        "The data of trial {} was deleted on {on}, {what}.",
        scene.subject.id
    );
    let next = "ask the vendor for the notice, and whether the data can be restored";
    let mut breach = Breach::new(scene.subject, deleted.occurred_at, Severity::High, 800)
        .says(summary, next)
        .shows(deleted, "the data was deleted");
    if let Payload::TrialDataDeleted(gone) = &deleted.payload {
        breach = breach.names([&gone.tenant]);
    }
    if let Some(advice) = shown {
        breach = breach.shows(advice, "another day had been announced");
    }
    if let Some(left) = abandoned {
        breach = breach.against(left, "the trial had been left behind by choice");
    }
    Ok(vec![breach])
}
