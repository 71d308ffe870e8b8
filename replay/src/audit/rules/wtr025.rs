//! WTR025: a remap that moved more than was asked for.

use super::{Breach, Check, Hit, Rule, Scene, Severity, Silence};
use ledger::event::kinds::TenantRemapped;
use ledger::event::{Event, Payload};
use ledger::id::LicenseId;
use ledger::subject::{Subject, SubjectKind};
use std::collections::BTreeSet;

pub(super) const RULE: Rule = Rule {
    code: "WTR025",
    name: "a remap moved more than was asked for",
    severity: Severity::High,
    meaning: "One agreement was to be moved to another tenant, and all agreements of the customer number went along, which is what a remap does: agreements that were where they belonged are now in the wrong tenant.",
    needs: "the remap, with the agreements that were asked for and those that were moved",
    counter_evidence: "the Online Services Manager or the Notices Contact authorised the case",
    false_positives: "a group that wanted all of it moved: then all were asked for, and the rule is silent; it is silent too if nothing says what was asked for",
    compensation: "a second remap of what went along, or a customer number of its own for it; compensate plan lists it beforehand",
    parameters: &[],
    inputs: &[
        "TenantRemapped.pcn",
        "TenantRemapped.moves",
        "TenantRemapped.requested",
    ],
    check: Check::Subject(SubjectKind::Pcn, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut breaches = Vec::new();
    for event in scene.events {
        if let Payload::TenantRemapped(remap) = &event.payload {
            breaches.extend(breach(scene, event, remap));
        }
    }
    Ok(breaches)
}

fn breach(scene: &Scene<'_>, event: &Event, remap: &TenantRemapped) -> Option<Breach> {
    if remap.requested.is_empty() {
        return None;
    }
    let moves = remap.moves.iter();
    let extra: Vec<_> = moves
        .filter(|moved| !remap.requested.contains(&moved.license_id))
        .collect();
    let first = extra.first()?;
    let mut hit = Hit::new(Severity::High, 950);
    let to = scene.evidence.tenant_name(&first.to);
    let list = |ids: &mut dyn Iterator<Item = &LicenseId>| {
        ids.map(LicenseId::to_string).collect::<Vec<_>>().join(", ")
    };
    let asked = list(&mut remap.requested.iter());
    let along = list(&mut extra.iter().map(|moved| &moved.license_id));
    hit.evidence.push((
        event.id,
        format!("{asked} was to be moved to {to}, and {along} went along"),
    ));
    let back = extra.iter().map(|moved| {
        let remaps = scene
            .evidence
            .remaps
            .get(&moved.license_id)
            .into_iter()
            .flatten();
        let mut away = remaps.filter(|other| other.event != event.id);
        away.find(|other| other.value.from == moved.to && other.from >= event.occurred_at.start)
    });
    let back: Option<Vec<_>> = back.collect();
    let back = back.and_then(|all| all.into_iter().max_by_key(|to| (to.from, to.event)));
    let mut subjects: BTreeSet<Subject> = BTreeSet::new();
    for moved in &remap.moves {
        subjects.insert(Subject::new(SubjectKind::Agreement, &moved.license_id));
        subjects.insert(Subject::new(SubjectKind::Tenant, &moved.from));
        subjects.insert(Subject::new(SubjectKind::Tenant, &moved.to));
    }
    Some(Breach {
        about: scene.subject.clone(),
        key: format!("{along} to {}", first.to),
        at: event.occurred_at,
        hit,
        subjects,
        summary: format!("A remap of {asked} to {to} moved {along} as well."),
        next_step: format!(
            "ask the customer whether {along} was to go along; if not, a second remap"
        ),
        settled: back.map(|to| (to.event, "it was moved away again".to_owned())),
    })
}
