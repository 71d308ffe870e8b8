//! REV002: many machines of a tenant failed together.

use super::fleet::{Fleet, INCIDENT_HOURS, INCIDENT_MACHINES};
use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::subject::{Subject, SubjectKind};
use std::collections::BTreeSet;

pub(super) const RULE: Rule = Rule {
    code: "REV002",
    name: "revalidation incident",
    severity: Severity::High,
    meaning: "Five or more machines of one tenant failed to revalidate within a day, for a cause outside the machines. That is one incident of the service or the network, not a problem of each machine.",
    needs: "the failures of the tenant's machines, with their causes",
    counter_evidence: "every machine revalidated afterwards: then it is over",
    false_positives: "an office that was closed, with all its machines offline",
    compensation: "ask the service and the network for the reason; the machines recover by themselves once it is gone",
    parameters: &[
        Parameter {
            name: "INCIDENT_MACHINES",
            value: INCIDENT_MACHINES as i64,
            unit: "machines",
            doc: "how many machines that fail together are an incident",
        },
        Parameter {
            name: "INCIDENT_HOURS",
            value: INCIDENT_HOURS,
            unit: "hours",
            doc: "how close failures are that belong together",
        },
    ],
    inputs: &["RevalidationFailed.cause", "SeatRevalidated.machine"],
    check: Check::Subject(SubjectKind::Tenant, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let fleet = Fleet::of(scene);
    let tenant = ledger::id::TenantId::new(&scene.subject.id);
    let name = tenant.map_or_else(
        |_| scene.subject.id.clone(),
        |tenant| scene.evidence.tenant_name(&tenant),
    );
    let mut breaches = Vec::new();
    for run in &fleet.incidents {
        let Some(first) = run.first() else {
            continue;
        };
        let machines: BTreeSet<&Subject> = run.iter().map(|failure| &failure.machine).collect();
        let recovered = fleet
            .machines
            .iter()
            .filter(|(subject, machine)| {
                let mut failures = machine.failures.iter();
                machines.contains(subject) && !failures.any(|(id, _)| fleet.is_shared(id))
            })
            .count();
        if recovered >= machines.len() {
            continue;
        }
        let day = first.at.start.date();
        let summary = format!(
            "{} machines of {name} failed to revalidate together on {day}; {recovered} have recovered.",
            machines.len()
        );
        let next = "ask the service and the network for the reason";
        let mut breach = Breach::new(scene.subject, first.at, Severity::High, 900)
            .says(summary, next)
            // The day is the natural key of an incident: a tenant can have several.
            .key(format!("incident {day}"));
        for failure in run {
            breach.subjects.insert(failure.machine.clone());
            breach = breach.shows_id(failure.event, "a machine failed to revalidate");
        }
        breaches.push(breach);
    }
    match breaches.is_empty() {
        true => Err(Silence(
            "no failures that many machines share, or all recovered",
        )),
        false => Ok(breaches),
    }
}
