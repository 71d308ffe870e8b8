//! SEA002: the notifier was not started.

use super::machine::{Machine, shown};
use super::sea001::START_HOURS;
use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "SEA002",
    name: "notifier not started",
    severity: Severity::Medium,
    meaning: "The agent runs on the machine, and the notifier, which authenticates the user and tells of errors, was not seen to start. The user will not be asked to sign in again, and learns of a problem when Office is reduced.",
    needs: "the agent's start on the machine, so that it is known that starts are reported",
    counter_evidence: "the user was authenticated, which the notifier does",
    false_positives: "nobody signed in on the machine since the install; logs of the system that leave out those of the user",
    compensation: "start the notifier in the user's session",
    parameters: &[Parameter {
        name: "START_HOURS",
        value: START_HOURS,
        unit: "hours",
        doc: "how long after the agent the notifier may take to start",
    }],
    inputs: &[
        "AgentStarted.machine",
        "NotifierStarted.machine",
        "UserAuthenticated.machine",
    ],
    check: Check::Subject(SubjectKind::Seat, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let machine = Machine::of(scene.subject, scene.events.iter().copied());
    let agent = machine.agent.ok_or("the agent was not started either")?;
    if machine.notifier.is_some() || machine.notifies_every_time() {
        return Err(Silence("the notifier was started"));
    }
    if !scene.hours_since(agent.occurred_at.last(), START_HOURS) {
        return Err(Silence("the agent was started less than a week ago"));
    }
    let summary = format!(
        "{} runs the agent without its notifier.",
        shown(scene.subject)
    );
    let next = "start the notifier in the user's session";
    let mut breach = Breach::new(scene.subject, agent.occurred_at, Severity::Medium, 800)
        .says(summary, next)
        .key("component")
        .names(machine.tenant)
        .shows(agent, "the agent was started, and the notifier was not");
    let authenticated = scene.events.iter().find(|event| {
        matches!(event.payload, ledger::event::Payload::UserAuthenticated(_))
            && event.occurred_at.start >= agent.occurred_at.start
    });
    if let Some(event) = authenticated {
        breach = breach.against(event, "the user was authenticated all the same");
    }
    Ok(vec![breach])
}
