//! What would be found if some events happened, of the findings that are kept: the units that the events touch,
//! and those that looked at what they name, are judged over histories that have them, and compared with what is
//! kept. What was judged that way is forgotten.

use super::landings::hear;
use super::shelf::Shelf;
use super::unit::{KeptFinding, Record, Unit};
use super::world::{Assumed, World};
use super::{KeptError, KeptFindings, events};
use crate::audit::Finding;
use crate::audit::evidence::Evidence;
use crate::audit::finding::About;
use crate::audit::preflight::{self, Plan, Preflight};
use crate::audit::reads::Beside;
use crate::audit::report::in_order_of_report;
use ledger::event::{Event, Fact, subject_of};
use ledger::id::{EventId, FindingId, LicenseId, Position};
use ledger::subject::SubjectKind;
use ledger::time::Timestamp;
use projections::stored::Stored;
use projections::{At, Point};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

impl KeptFindings {
    /// Whether an agreement is activated by a choice rather than by a redemption, as
    /// [`preflight::is_by_choice`] says; `None` if no event names it by then. They have been brought up to that
    /// instant and to the end of `source`.
    pub fn is_by_choice(
        &self,
        source: &Stored,
        valid_at: Timestamp,
        agreement: &LicenseId,
    ) -> Result<Option<bool>, KeptError> {
        let guard = self.shelf();
        let (shelf, cache) = &*guard;
        let mut world = World::new(&self.store, source, Point::valid(valid_at), cache);
        ask(&mut world, shelf, &|at, evidence| {
            let known = at.knows(&subject_of(agreement));
            known.then(|| preflight::by_choice(evidence, agreement))
        })
    }

    /// What [`preflight::preflight`] says of the assumed facts of a plan; `Some(None)` if they make no landing.
    /// `None` if they cannot answer: for an instant that they do not reach, or of facts that stand instead
    /// of what is recorded. Nothing of it is kept. Costs, once everything is taken in, by what the facts name
    /// and by whatever looks at that.
    pub fn preflight(
        &self,
        source: &Stored,
        valid_at: Timestamp,
        plan: &Plan,
        facts: &[Fact],
    ) -> Result<Option<Option<Preflight>>, KeptError> {
        if !self.catch_up(source, valid_at, &|_, _| {})? {
            return Ok(None);
        }
        let mut assumed = Vec::new();
        for (number, fact) in (1..).zip(facts) {
            let event = Event {
                // No two of them are at one place, and none is where anything was recorded.
                position: Position(u64::MAX - number),
                recorded_at: Timestamp::from_micros(0),
                fact: fact.clone(),
            };
            let hiding = source.hiding(&self.store, &event)?;
            let is_new = self.store.find(event.id)?.is_none();
            if hiding.is_hidden || !hiding.hides.is_empty() || !is_new {
                return Ok(None);
            }
            assumed.push(Assumed::of(event));
        }
        let mut guard = self.shelf();
        let (shelf, cache) = &mut *guard;
        let point = Point::valid(valid_at);
        let before = shelf.unwritten().clone();
        let Some(state) = shelf.state()? else {
            return Ok(None);
        };
        let judged = events::assume(
            &self.store,
            source,
            (&mut *shelf, cache),
            (state, point),
            &assumed,
            self.sizes.units.max(1),
        );
        let answer = judged.and_then(|()| {
            let ids = assumed.iter().map(|assumed| assumed.input.event.id);
            let own: BTreeSet<EventId> = ids.collect();
            let mut world = World::new(&self.store, source, point, cache).assuming(&assumed);
            let agreement = subject_of(&plan.agreement);
            let Some(heard) = hear(&mut world, shelf, &agreement, &own)? else {
                return Ok(None);
            };
            let findings = new_findings(shelf, &before)?;
            // What is known of the session is asked without the assumed events.
            let mut world = World::new(&self.store, source, point, cache);
            let answer = ask(&mut world, shelf, &|_, evidence| {
                preflight::of(evidence, plan, heard.clone(), findings.clone())
            })?;
            Ok(Some(answer))
        });
        // With it goes what time alone has changed since the last event: it is judged again when somebody asks.
        shelf.forget();
        answer.map(Some)
    }
}

/// What `ask` gives over all histories and all evidence: it is called until all that it looks up is loaded, and
/// may look at nothing else.
fn ask<T>(
    world: &mut World<'_>,
    shelf: &Shelf,
    ask: &dyn Fn(&At<'_>, &Evidence) -> T,
) -> Result<T, KeptError> {
    loop {
        let histories = world.histories();
        let evidence = world.evidence(&histories);
        let answer = ask(&histories.at(world.point), &evidence);
        drop(evidence);
        if world.complete(shelf)? {
            return Ok(answer);
        }
    }
}

/// The findings of the units that changed, of which there was none before, in the order of a report.
fn new_findings(
    shelf: &Shelf,
    before: &HashMap<Unit, Arc<Record>>,
) -> Result<Vec<Finding>, KeptError> {
    let changed: Vec<&Unit> = shelf
        .unwritten()
        .iter()
        .filter(|(unit, record)| before.get(unit) != Some(record))
        .map(|(unit, _)| unit)
        .collect();
    let was = |unit: &Unit| match before.get(unit) {
        Some(record) => Ok(Arc::clone(record)),
        None => shelf.written(unit),
    };
    let mut known: BTreeSet<FindingId> = BTreeSet::new();
    let mut findings: Vec<Finding> = Vec::new();
    for unit in &changed {
        known.extend(findings_of(&*was(unit)?)?.into_iter().map(|one| one.id));
        findings.extend(findings_of(&*shelf.record(unit)?)?);
    }
    findings.retain(|finding| !known.contains(&finding.id));
    // The same identity can be another unit's, which nothing has changed.
    let mut elsewhere: BTreeSet<FindingId> = BTreeSet::new();
    let mut anywhere = false;
    for finding in &findings {
        match &finding.about {
            About::Landing(landed) => {
                for root in shelf.places(&Beside::Tenant(landed.actual.clone()))? {
                    let others = findings_of(&*was(&Unit::Landings(root))?)?;
                    elsewhere.extend(others.into_iter().map(|one| one.id));
                }
            }
            // A key counts by its last five characters, and a machine may be in several tenants.
            About::Subject(subject) => {
                anywhere |= matches!(subject.kind, SubjectKind::Key | SubjectKind::Seat);
            }
        }
    }
    if anywhere {
        let changed: BTreeSet<&Unit> = changed.into_iter().collect();
        let mut read = Ok(());
        shelf.each_shown(&mut |unit, record| {
            if changed.contains(unit) {
                return;
            }
            match findings_of(&record) {
                Ok(others) => elsewhere.extend(others.into_iter().map(|one| one.id)),
                Err(error) => read = Err(error),
            }
        })?;
        read?;
    }
    findings.retain(|finding| !elsewhere.contains(&finding.id));
    in_order_of_report(&mut findings, &mut []);
    Ok(findings)
}

fn findings_of(record: &Record) -> Result<Vec<Finding>, KeptError> {
    let landed = record.landings.iter();
    let landed = landed.filter_map(|landing| landing.finding.as_ref());
    let all = landed.chain(&record.findings).map(KeptFinding::finding);
    let all: Option<Vec<Finding>> = all.collect();
    all.ok_or(KeptError::Value)
}
