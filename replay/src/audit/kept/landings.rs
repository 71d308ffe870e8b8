//! Judging the landings of entitlements, beside those that they share something with.

use super::KeptError;
use super::shelf::Shelf;
use super::unit::{KeptAgreement, KeptLanding, Named, Record, Unit, named, subject};
use super::world::World;
use crate::audit::clean::{LandingLine, nothing_landed};
use crate::audit::evidence::Evidence;
use crate::audit::expectation::{Verdict, verdict};
use crate::audit::hearing::{Heard, hear_one};
use crate::audit::landing::{Landing, landings_of, reports_landings};
use crate::audit::others::{Neighbours, Others, Place};
use crate::audit::reads::Source;
use crate::audit::report::{Judge, Judgement, finding, judge};
use crate::audit::unsettled::needs;
use ledger::event::Event;
use ledger::id::{EventId, LicenseId};
use ledger::subject::{Subject, SubjectKind};
use projections::{At, Histories};
use std::collections::{BTreeMap, BTreeSet};

/// One landing before it is judged: fresh of the evidence, or as it was kept.
struct Standing {
    landing: Landing,
    place: Place,
    accused: bool,
    /// The entitlement that it is judged with now.
    of: Option<usize>,
}

/// Judges the landings of some entitlements, which are loaded: what is to be kept of each, and what was looked
/// at for it, in their order. That all of it was there has to be seen afterwards.
pub(super) fn judge_landings(
    world: &World<'_>,
    roots: &[Named],
) -> Vec<(Record, BTreeSet<Source>)> {
    let histories = world.histories();
    let evidence = world.evidence(&histories);
    let (records, reads) = judged(world, &histories, &evidence, roots);
    records.into_iter().zip(reads).collect()
}

/// Hears every rule on the last landing of an entitlement that some events report, beside the landings that
/// are kept, its own among them; `None` if they report none. Loads what is looked at until nothing is missing.
pub(super) fn hear(
    world: &mut World<'_>,
    shelf: &Shelf,
    of: &Subject,
    events: &BTreeSet<EventId>,
) -> Result<Option<Heard>, KeptError> {
    world.load_subject(of)?;
    let Some(root) = world.root(of).cloned() else {
        return Ok(None);
    };
    let own = shelf.record(&Unit::Landings(root))?;
    let reported = |kept: &&KeptLanding| !kept.landing.events.is_disjoint(events);
    let Some(own) = own.landings.iter().rfind(reported) else {
        return Ok(None);
    };
    loop {
        let histories = world.histories();
        let evidence = world.evidence(&histories);
        let beside = world.beside.values();
        let mut kept: Vec<&KeptLanding> = beside.flat_map(|record| &record.landings).collect();
        kept.sort_by(|a, b| a.landing.order().cmp(&b.landing.order()));
        let landings: Vec<Landing> = kept.iter().map(|one| one.landing.clone()).collect();
        let places: Vec<Place> = kept.iter().map(|one| one.place.clone()).collect();
        let accused: Vec<bool> = kept.iter().map(|one| one.accused_then).collect();
        let neighbours = Neighbours::placed(&landings, places, world.reads.clone());
        let others = Others::new(&neighbours, &accused);
        let heard = hear_one(&histories.at(world.point), &evidence, others, &own.landing);
        drop(evidence);
        if world.complete(shelf)? {
            return Ok(Some(heard));
        }
    }
}

/// Adds to a record what was looked at for it. Whatever is in the history of one of its own subjects makes a
/// unit be judged anyway, and so do the facts about those of an entitlement.
pub(super) fn with_reads(
    world: &World<'_>,
    mut record: Record,
    reads: BTreeSet<Source>,
    is_entitlement: bool,
) -> Record {
    for read in world.in_short(reads) {
        match &read {
            Source::Time(at) => {
                record.next = Some(record.next.map_or(*at, |before| before.min(*at)));
                continue;
            }
            Source::Subject(kind, id) if record.is_of(*kind, id) => continue,
            Source::Facts(_, kind, id) if is_entitlement && record.is_of(*kind, id) => continue,
            _ => record.reads.push(read),
        }
    }
    record
}

fn judged(
    world: &World<'_>,
    histories: &Histories,
    evidence: &Evidence,
    roots: &[Named],
) -> (Vec<Record>, Vec<BTreeSet<Source>>) {
    let mut reads: Vec<BTreeSet<Source>> = vec![BTreeSet::new(); roots.len()];
    let mut note = |of: usize| {
        if let Some(reads) = reads.get_mut(of) {
            reads.append(&mut world.reads.take());
        }
    };
    let mut standing = Vec::new();
    for (of, root) in roots.iter().enumerate() {
        let at = histories.at(world.point);
        for landing in fresh(world, &at, evidence, root) {
            standing.push(Standing {
                place: Place::of(&landing, evidence),
                landing,
                accused: false,
                of: Some(of),
            });
        }
        note(of);
    }
    let ours: BTreeSet<&Named> = roots.iter().collect();
    for (name, kept) in &world.beside {
        // What was kept of an entitlement that is judged again, perhaps under another name, is over.
        let root = subject(name).and_then(|subject| world.root(&subject).cloned());
        if root.is_some_and(|root| ours.contains(&root)) {
            continue;
        }
        standing.extend(kept.landings.iter().map(|one| Standing {
            landing: one.landing.clone(),
            place: one.place.clone(),
            accused: one.accused_then,
            of: None,
        }));
    }
    standing.sort_by(|a, b| a.landing.order().cmp(&b.landing.order()));
    let landings: Vec<Landing> = standing.iter().map(|one| one.landing.clone()).collect();
    let places = standing.iter().map(|one| one.place.clone());
    let neighbours = Neighbours::placed(&landings, places, world.reads.clone());
    let mut accused: Vec<bool> = Vec::with_capacity(landings.len());
    let mut then: Vec<Option<Judgement>> = Vec::with_capacity(landings.len());
    for one in &standing {
        let Some(of) = one.of else {
            accused.push(one.accused);
            then.push(None);
            continue;
        };
        let at = histories.at(world.point);
        let by = Judge {
            at: &at,
            evidence,
            neighbours: &neighbours,
            landings: &landings,
        };
        let before = Others::new(&neighbours, &accused);
        let judgement = judge(&one.landing, before, &by, Some(one.landing.cutoff()));
        accused.push(judgement.accuses());
        then.push(Some(judgement));
        note(of);
    }
    let all = Others::new(&neighbours, &accused);
    let mut records: Vec<Record> = roots.iter().map(|root| of_root(world, root)).collect();
    for ((one, then), accused_then) in standing.iter().zip(&then).zip(&accused) {
        let (Some(of), Some(then)) = (one.of, then) else {
            continue;
        };
        let at = histories.at(world.point);
        let by = Judge {
            at: &at,
            evidence,
            neighbours: &neighbours,
            landings: &landings,
        };
        let now = judge(&one.landing, all, &by, None);
        let kept = keep(&by, one, (then, &now), *accused_then);
        if let Some(record) = records.get_mut(of) {
            record.landings.push(kept);
        }
        note(of);
    }
    for (of, record) in records.iter_mut().enumerate() {
        let at = histories.at(world.point);
        record.agreements = agreements(&at, evidence, record);
        note(of);
    }
    (records, reads)
}

fn of_root(world: &World<'_>, root: &Named) -> Record {
    Record {
        members: world.members(root).map(named).collect(),
        ..Record::default()
    }
}

/// The landings of an entitlement.
pub(super) fn fresh(
    world: &World<'_>,
    at: &At<'_>,
    evidence: &Evidence,
    root: &Named,
) -> Vec<Landing> {
    let members: Vec<&Subject> = world.members(root).collect();
    let events = at.of_any(members);
    let reports = |event: &&Event| reports_landings(event.kind().id);
    landings_of(events.into_iter().filter(reports), evidence)
}

fn keep(
    by: &Judge<'_>,
    standing: &Standing,
    (then, now): (&Judgement, &Judgement),
    accused_then: bool,
) -> KeptLanding {
    let (landing, evidence) = (&standing.landing, by.evidence);
    let verdict = verdict(landing, &now.expectation, evidence);
    let accused = !now.hits.is_empty();
    let is_unjudged = !accused && verdict == Verdict::NotJudged;
    let not_judged = is_unjudged.then(|| {
        (
            landing.subject(),
            evidence.tenant_name(&landing.tenant),
            needs(evidence, landing, &now.expectation),
        )
    });
    let undone = landing.reversed.iter().map(|undone| undone.event);
    let moved = landing.remapped.iter().map(|moved| moved.event);
    let events = landing.events.iter().copied().chain(undone).chain(moved);
    let times = events.filter_map(|event| Some((event, *evidence.occurred.get(&event)?)));
    KeptLanding {
        landing: landing.clone(),
        place: standing.place.clone(),
        times: times.collect(),
        accused_then,
        accused,
        verdict,
        finding: accused.then(|| finding(by.at, evidence, landing, then, now).into()),
        not_judged,
        line: LandingLine::of(landing, verdict, evidence),
    }
}

/// The agreements of an entitlement that the evidence knows.
fn agreements(at: &At<'_>, evidence: &Evidence, record: &Record) -> Vec<KeptAgreement> {
    let mut landed: BTreeMap<&LicenseId, usize> = BTreeMap::new();
    for kept in &record.landings {
        if let Some(license) = &kept.landing.license_id {
            *landed.entry(license).or_default() += 1;
        }
    }
    let agreement = SubjectKind::Agreement as u8;
    let members = record.members.iter();
    let licenses = members.filter(|(kind, _)| *kind == agreement);
    let licenses = licenses.filter_map(|(_, id)| LicenseId::new(id).ok());
    let known = licenses.filter_map(|license_id| {
        let facts = evidence.agreements.get(&license_id)?;
        let nothing = !landed.contains_key(&license_id);
        Some(KeptAgreement {
            customer: facts.customer.as_ref().map(|known| known.value.clone()),
            nothing: nothing.then(|| nothing_landed(at, evidence, &license_id)),
            license_id,
        })
    });
    known.collect()
}

/// The entitlements whose landings see another one than before: everything that shares something with
/// it, before or now.
pub(super) fn seen_by_others(before: &Record, after: &Record) -> BTreeSet<Source> {
    let mut changed = BTreeSet::new();
    let differs = |one: &KeptLanding, others: &[KeptLanding]| {
        !others.iter().any(|other| one.looks_like(other))
    };
    let gone = before
        .landings
        .iter()
        .filter(|one| differs(one, &after.landings));
    let new = after
        .landings
        .iter()
        .filter(|one| differs(one, &before.landings));
    for one in gone.chain(new) {
        let shares = one.place.shares(&one.landing).into_iter();
        changed.extend(shares.map(Source::Beside));
    }
    changed
}

/// Every place of an entitlement's landings, for whoever looks for others.
pub(super) fn place_all(shelf: &mut Shelf, root: &Named, before: &Record, after: &Record) {
    let shares = |record: &Record| -> BTreeSet<_> {
        let landings = record.landings.iter();
        landings
            .flat_map(|one| one.place.shares(&one.landing))
            .collect()
    };
    let known = shares(before);
    for shared in shares(after).difference(&known) {
        shelf.place(shared, root);
    }
}
