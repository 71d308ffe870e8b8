//! Judging subjects, once all landings are judged.

use super::unit::{Record, Unit, named, subject};
use super::world::World;
use crate::audit::clean::Trial;
use crate::audit::evidence::Evidence;
use crate::audit::finding::Finding;
use crate::audit::others::{Neighbours, Others, Place};
use crate::audit::reads::Source;
use crate::audit::rules::{Check, Digest, RULES, Rule, Scene};
use crate::audit::subjects::{World as Part, of_one, of_scene};
use ledger::event::subject_of;
use ledger::subject::{Subject, SubjectKind};
use projections::{At, Histories};
use std::collections::{BTreeSet, HashMap};

/// Judges some units that are no landings: what is to be kept of each, and what was looked at for it, in their
/// order. That all of it was there has to be seen afterwards.
pub(super) fn judge_things(world: &World<'_>, units: &[Unit]) -> Vec<(Record, BTreeSet<Source>)> {
    let histories = world.histories();
    let evidence = world.evidence(&histories);
    judged(world, &histories, &evidence, units)
}

fn judged(
    world: &World<'_>,
    histories: &Histories,
    evidence: &Evidence,
    units: &[Unit],
) -> Vec<(Record, BTreeSet<Source>)> {
    let mut kept: Vec<_> = world
        .beside
        .values()
        .flat_map(|record| &record.landings)
        .collect();
    kept.sort_by(|a, b| a.landing.order().cmp(&b.landing.order()));
    kept.dedup_by(|a, b| a.landing.events == b.landing.events);
    let landings: Vec<_> = kept.iter().map(|one| one.landing.clone()).collect();
    let places: Vec<Place> = kept.iter().map(|one| one.place.clone()).collect();
    let accused: Vec<bool> = kept.iter().map(|one| one.accused).collect();
    let neighbours = Neighbours::placed(&landings, places, world.reads.clone());
    let others = Others::new(&neighbours, &accused);
    let mut rules = Rules::default();
    let judge = |unit: &Unit| {
        let at = histories.at(world.point);
        let by = Judging {
            world,
            at: &at,
            evidence,
            others,
        };
        let record = by.unit(unit, &mut rules);
        (record, world.reads.take())
    };
    units.iter().map(judge).collect()
}

/// The rules about subjects of a kind.
#[derive(Default)]
struct Rules(HashMap<(SubjectKind, bool), Vec<&'static Rule>>);

impl Rules {
    /// The rules that judge a subject of a kind by itself, or a tenant by its machines.
    fn of(&mut self, kind: SubjectKind, by_machines: bool) -> &[&'static Rule] {
        self.0.entry((kind, by_machines)).or_insert_with(|| {
            let of_fleet = |rule: &Rule| {
                kind == SubjectKind::Tenant && Part::Machines.has(SubjectKind::Tenant, rule)
            };
            let about = |rule: &&Rule| {
                matches!(rule.check, Check::Subject(of, _) if of == kind)
                    && of_fleet(rule) == by_machines
            };
            RULES.iter().filter(about).collect()
        })
    }
}

struct Judging<'j> {
    world: &'j World<'j>,
    at: &'j At<'j>,
    evidence: &'j Evidence,
    others: Others<'j>,
}

impl Judging<'_> {
    fn unit(&self, unit: &Unit, rules: &mut Rules) -> Record {
        match unit {
            Unit::Landings(_) => Record::default(),
            Unit::Things(root) => {
                let members: Vec<&Subject> = self.world.members(root).collect();
                let findings = members.iter().flat_map(|one| self.of(one, rules));
                Record {
                    findings: findings.map(Into::into).collect(),
                    members: members.into_iter().map(named).collect(),
                    ..Record::default()
                }
            }
            Unit::Subject(name) => match subject(name) {
                Some(subject) => self.subject(&subject, rules),
                None => Record::default(),
            },
            Unit::Fleet(tenant) => {
                self.evidence.looks_at_fleet(tenant);
                let subject = subject_of(tenant);
                let scene = Scene {
                    subject: &subject,
                    events: &[],
                    at: self.at,
                    evidence: self.evidence,
                    others: self.others,
                    machines: Some(self.world.fleet(tenant)),
                };
                let findings = of_scene(&scene, rules.of(SubjectKind::Tenant, true));
                Record {
                    findings: findings.into_iter().map(Into::into).collect(),
                    ..Record::default()
                }
            }
        }
    }

    fn subject(&self, subject: &Subject, rules: &mut Rules) -> Record {
        let findings = self.of(subject, rules);
        let mut record = Record {
            findings: findings.into_iter().map(Into::into).collect(),
            members: vec![named(subject)],
            ..Record::default()
        };
        if subject.kind == SubjectKind::Seat {
            let digest = Digest::of(subject, self.at, self.evidence);
            record.digest = (digest != Digest::default()).then_some(digest);
            record.users = self.world.users_of(subject);
        }
        if subject.kind == SubjectKind::Tenant {
            let trials = self.evidence.trials().iter();
            let here = trials.filter(|trial| subject_of(&trial.value.tenant) == *subject);
            record.trials = here.map(|trial| Trial::of(trial, self.evidence)).collect();
        }
        record
    }

    fn of(&self, subject: &Subject, rules: &mut Rules) -> Vec<Finding> {
        let rules = rules.of(subject.kind, false);
        // What names a person beside machines is in the histories of these.
        let is_known = subject.kind == SubjectKind::Person || self.at.knows(subject);
        if !is_known || rules.is_empty() {
            return Vec::new();
        }
        of_one(self.at, subject, self.evidence, self.others, rules)
    }
}
