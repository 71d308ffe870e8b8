//! Judging units again, until nothing changes any more.

use super::KeptError;
use super::cache::Cache;
use super::landings::{judge_landings, place_all, seen_by_others, with_reads};
use super::shelf::Shelf;
use super::things::judge_things;
use super::unit::{Named, Record, Unit, named, subject};
use super::world::{Assumed, World};
use crate::audit::reads::Source;
use ledger::event::subject_of;
use ledger::store::Store;
use ledger::subject::SubjectKind;
use projections::Point;
use projections::stored::Stored;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Units that have to be judged again.
#[derive(Default)]
pub(super) struct Dirty {
    pub(super) landings: BTreeSet<Named>,
    pub(super) things: BTreeSet<Unit>,
    /// What looks at machines, once these are judged: persons and fleets.
    after: BTreeSet<Unit>,
}

impl Dirty {
    pub(super) fn add(&mut self, unit: Unit) {
        match unit {
            Unit::Landings(root) => {
                self.landings.insert(root);
            }
            Unit::Fleet(_) => {
                self.after.insert(unit);
            }
            Unit::Subject((kind, _)) if kind == SubjectKind::Person as u8 => {
                self.after.insert(unit);
            }
            Unit::Things(_) | Unit::Subject(_) => {
                self.things.insert(unit);
            }
        }
    }
}

/// Units that are judged again.
pub(super) struct Judging<'j> {
    pub(super) store: &'j Store,
    pub(super) source: &'j Stored,
    pub(super) shelf: &'j mut Shelf,
    pub(super) cache: &'j RefCell<Cache>,
    pub(super) point: Point,
    pub(super) dirty: Dirty,
    /// What is looked at for units of which it was not all there.
    pub(super) hints: HashMap<Unit, BTreeSet<Source>>,
    pub(super) linked: BTreeSet<Named>,
    pub(super) units: usize,
    pub(super) assumed: &'j [Assumed],
}

impl<'j> Judging<'j> {
    fn world(&self) -> World<'j> {
        World::new(self.store, self.source, self.point, self.cache).assuming(self.assumed)
    }

    /// What looked at something has to be judged again.
    pub(super) fn changed(&mut self, source: &Source) -> Result<(), KeptError> {
        for unit in self.shelf.readers(source)? {
            self.dirty.add(unit);
        }
        Ok(())
    }

    pub(super) fn all(&mut self) -> Result<(), KeptError> {
        while let Some(roots) = take_some(&mut self.dirty.landings, self.units) {
            self.landings(roots)?;
        }
        while let Some(units) = take_some(&mut self.dirty.things, self.units) {
            self.things(units)?;
        }
        while let Some(units) = take_some(&mut self.dirty.after, self.units) {
            self.things(units)?;
        }
        Ok(())
    }

    /// Loads what was looked at for a unit when it was judged last, and returns what was kept of it.
    fn load(&self, world: &mut World<'_>, unit: &Unit) -> Result<Arc<Record>, KeptError> {
        let record = self.shelf.record(unit)?;
        world.load_all(&record.reads, self.shelf)?;
        world.load_all(self.hints.get(unit).into_iter().flatten(), self.shelf)?;
        Ok(record)
    }

    /// Judges the landings of some entitlements. Those for which something was looked at that is not there
    /// are judged again with others, and so are those that look at their landings.
    fn landings(&mut self, roots: Vec<Named>) -> Result<(), KeptError> {
        let mut world = self.world();
        let roots = entitlements(&mut world, roots)?;
        let mut before = Vec::new();
        for root in &roots {
            let mut is_linked = false;
            for member in world.members(root) {
                is_linked |= self.linked.remove(&named(member));
            }
            if is_linked {
                for source in world.facts_of(root) {
                    self.changed(&source)?;
                }
            }
            // What was kept under the name of any of its subjects is kept under one name now.
            let own: Vec<Named> = world.members(root).map(named).collect();
            for name in &own {
                self.dirty.landings.remove(name);
                let unit = Unit::Landings(name.clone());
                let record = self.load(&mut world, &unit)?;
                if name != root && *record != Record::default() {
                    self.replace(&unit, &record, Record::default())?;
                }
            }
            before.push(self.shelf.record(&Unit::Landings(root.clone()))?);
        }
        let judged = judge_landings(&world, &roots);
        let is_whole = whole(&world, &judged, &before);
        let mut done = Vec::new();
        for (((root, before), (after, reads)), is_whole) in
            roots.iter().zip(&before).zip(judged).zip(is_whole)
        {
            let unit = Unit::Landings(root.clone());
            if !is_whole {
                self.hints.entry(unit).or_default().extend(reads);
                self.dirty.landings.insert(root.clone());
                continue;
            }
            self.hints.remove(&unit);
            let after = with_reads(&world, after, reads, true);
            place_all(self.shelf, root, before, &after);
            self.replace(&unit, before, after)?;
            done.push(root);
        }
        // They were judged beside each other.
        for root in done {
            self.dirty.landings.remove(root);
        }
        Ok(())
    }

    fn replace(&mut self, unit: &Unit, before: &Record, after: Record) -> Result<(), KeptError> {
        let changed = seen_by_others(before, &after);
        self.shelf.keep(unit, before, after);
        for source in &changed {
            self.changed(source)?;
        }
        Ok(())
    }

    fn things(&mut self, units: Vec<Unit>) -> Result<(), KeptError> {
        let mut world = self.world();
        let mut wanted = BTreeSet::new();
        let mut roots = Vec::new();
        for unit in units {
            match unit {
                Unit::Things(root) => roots.push(root),
                other => {
                    wanted.insert(other);
                }
            }
        }
        let roots = entitlements(&mut world, roots)?;
        for root in &roots {
            let own: Vec<Named> = world.members(root).map(named).collect();
            for name in &own {
                let unit = Unit::Things(name.clone());
                self.dirty.things.remove(&unit);
                if name != root {
                    let record = self.load(&mut world, &unit)?;
                    self.shelf.keep(&unit, &record, Record::default());
                }
            }
        }
        wanted.extend(roots.into_iter().map(Unit::Things));
        let units: Vec<Unit> = wanted.into_iter().collect();
        let mut before = Vec::new();
        for unit in &units {
            if let Unit::Subject(name) = unit
                && let Some(subject) = subject(name)
                && subject.kind != SubjectKind::Person
            {
                world.load_subject(&subject)?;
            }
            before.push(self.load(&mut world, unit)?);
        }
        let judged = judge_things(&world, &units);
        for ((unit, before), (after, reads)) in units.into_iter().zip(before).zip(judged) {
            if !reads.iter().all(|read| world.has(read)) {
                self.hints.entry(unit.clone()).or_default().extend(reads);
                self.dirty.add(unit);
                continue;
            }
            self.hints.remove(&unit);
            let is_entitlement = matches!(unit, Unit::Things(_));
            let mut after = with_reads(&world, after, reads, is_entitlement);
            self.machine(&unit, &before, &after);
            if !is_entitlement {
                // It is its own only member.
                after.members.clear();
            }
            self.shelf.keep(&unit, &before, after);
        }
        Ok(())
    }

    /// A machine that is another one than before changes what its tenants have in common, and how many its
    /// users have.
    fn machine(&mut self, unit: &Unit, before: &Record, after: &Record) {
        let Unit::Subject((kind, id)) = unit else {
            return;
        };
        if *kind != SubjectKind::Seat as u8 {
            return;
        }
        for user in after
            .users
            .iter()
            .filter(|user| !before.users.contains(user))
        {
            self.shelf.install(*user, id);
            self.dirty
                .after
                .insert(Unit::Subject(named(&subject_of(user))));
        }
        if before.digest == after.digest {
            return;
        }
        let tenant = |record: &Record| record.digest.as_ref()?.tenant.clone();
        let (from, to) = (tenant(before), tenant(after));
        if from != to {
            if let Some(from) = &from {
                self.shelf.set_machine(from, id, None);
            }
            if let Some(to) = &to {
                self.shelf.join(to, id);
            }
        }
        if let Some(to) = &to {
            self.shelf.set_machine(to, id, after.digest.as_ref());
        }
        let fleets = from.into_iter().chain(to).map(Unit::Fleet);
        self.dirty.after.extend(fleets);
    }
}

/// Of which entitlements everything was there that was looked at: their own events, and landings that were
/// judged with everything there.
fn whole(
    world: &World<'_>,
    judged: &[(Record, BTreeSet<Source>)],
    before: &[Arc<Record>],
) -> Vec<bool> {
    let all_here = |reads: &BTreeSet<Source>| reads.iter().all(|read| world.has(read));
    let mut is_whole: Vec<bool> = judged.iter().map(|(_, reads)| all_here(reads)).collect();
    let mut unsettled: BTreeSet<Source> = BTreeSet::new();
    let mut added: Vec<bool> = vec![false; judged.len()];
    loop {
        let mut changed = false;
        for (number, (after, _)) in judged.iter().enumerate() {
            let is_new = |flags: &[bool]| flags.get(number) == Some(&false);
            if !is_new(&is_whole) || !is_new(&added) {
                continue;
            }
            if let Some(added) = added.get_mut(number) {
                *added = true;
            }
            let kept = before.get(number).map(|before| before.landings.as_slice());
            let landings = after.landings.iter().chain(kept.unwrap_or_default());
            let shares = landings.flat_map(|one| one.place.shares(&one.landing));
            unsettled.extend(shares.map(Source::Beside));
            changed = true;
        }
        if !changed {
            return is_whole;
        }
        for (is_whole, (_, reads)) in is_whole.iter_mut().zip(judged) {
            *is_whole &= reads.is_disjoint(&unsettled);
        }
    }
}

/// Loads the entitlements that some subjects belong to: the first subject of each.
fn entitlements(world: &mut World<'_>, of: Vec<Named>) -> Result<Vec<Named>, KeptError> {
    let mut roots = BTreeSet::new();
    for name in of {
        if let Some(subject) = subject(&name) {
            world.load_subject(&subject)?;
            roots.extend(world.root(&subject).cloned());
        }
    }
    Ok(roots.into_iter().collect())
}

fn take_some<T: Ord>(from: &mut BTreeSet<T>, most: usize) -> Option<Vec<T>> {
    let mut some = Vec::new();
    while some.len() < most
        && let Some(one) = from.pop_first()
    {
        some.push(one);
    }
    (!some.is_empty()).then_some(some)
}
