//! INV010: a trial that moved.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::Payload;
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "INV010",
    name: "kept trial in another tenant",
    severity: Severity::High,
    meaning: "The trial was converted with its data kept, and the paid subscription is in another tenant than the trial was. Data and initial domain stay where they are (R9; invariant 10), so one of both is recorded wrongly or the customer lost its data.",
    needs: "the beginning of the trial, and a conversion that keeps the data",
    counter_evidence: "none: what it rests on is the whole of it",
    false_positives: "trials that are recorded under a name that the tenant had before",
    compensation: "ask the customer where its data is; remap if it is the other tenant",
    parameters: &[],
    inputs: &[
        "TrialStarted.tenant",
        "TrialConverted.tenant",
        "TrialConverted.retain",
    ],
    check: Check::Subject(SubjectKind::Subscription, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut started = None;
    for event in scene.events {
        if let Payload::TrialStarted(trial) = &event.payload {
            started = Some((*event, &trial.tenant));
        } else if let Payload::TrialConverted(converted) = &event.payload
            && converted.retain
        {
            let (start, tenant) = started.ok_or("the beginning of the trial is not recorded")?;
            if *tenant == converted.tenant {
                return Err(Silence("the trial stayed in its tenant"));
            }
            let (old, new) = (
                scene.evidence.tenant_name(tenant),
                scene.evidence.tenant_name(&converted.tenant),
            );
            let summary = format!("The trial in {old} was to be kept, and {new} has it now.");
            let next = "ask the customer where its data is";
            let breach = Breach::new(scene.subject, event.occurred_at, Severity::High, 900)
                .says(summary, next)
                .names([tenant, &converted.tenant])
                .names(&converted.license_id)
                .shows(start, format!("the trial began in {old}"))
                .shows(
                    event,
                    format!("it was converted, with its data kept, in {new}"),
                );
            return Ok(vec![breach]);
        }
    }
    Err(Silence("no trial was converted with its data kept"))
}
