//! From events to the units that have to be judged again.

use super::KeptError;
use super::cache::Cache;
use super::judging::{Dirty, Judging};
use super::shelf::{Due, Shelf, State, Told};
use super::touched::Touched;
use super::unit::{Named, Unit, is_of_entitlement, named};
use super::words::{self, USES_NOTED};
use super::world::Assumed;
use crate::audit::evidence::Mailbox;
use crate::audit::reads::{Facet, Key as _, Source};
use crate::audit::streamed::role::Role;
use ledger::event::{Event, Payload};
use ledger::id::{Position, TenantId};
use ledger::kinds;
use ledger::secret::PersonId;
use ledger::store::Store;
use ledger::subject::{Subject, SubjectKind};
use projections::Point;
use projections::stored::Stored;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};

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
    let mut taking = Taking::new(store, source, (shelf, cache), state, point);
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
    let (mut state, shelf) = taking.judge(units, &[])?;
    state.end = until;
    state.valid_at = point.valid_at;
    shelf.set_state(state);
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
    let mut taking = Taking::new(store, source, (shelf, cache), state, point);
    for assumed in assumed {
        taking.touch(&assumed.input.event, &assumed.touched, true)?;
    }
    taking.judge(units, assumed)?;
    Ok(())
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

impl<'t> Taking<'t> {
    fn new(
        store: &'t Store,
        source: &'t Stored,
        (shelf, cache): (&'t mut Shelf, &'t RefCell<Cache>),
        state: State,
        point: Point,
    ) -> Self {
        Self {
            store,
            source,
            shelf,
            cache,
            point,
            state,
            dirty: Dirty::default(),
            sources: HashSet::new(),
            linked: BTreeSet::new(),
        }
    }

    /// Judges everything again that was noted, as if some events had happened besides: what was counted, and
    /// the shelf with what is kept now.
    fn judge(
        self,
        units: usize,
        assumed: &'t [Assumed],
    ) -> Result<(State, &'t mut Shelf), KeptError> {
        let mut judging = Judging {
            store: self.store,
            source: self.source,
            shelf: self.shelf,
            cache: self.cache,
            point: self.point,
            dirty: self.dirty,
            hints: HashMap::new(),
            linked: self.linked,
            units,
            assumed,
        };
        for source in &self.sources {
            judging.changed(source)?;
        }
        judging.all()?;
        Ok((self.state, judging.shelf))
    }

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
