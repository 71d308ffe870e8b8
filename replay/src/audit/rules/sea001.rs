//! SEA001: the agent service was not started.

use super::machine::{Machine, shown};
use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::subject::SubjectKind;

/// The agent has this long to start after the install.
pub(super) const START_HOURS: i64 = 7 * 24;

pub(super) const RULE: Rule = Rule {
    code: "SEA001",
    name: "agent service not started",
    severity: Severity::Medium,
    meaning: "Office is installed on the machine, and the service that revalidates its licence was not seen to start, or a revalidation failed because a component is missing. Without it the licence runs out after 30 days (R22).",
    needs: "a failure for want of a component; or the notifier or another component of the same machine, so that it is known that starts are reported",
    counter_evidence: "the machine was licensed, which the agent usually does",
    false_positives: "logs that begin after the agent started",
    compensation: "start or repair the service on the machine",
    parameters: &[Parameter {
        name: "START_HOURS",
        value: START_HOURS,
        unit: "hours",
        doc: "how long after the install a component may take to start",
    }],
    inputs: &[
        "OfficeInstalled.machine",
        "AgentStarted.machine",
        "NotifierStarted.machine",
        "RevalidationFailed.cause",
    ],
    check: Check::Subject(SubjectKind::Seat, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let machine = Machine::of(scene.subject, scene.events.iter().copied());
    let name = shown(scene.subject);
    let next = "start or repair the agent service on the machine";
    if let Some(missing) = machine.missing {
        let breach = Breach::new(scene.subject, missing.occurred_at, Severity::Medium, 900)
            .says(
                format!("{name} has no running component that could revalidate it."),
                next,
            )
            .key("component")
            .names(machine.tenant)
            .shows(
                missing,
                "the revalidation failed because a component is missing",
            );
        return Ok(vec![breach]);
    }
    if machine.agent.is_some() || machine.starts_every_time() {
        return Err(Silence("the agent was started"));
    }
    let installed = machine.installed.ok_or("no install is recorded")?;
    let other = machine.notifier.or(machine.component);
    let other = other.ok_or("no source tells of the components of this machine")?;
    if !scene.hours_since(installed.occurred_at.last(), START_HOURS) {
        return Err(Silence("it was installed less than a week ago"));
    }
    let mut breach = Breach::new(scene.subject, installed.occurred_at, Severity::Medium, 800)
        .says(format!("{name} never started its agent service."), next)
        .key("component")
        .names(machine.tenant)
        .shows(installed, "Office was installed")
        .shows(
            other,
            "the machine reports its components, and the agent is not among them",
        );
    if let Some((_, licensed)) = machine.licensed {
        breach = breach.against(licensed, "the machine was licensed all the same");
    }
    Ok(vec![breach])
}
