//! From events to the units that have to be judged again, and judging them.

use super::KeptError;
use super::cache::Cache;
use super::landings::{judge_landings, place_all, seen_by_others};
use super::shelf::{Due, Shelf, State};
use super::things::judge_things;
use super::unit::{Named, Record, Unit, is_of_entitlement, named, subject};
use super::words::{self, USES_NOTED};
use super::world::World;
use crate::audit::reads::Source;
use crate::audit::streamed::role::Role;
use ledger::event::Event;
use ledger::id::{Position, TenantId};
use ledger::store::Store;
use ledger::subject::{Subject, SubjectKind};
use projections::Point;
use projections::stored::{Stored, domains_of, keeps};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};

/// Takes in the events after the end of a state and up to a position, and the time since, and judges
/// everything again that they change. `units` are judged together at most.
pub(super) fn take_in(
    store: &Store,
    source: &Stored,
    (shelf, cache): (&mut Shelf, &RefCell<Cache>),
    (state, until): (State, Position),
    point: Point,
    units: usize,
) -> Result<(), KeptError> {
    let mut taking = Taking {
        store,
        source,
        shelf,
        cache,
        point,
        state,
        dirty: Dirty::default(),
        sources: HashSet::new(),
    };
    for due in taking.shelf.due(state.valid_at, point.valid_at)? {
        match due {
            Due::Unit(unit) => taking.dirty.add(unit),
            Due::Event(at) => {
                if let Some(event) = store.event(at)? {
                    taking.touch(&event);
                    if !taking.shelf.is_hidden(at)? {
                        taking.see(&event)?;
                    }
                }
            }
        }
    }
    for event in store.read_between(state.end, until) {
        taking.event(&event?)?;
    }
    let Taking {
        dirty,
        sources,
        mut state,
        shelf,
        ..
    } = taking;
    let mut judging = Judging {
        store,
        source,
        shelf,
        cache,
        point,
        dirty,
        units,
        assumed: &[],
    };
    for source in &sources {
        judging.changed(source)?;
    }
    judging.all()?;
    state.end = until;
    state.valid_at = point.valid_at;
    judging.shelf.set_state(state);
    Ok(())
}

/// Judges everything again that some events would change, as if they had happened. What they change is left on
/// the shelf, to be looked at and forgotten.
pub(super) fn assume(
    store: &Store,
    source: &Stored,
    (shelf, cache): (&mut Shelf, &RefCell<Cache>),
    (state, point): (State, Point),
    assumed: &[Event],
    units: usize,
) -> Result<(), KeptError> {
    let mut taking = Taking {
        store,
        source,
        shelf,
        cache,
        point,
        state,
        dirty: Dirty::default(),
        sources: HashSet::new(),
    };
    for event in assumed {
        taking.touch(event);
    }
    let Taking {
        dirty,
        sources,
        shelf,
        ..
    } = taking;
    let mut judging = Judging {
        store,
        source,
        shelf,
        cache,
        point,
        dirty,
        units,
        assumed,
    };
    for source in &sources {
        judging.changed(source)?;
    }
    judging.all()
}

/// Units that have to be judged again.
#[derive(Default)]
struct Dirty {
    landings: BTreeSet<Named>,
    things: BTreeSet<Unit>,
    fleets: BTreeSet<TenantId>,
}

impl Dirty {
    fn add(&mut self, unit: Unit) {
        match unit {
            Unit::Landings(root) => {
                self.landings.insert(root);
            }
            Unit::Fleet(tenant) => {
                self.fleets.insert(tenant);
            }
            Unit::Things(_) | Unit::Subject(_) => {
                self.things.insert(unit);
            }
        }
    }
}

/// Events that are taken in.
struct Taking<'t> {
    store: &'t Store,
    source: &'t Stored,
    shelf: &'t mut Shelf,
    cache: &'t RefCell<Cache>,
    point: Point,
    state: State,
    dirty: Dirty,
    sources: HashSet<Source>,
}

impl Taking<'_> {
    fn event(&mut self, event: &Event) -> Result<(), KeptError> {
        self.touch(event);
        let hiding = self.source.hiding(self.store, event)?;
        for word in words::of_event(event) {
            if self.shelf.uses(&word)?.len() < USES_NOTED {
                self.shelf.note_use(&word, event.position);
            }
        }
        let is_hidden = hiding.is_hidden || self.shelf.is_hidden(event.position)?;
        self.cache.borrow_mut().add(event, is_hidden);
        if is_hidden {
            self.shelf.hide(event.position);
        } else if event.occurred_at.start <= self.point.valid_at {
            self.see(event)?;
        }
        if event.occurred_at.start > self.point.valid_at {
            let due = Due::Event(event.position);
            self.shelf.wait(event.occurred_at.start, due);
        }
        for target in hiding.hides {
            self.hide(target, event.position)?;
        }
        Ok(())
    }

    /// Another event stands instead of one from now on.
    fn hide(&mut self, target: Position, by: Position) -> Result<(), KeptError> {
        let Some(event) = self.store.event(target)? else {
            return Ok(());
        };
        self.touch(&event);
        self.cache.borrow_mut().forget(&event);
        if self.shelf.is_hidden(target)? {
            return Ok(());
        }
        self.shelf.hide(target);
        let was_seen = target <= by && event.occurred_at.start <= self.point.valid_at;
        if was_seen {
            self.state.events = self.state.events.saturating_sub(1);
            self.forget(&event, by)?;
        }
        Ok(())
    }

    /// Counts an event that is seen from now on.
    fn see(&mut self, event: &Event) -> Result<(), KeptError> {
        self.state.events += 1;
        for tenant in tenants(event) {
            if self.shelf.witness(&tenant)?.is_none() {
                self.shelf.set_witness(&tenant, Some(event.position));
                self.state.tenants += 1;
            }
        }
        Ok(())
    }

    /// Looks for others that name the same tenants, if an event that is seen no more spoke for them.
    fn forget(&mut self, event: &Event, counted: Position) -> Result<(), KeptError> {
        for tenant in tenants(event) {
            if self.shelf.witness(&tenant)? != Some(event.position) {
                continue;
            }
            let mut witness = None;
            let subject = ledger::event::subject_of(&tenant);
            for other in self.store.history(&subject, Position(0)) {
                let other = other?;
                let is_seen = other.occurred_at.start <= self.point.valid_at
                    && other.position <= counted
                    && !self.shelf.is_hidden(other.position)?;
                if is_seen {
                    witness = Some(other.position);
                    break;
                }
            }
            if witness.is_none() {
                self.state.tenants = self.state.tenants.saturating_sub(1);
            }
            self.shelf.set_witness(&tenant, witness);
        }
        Ok(())
    }

    /// Notes what an event changes, whether it is seen or not.
    fn touch(&mut self, event: &Event) {
        let kind = event.kind().id;
        for subject in event.subjects() {
            if keeps(subject.kind, kind) {
                self.sources.insert(Source::from(&subject));
            }
            self.own(&subject, event);
        }
        self.sources
            .extend(domains_of(event).into_iter().map(Source::Domain));
        self.sources
            .extend(words::of_event(event).into_iter().map(Source::Word));
        self.sources.insert(Source::Event(event.id));
    }

    /// The unit that a subject is or belongs to.
    fn own(&mut self, subject: &Subject, event: &Event) {
        let role = Role::of(&event.payload);
        let unit = match subject.kind {
            kind if is_of_entitlement(kind) => {
                self.dirty.landings.insert(named(subject));
                Unit::Things(named(subject))
            }
            SubjectKind::Seat | SubjectKind::Person if role.is_of_machines() => {
                Unit::Subject(named(subject))
            }
            SubjectKind::Tenant if role != Role::Machines => Unit::Subject(named(subject)),
            SubjectKind::Session | SubjectKind::Subscription | SubjectKind::Pcn => {
                Unit::Subject(named(subject))
            }
            // No rule is about them, or what the event says of them is none of its business.
            _ => return,
        };
        self.dirty.things.insert(unit);
    }
}

fn tenants(event: &Event) -> BTreeSet<TenantId> {
    let named = event.subjects().into_iter();
    let named = named.filter(|subject| subject.kind == SubjectKind::Tenant);
    named
        .filter_map(|subject| TenantId::new(&subject.id).ok())
        .collect()
}

/// Units that are judged again.
struct Judging<'j> {
    store: &'j Store,
    source: &'j Stored,
    shelf: &'j mut Shelf,
    cache: &'j RefCell<Cache>,
    point: Point,
    dirty: Dirty,
    units: usize,
    assumed: &'j [Event],
}

impl<'j> Judging<'j> {
    fn world(&self) -> World<'j> {
        World::new(self.store, self.source, self.point, self.cache).assuming(self.assumed)
    }

    /// What looked at something has to be judged again.
    fn changed(&mut self, source: &Source) -> Result<(), KeptError> {
        for unit in self.shelf.readers(source)? {
            self.dirty.add(unit);
        }
        Ok(())
    }

    fn all(&mut self) -> Result<(), KeptError> {
        while let Some(roots) = take_some(&mut self.dirty.landings, self.units) {
            self.landings(roots)?;
        }
        while let Some(units) = take_some(&mut self.dirty.things, self.units) {
            self.things(units)?;
        }
        while let Some(tenants) = take_some(&mut self.dirty.fleets, self.units) {
            let units = tenants.into_iter().map(Unit::Fleet);
            self.things(units.collect())?;
        }
        Ok(())
    }

    fn landings(&mut self, roots: Vec<Named>) -> Result<(), KeptError> {
        let mut world = self.world();
        let roots = entitlements(&mut world, roots)?;
        let mut before = Vec::new();
        for root in &roots {
            // What was kept under the name of any of its subjects is kept under one name now.
            let own: Vec<Named> = world.members(root).map(named).collect();
            for name in &own {
                self.dirty.landings.remove(name);
                let unit = Unit::Landings(name.clone());
                let record = self.shelf.record(&unit)?;
                world.load_all(&record.reads, self.shelf)?;
                if name != root && record != Record::default() {
                    self.replace(&unit, &record, Record::default())?;
                }
            }
            before.push(self.shelf.record(&Unit::Landings(root.clone()))?);
        }
        let after = judge_landings(&mut world, self.shelf, &roots)?;
        for ((root, before), after) in roots.iter().zip(before).zip(after) {
            place_all(self.shelf, root, &before, &after);
            self.replace(&Unit::Landings(root.clone()), &before, after)?;
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
                self.dirty.things.remove(&Unit::Things(name.clone()));
            }
            for name in own.iter().filter(|name| *name != root) {
                let unit = Unit::Things(name.clone());
                let record = self.shelf.record(&unit)?;
                world.load_all(&record.reads, self.shelf)?;
                self.shelf.keep(&unit, &record, Record::default());
            }
        }
        wanted.extend(roots.into_iter().map(Unit::Things));
        let units: Vec<Unit> = wanted.into_iter().collect();
        let mut before = Vec::new();
        for unit in &units {
            if let Unit::Subject(name) = unit
                && let Some(subject) = subject(name)
            {
                world.load_subject(&subject)?;
            }
            let record = self.shelf.record(unit)?;
            world.load_all(&record.reads, self.shelf)?;
            before.push(record);
        }
        let after = judge_things(&mut world, self.shelf, &units)?;
        for ((unit, before), mut after) in units.iter().zip(before).zip(after) {
            self.machine(unit, &before, &after);
            if let Unit::Subject(_) = unit {
                // It is its own only member.
                after.members.clear();
            }
            self.shelf.keep(unit, &before, after);
        }
        Ok(())
    }

    /// A machine that is another one than before changes what its tenants have in common.
    fn machine(&mut self, unit: &Unit, before: &Record, after: &Record) {
        let Unit::Subject((kind, id)) = unit else {
            return;
        };
        if *kind != SubjectKind::Seat as u8 || before.digest == after.digest {
            return;
        }
        let tenant = |record: &Record| record.digest.as_ref()?.tenant.clone();
        let (from, to) = (tenant(before), tenant(after));
        if let Some(to) = to.as_ref().filter(|to| Some(*to) != from.as_ref()) {
            self.shelf.join(to, id);
        }
        self.dirty.fleets.extend(from.into_iter().chain(to));
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
