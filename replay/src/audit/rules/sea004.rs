//! SEA004: more installs of one user than may count.

use super::machine::Machine;
use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::{Event, Payload, subject_of};
use ledger::id::TenantId;
use ledger::secret::PersonId;
use ledger::subject::{Subject, SubjectKind};
use projections::policy::INSTALLS_PER_USER;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const RULE: Rule = Rule {
    code: "SEA004",
    name: "more than five installs of one user",
    severity: Severity::Medium,
    meaning: "More than five machines of one user are registered in one tenant at the same time, and none of them lost its place (R25; invariant 12). The account is shared, or the service failed to take a place back.",
    needs: "registrations or licences of the machines, with user and tenant; bumps, resets and failures that take a place back",
    counter_evidence: "none: a machine whose licence and grace have run out does not count",
    false_positives: "machines that were given back without a word; a limit that the vendor raised (E12)",
    compensation: "ask the user which machines are in use, and deactivate the others",
    parameters: &[super::Parameter {
        name: "INSTALLS_PER_USER",
        value: INSTALLS_PER_USER as i64,
        unit: "machines",
        doc: "how many installs of one user count at the same time",
    }],
    inputs: &[
        "MachineRegistered.user",
        "SeatProvisioned.user",
        "SeatLicensed.user",
        "MachineBumped.machine",
        "RevalidationFailed.cause",
        "SeatReset.machine",
    ],
    check: Check::Subject(SubjectKind::Person, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let person = PersonId::parse(&scene.subject.id).ok_or("its pseudonym cannot be read")?;
    let persons = scene.evidence.same_person(person);
    let all: BTreeSet<Subject> = persons.iter().map(subject_of).collect();
    if all.first().is_some_and(|first| first != scene.subject) {
        return Err(Silence("it is counted under another address of the user"));
    }
    let mut machines = BTreeSet::new();
    for person in &persons {
        machines_beside(scene, *person, &mut machines);
    }
    if machines.len() > INSTALLS_PER_USER {
        // What was ever named beside the user may be seen no more.
        machines.retain(|machine| {
            let named = |event: &Event| event.subjects().iter().any(|one| all.contains(one));
            scene
                .at
                .of(machine)
                .any(|event| is_of_seat(event) && named(event))
        });
    }
    if machines.len() <= INSTALLS_PER_USER {
        return Err(Silence("the user has no more machines than may count"));
    }
    let mut counted: BTreeMap<&TenantId, Vec<(&Event, Subject)>> = BTreeMap::new();
    for subject in machines {
        let machine = Machine::of(&subject, scene.at.of(&subject));
        let own = machine.user.map(|user| subject_of(&user));
        let (Some(tenant), Some((until, licensed)), None, true) = (
            machine.tenant,
            machine.licensed,
            machine.out,
            own.is_some_and(|own| all.contains(&own)),
        ) else {
            continue;
        };
        let grace = until.plus_days(projections::policy::SEAT_GRACE_DAYS);
        if !scene.evidence.has_reached(grace) {
            counted.entry(tenant).or_default().push((licensed, subject));
        }
    }
    counted.retain(|_, machines| machines.len() > INSTALLS_PER_USER);
    if counted.is_empty() {
        return Err(Silence("no more machines count than may"));
    }
    Ok(counted
        .into_iter()
        .filter_map(|(tenant, machines)| breach(scene, tenant, &machines))
        .collect())
}

fn breach(scene: &Scene<'_>, tenant: &TenantId, machines: &[(&Event, Subject)]) -> Option<Breach> {
    let last = machines.iter().map(|(event, _)| event.occurred_at);
    let at = last.max_by_key(|at| at.start)?;
    let summary = format!(
        "One user counts with {} machines in {}; {INSTALLS_PER_USER} may.",
        machines.len(),
        scene.evidence.tenant_name(tenant)
    );
    let next = "ask the user which machines are in use, and deactivate the others";
    let mut breach = Breach::new(scene.subject, at, Severity::Medium, 800)
        .says(summary, next)
        .key(tenant)
        .names([tenant]);
    for (event, machine) in machines {
        breach.subjects.insert(machine.clone());
        breach = breach.shows(event, "a machine of the user was licensed");
    }
    Some(breach)
}

/// Adds the machines that are named beside a person: at least those that a seen event ties to it.
fn machines_beside(scene: &Scene<'_>, person: PersonId, machines: &mut BTreeSet<Subject>) {
    if let Some(known) = scene.evidence.installs_of(person) {
        return machines.extend(known.iter().cloned());
    }
    for event in scene.at.of(&subject_of(&person)) {
        if is_of_seat(event) {
            let named = event.subjects().into_iter();
            machines.extend(named.filter(|subject| subject.kind == SubjectKind::Seat));
        }
    }
}

/// Whether an event ties a machine to a user.
pub(in crate::audit) fn is_of_seat(event: &Event) -> bool {
    matches!(
        event.payload,
        Payload::MachineRegistered(_)
            | Payload::SeatProvisioned(_)
            | Payload::SeatLicensed(_)
            | Payload::SeatRevalidated(_)
            | Payload::UserAuthenticated(_)
    )
}
