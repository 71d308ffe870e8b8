//! From events to the units that have to be judged again, and judging them.

use super::KeptError;
use super::cache::Cache;
use super::landings::{judge_landings, place_all, seen_by_others, with_reads};
use super::shelf::{Due, Shelf, State, Told};
use super::things::judge_things;
use super::touched::Touched;
use super::unit::{Named, Record, Unit, is_of_entitlement, named, subject};
use super::words::{self, USES_NOTED};
use super::world::{Assumed, World};
use crate::audit::evidence::Mailbox;
use crate::audit::reads::{Facet, Key as _, Source};
use crate::audit::streamed::role::Role;
use ledger::event::{Event, Payload, subject_of};
use ledger::id::{Position, TenantId};
use ledger::kinds;
use ledger::secret::PersonId;
use ledger::store::Store;
use ledger::subject::{Subject, SubjectKind};
use projections::Point;
use projections::stored::Stored;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

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
        linked: BTreeSet::new(),
    };
    for due in taking.shelf.due(state.valid_at, point.valid_at)? {
        match due {
            Due::Unit(unit) => taking.dirty.add(unit),
            Due::Event(at) => {
                if let Some(event) = store.event(at)? {
                    taking.touch(&event, &Touched::by(&event), false)?;
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
        linked,
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
        hints: HashMap::new(),
        linked,
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
    assumed: &[Assumed],
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
        linked: BTreeSet::new(),
    };
    for assumed in assumed {
        taking.touch(&assumed.input.event, &assumed.touched, true)?;
    }
    let Taking {
        dirty,
        sources,
        linked,
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
        hints: HashMap::new(),
        linked,
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
    /// What looks at machines, once these are judged: persons and fleets.
    after: BTreeSet<Unit>,
}

impl Dirty {
    fn add(&mut self, unit: Unit) {
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
    /// Subjects of entitlements of which events say something that makes other events say more.
    linked: BTreeSet<Named>,
}

impl Taking<'_> {
    fn event(&mut self, event: &Event) -> Result<(), KeptError> {
        let touched = Touched::by(event);
        let hiding = self.source.hiding(self.store, event)?;
        let is_hidden = hiding.is_hidden || self.shelf.is_hidden(event.position)?;
        let has_happened = event.occurred_at.start <= self.point.valid_at;
        self.touch(event, &touched, has_happened && !is_hidden)?;
        for word in words::of_event(event) {
            if self.shelf.uses(&word)?.len() < USES_NOTED {
                self.shelf.note_use(&word, event.position);
            }
        }
        let mut cache = self.cache.borrow_mut();
        cache.add(event, &touched.lists, is_hidden);
        drop(cache);
        if is_hidden {
            self.shelf.hide(event.position);
        } else if has_happened {
            self.see(event)?;
        }
        if !has_happened {
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
        let touched = Touched::by(&event);
        self.touch(&event, &touched, false)?;
        self.cache.borrow_mut().forget(&touched.lists);
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

    /// Notes what an event changes; `is_new` says that it was not known before and is seen from now on.
    fn touch(&mut self, event: &Event, touched: &Touched, is_new: bool) -> Result<(), KeptError> {
        for subject in event.subjects() {
            self.own(&subject, event, touched.role);
        }
        let all = touched.lists.iter().chain(&touched.facts);
        let not_by_value =
            all.filter(|source| !matches!(source, Source::Facts(Facet::Mailbox, ..)));
        self.sources.extend(not_by_value.cloned());
        for (person, mailbox) in &touched.mailboxes {
            if self.is_told_of(*person, *mailbox, is_new)? {
                self.sources.insert(person.source(Facet::Mailbox));
            }
        }
        self.sources
            .extend(words::of_event(event).into_iter().map(Source::Word));
        Ok(())
    }

    /// Whether what an event says of a mailbox may be another thing than was known of it.
    fn is_told_of(
        &mut self,
        person: PersonId,
        mailbox: Mailbox,
        is_new: bool,
    ) -> Result<bool, KeptError> {
        let before = self.shelf.mailbox(person)?;
        let told = match (before, is_new) {
            (None, true) => Told::Only(mailbox),
            (Some(Told::Only(before)), true) if before == mailbox => return Ok(false),
            _ => Told::Unsure,
        };
        if before != Some(told) {
            self.shelf.set_mailbox(person, told);
        }
        Ok(true)
    }

    /// The unit that a subject is or belongs to, if an event of a role can change what is found of it
    /// otherwise than by what it looks at.
    fn own(&mut self, subject: &Subject, event: &Event, role: Role) {
        let unit = match subject.kind {
            kind if is_of_entitlement(kind) => {
                self.dirty.landings.insert(named(subject));
                if links(event) {
                    self.linked.insert(named(subject));
                }
                Unit::Things(named(subject))
            }
            SubjectKind::Seat if role.is_of_machines() => Unit::Subject(named(subject)),
            // Machines that are named beside a person are known once they are judged themselves.
            SubjectKind::Person if matches!(event.payload, Payload::PersonsMerged(_)) => {
                Unit::Subject(named(subject))
            }
            SubjectKind::Tenant
            | SubjectKind::Session
            | SubjectKind::Subscription
            | SubjectKind::Pcn
                if role == Role::Both || role == Role::Rest =>
            {
                Unit::Subject(named(subject))
            }
            // No rule is about them, or what the event says of them is none of its business.
            _ => return,
        };
        self.dirty.add(unit);
    }
}

/// Whether an event can make others of its entitlement say something else: they are told of a mail, a link or
/// a key, and this one says of which agreement that is.
fn links(event: &Event) -> bool {
    matches!(
        event.payload,
        kinds![
            ActivationEmailForwarded ActivationEmailResent ActivationEmailSent
            ActivationLinkOpened KeyIssued KeyReissued
        ]
    )
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
    /// What is looked at for units of which it was not all there.
    hints: HashMap<Unit, BTreeSet<Source>>,
    linked: BTreeSet<Named>,
    units: usize,
    assumed: &'j [Assumed],
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
