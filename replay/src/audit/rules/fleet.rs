//! The machines of one tenant and the failures that they share: for the rules about revalidation.

use super::Scene;
use super::machine::Machine;
use crate::audit::evidence::Evidence;
use crate::audit::streamed::role::{Thing, named};
use ledger::event::word::RevalidationFailure as Cause;
use ledger::event::{Event, Payload, subject_of};
use ledger::id::{EventId, TenantId};
use ledger::secret::MachineId;
use ledger::subject::Subject;
use ledger::time::{Occurred, Timestamp};
use projections::At;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// So many machines of a tenant that fail together are one incident of the service.
pub(super) const INCIDENT_MACHINES: usize = 5;
/// Failures within so many hours are together.
pub(super) const INCIDENT_HOURS: i64 = 24;
/// A revalidation may be reported this late.
pub(super) const LATE_HOURS: i64 = 48;
/// A machine's clock can be ahead by this much.
pub(super) const CLOCK_AHEAD_DAYS: i64 = 60;

/// What the rules about revalidation have to know of one machine. Stored in kept findings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Under which tenant it is now.
    pub tenant: Option<TenantId>,
    /// When the service last licensed it, by the clock of the service.
    pub served: Option<Timestamp>,
    /// Until when it is licensed at the longest, with the event that says so.
    pub licensed: Option<(Timestamp, EventId, Occurred)>,
    /// Whether it does not count any more.
    pub is_out: bool,
    /// Failures to revalidate since it last succeeded.
    pub failures: Vec<(EventId, Occurred)>,
    /// All of its failures that can have their cause outside of it.
    pub together: Vec<(EventId, Occurred)>,
    /// Whether the service licensed it for longer than is seen so far, which the machine reports with a date
    /// that is still to come: its clock is ahead, and the term says when it really was.
    pub was_served_meanwhile: bool,
}

impl Digest {
    /// What is to know of a machine. Costs a pass over its history.
    pub fn of(subject: &Subject, at: &At<'_>, evidence: &Evidence) -> Self {
        let machine = Machine::of(subject, at.of(subject));
        let failed = |event: &Event| (event.id, event.occurred_at);
        let together = at.of(subject).filter(|event| fails_together(event));
        Self {
            tenant: machine.tenant.cloned(),
            served: machine.served(),
            licensed: machine
                .licensed
                .map(|(until, event)| (until, event.id, event.occurred_at)),
            is_out: machine.out.is_some(),
            failures: machine.failures.iter().map(|event| failed(event)).collect(),
            together: together.map(failed).collect(),
            was_served_meanwhile: was_served_meanwhile(subject, &machine, at, evidence),
        }
    }
}

fn was_served_meanwhile(
    subject: &Subject,
    machine: &Machine<'_>,
    at: &At<'_>,
    evidence: &Evidence,
) -> bool {
    let Some((until, _)) = machine.licensed.filter(|_| machine.out.is_none()) else {
        return false;
    };
    // Before that it is not overdue.
    if !evidence.has_reached(until.plus_minutes(LATE_HOURS * 60)) {
        return false;
    }
    let later = at.valid_at(Timestamp::MAX);
    later.of(subject).any(|event| {
        let again = if let Payload::SeatRevalidated(again) = &event.payload {
            again.valid_until
        } else if let Payload::SeatLicensed(licensed) = &event.payload {
            licensed.valid_until
        } else {
            return false;
        };
        let seen = event.occurred_at.start.plus_days(-CLOCK_AHEAD_DAYS);
        let served = machine.served_at(event, again).max(seen);
        again > until && evidence.has_reached(served)
    })
}

/// A failure of a machine that can have its cause outside of it.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// Which machine.
    pub machine: Subject,
    /// The event that says so.
    pub event: EventId,
    /// When.
    pub at: Occurred,
}

/// The machines of a tenant.
pub(super) struct Fleet<'s> {
    /// Each machine that is under the tenant now.
    pub machines: Cow<'s, [(Subject, Digest)]>,
    /// The last time that the service licensed any of them, by its own clock: up to here silence means
    /// something. What a machine reports of itself can carry a wrong clock.
    pub heard: Option<Timestamp>,
    /// Failures that many machines share, each a run of failures in order.
    pub incidents: Vec<Vec<Failure>>,
    shared: BTreeSet<EventId>,
}

impl<'s> Fleet<'s> {
    /// The machines of a scene's tenant. Costs a pass over the histories of all of them, if nobody did that
    /// before.
    pub fn of(scene: &Scene<'s>) -> Self {
        match scene.machines {
            Some(machines) => Self::new(Cow::Borrowed(machines)),
            None => Self::new(Cow::Owned(machines(scene))),
        }
    }

    fn new(machines: Cow<'s, [(Subject, Digest)]>) -> Self {
        let failures = machines.iter().flat_map(|(subject, machine)| {
            let together = machine.together.iter();
            together.map(|(event, at)| Failure {
                machine: subject.clone(),
                event: *event,
                at: *at,
            })
        });
        let mut failures: Vec<Failure> = failures.collect();
        failures.sort_by_key(|failure| (failure.at.start, failure.event));
        let incidents = incidents(failures);
        let shared = incidents.iter().flatten();
        Self {
            heard: machines
                .iter()
                .filter_map(|(_, machine)| machine.served)
                .max(),
            shared: shared.map(|failure| failure.event).collect(),
            incidents,
            machines,
        }
    }

    /// Whether a failure belongs to an incident.
    pub fn is_shared(&self, failure: &EventId) -> bool {
        self.shared.contains(failure)
    }
}

/// The machines that a tenant's events name and that are under it now.
fn machines(scene: &Scene<'_>) -> Vec<(Subject, Digest)> {
    let mut things = Vec::new();
    let mut machines: BTreeSet<MachineId> = BTreeSet::new();
    for event in scene.events {
        named(event, &mut things);
        machines.extend(things.iter().filter_map(|thing| match thing {
            Thing::Machine(machine) => Some(*machine),
            Thing::Person(_) | Thing::Tenant(_) => None,
        }));
    }
    let machines = machines.iter().map(subject_of);
    let machines = machines.map(|subject| {
        let digest = Digest::of(&subject, scene.at, scene.evidence);
        (subject, digest)
    });
    let is_here = |(_, machine): &(Subject, Digest)| {
        let tenant = machine.tenant.as_ref();
        tenant.is_some_and(|tenant| subject_of(tenant) == *scene.subject)
    };
    machines.filter(is_here).collect()
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
fn incidents(failures: Vec<Failure>) -> Vec<Vec<Failure>> {
    let mut runs: Vec<Vec<Failure>> = Vec::new();
    for failure in failures {
        let at = failure.at.start;
        let close = |run: &&mut Vec<Failure>| {
            let before = run.last().map(|failure| failure.at.last());
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
fn densest(run: &[Failure]) -> usize {
    let mut most = 0;
    for (index, first) in run.iter().enumerate() {
        let until = first.at.start.plus_minutes(INCIDENT_HOURS * 60);
        let window = run.iter().skip(index);
        let window = window.take_while(|failure| failure.at.start <= until);
        let machines: BTreeSet<&Subject> = window.map(|failure| &failure.machine).collect();
        most = most.max(machines.len());
        if most >= INCIDENT_MACHINES {
            break;
        }
    }
    most
}
