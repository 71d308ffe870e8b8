//! The machines of one tenant and the failures that they share: for the rules about revalidation.

use super::Scene;
use super::machine::Machine;
use crate::audit::streamed::role::{Thing, named};
use ledger::event::word::RevalidationFailure as Cause;
use ledger::event::{Event, Payload, subject_of};
use ledger::secret::MachineId;
use ledger::subject::Subject;
use ledger::time::Timestamp;
use std::collections::BTreeSet;

/// So many machines of a tenant that fail together are one incident of the service.
pub(super) const INCIDENT_MACHINES: usize = 5;
/// Failures within so many hours are together.
pub(super) const INCIDENT_HOURS: i64 = 24;

/// The machines of a tenant.
pub(super) struct Fleet<'s> {
    /// Each machine that is under the tenant now.
    pub machines: Vec<(Subject, Machine<'s>)>,
    /// The last time that the service licensed any of them, by its own clock: up to here silence means
    /// something. What a machine reports of itself can carry a wrong clock.
    pub heard: Option<Timestamp>,
    /// Failures that many machines share, each a run of failures in order.
    pub incidents: Vec<Vec<(Subject, &'s Event)>>,
}

impl<'s> Fleet<'s> {
    /// The machines that a tenant's events name. Costs a pass over the histories of all of them.
    pub fn of(scene: &Scene<'s>) -> Self {
        let mut things = Vec::new();
        let mut machines: BTreeSet<MachineId> = BTreeSet::new();
        for event in scene.events {
            named(event, &mut things);
            machines.extend(things.iter().filter_map(|thing| match thing {
                Thing::Machine(machine) => Some(*machine),
                Thing::Person(_) | Thing::Tenant(_) => None,
            }));
        }
        let mut fleet = Self {
            machines: Vec::new(),
            heard: None,
            incidents: Vec::new(),
        };
        let mut failures: Vec<(Subject, &'s Event)> = Vec::new();
        for subject in machines.iter().map(subject_of) {
            let machine = Machine::of(&subject, scene.at.of(&subject));
            let here = machine.tenant.map(subject_of);
            if here.as_ref() != Some(scene.subject) {
                continue;
            }
            fleet.heard = fleet.heard.max(machine.served());
            for event in scene.at.of(&subject) {
                if fails_together(event) {
                    failures.push((subject.clone(), event));
                }
            }
            fleet.machines.push((subject, machine));
        }
        failures.sort_by_key(|(_, event)| event.order());
        fleet.incidents = incidents(failures);
        fleet
    }

    /// Whether a failure belongs to an incident.
    pub fn is_shared(&self, event: &Event) -> bool {
        let mut shared = self.incidents.iter().flatten();
        shared.any(|(_, other)| other.id == event.id)
    }
}

/// Whether a failure can have its cause outside the machine.
fn fails_together(event: &Event) -> bool {
    let Payload::RevalidationFailed(failed) = &event.payload else {
        return false;
    };
    match failed.cause {
        Cause::Offline | Cause::Service | Cause::Authentication => true,
        Cause::Bumped
        | Cause::Deprovisioned
        | Cause::Cancelled
        | Cause::Clock
        | Cause::ComponentMissing => false,
    }
}

/// Runs of failures, each within the hours after the one before, that enough machines share.
fn incidents(failures: Vec<(Subject, &Event)>) -> Vec<Vec<(Subject, &Event)>> {
    let mut runs: Vec<Vec<(Subject, &Event)>> = Vec::new();
    for failure in failures {
        let at = failure.1.occurred_at.start;
        let close = |run: &&mut Vec<(Subject, &Event)>| {
            let before = run.last().map(|(_, event)| event.occurred_at.last());
            before.is_some_and(|before| at <= before.plus_minutes(INCIDENT_HOURS * 60))
        };
        match runs.last_mut().filter(close) {
            Some(run) => run.push(failure),
            None => runs.push(vec![failure]),
        }
    }
    runs.retain(|run| densest(run) >= INCIDENT_MACHINES);
    runs
}

/// The most machines that failed within the hours of one incident.
fn densest(run: &[(Subject, &Event)]) -> usize {
    let mut most = 0;
    for (index, (_, first)) in run.iter().enumerate() {
        let until = first.occurred_at.start.plus_minutes(INCIDENT_HOURS * 60);
        let window = run.iter().skip(index);
        let window = window.take_while(|(_, event)| event.occurred_at.start <= until);
        let machines: BTreeSet<&Subject> = window.map(|(subject, _)| subject).collect();
        most = most.max(machines.len());
        if most >= INCIDENT_MACHINES {
            break;
        }
    }
    most
}
