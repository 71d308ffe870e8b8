//! As much of a log as some units look at: loaded by what was looked at and is not there, until nothing is
//! missing.
//!
//! Everything that was asked for is here as a whole: all events that name a subject, and whatever else the
//! facts about it are made of. What nobody asked for may be here in part, and nobody looks at it.

use super::KeptError;
use super::cache::Cache;
use super::shelf::Shelf;
use super::unit::{KeptLanding, Named, Unit, is_of_entitlement, named, subject};
use super::words;
use crate::audit::evidence::{Evidence, Word};
use crate::audit::reads::{Beside, Reads, Source};
use crate::audit::rules::Digest;
use crate::audit::streamed::role::Role;
use ledger::event::{Event, Payload};
use ledger::id::{EventId, Position, SessionId, TenantId};
use ledger::kinds;
use ledger::secret::DomainId;
use ledger::store::Store;
use ledger::subject::{Names, Subject, SubjectKind};
use projections::source::{Input, Replacer};
use projections::stored::{Stored, domains_of, keeps};
use projections::{Histories, Point};
use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};

pub(super) struct World<'w> {
    pub store: &'w Store,
    pub source: &'w Stored,
    pub point: Point,
    cache: &'w RefCell<Cache>,
    /// Events that are taken to have happened, each at a position of its own.
    assumed: &'w [Event],
    /// What is looked at.
    pub reads: Reads,
    inputs: HashMap<Position, Input>,
    subjects: HashMap<Subject, Vec<Position>>,
    /// The first subject of the entitlement of each of its subjects.
    roots: HashMap<Subject, Named>,
    members: HashMap<Named, BTreeSet<Subject>>,
    /// Everything else that was asked for.
    loaded: HashSet<Source>,
    /// An event that uses a word.
    witnesses: HashMap<Word, EventId>,
    /// The landings of entitlements that share something with what was asked for.
    pub beside: HashMap<Named, Vec<KeptLanding>>,
    fleets: HashMap<TenantId, Vec<(Subject, Digest)>>,
}

impl<'w> World<'w> {
    pub fn new(
        store: &'w Store,
        source: &'w Stored,
        point: Point,
        cache: &'w RefCell<Cache>,
    ) -> Self {
        Self {
            store,
            source,
            point,
            cache,
            assumed: &[],
            reads: Reads::noted(),
            inputs: HashMap::new(),
            subjects: HashMap::new(),
            roots: HashMap::new(),
            members: HashMap::new(),
            loaded: HashSet::new(),
            witnesses: HashMap::new(),
            beside: HashMap::new(),
            fleets: HashMap::new(),
        }
    }

    /// The same, where some events have happened besides.
    pub fn assuming(self, assumed: &'w [Event]) -> Self {
        Self { assumed, ..self }
    }

    /// Loads everything of some sources that is not there. Whether anything was not.
    pub fn load_all<'s>(
        &mut self,
        sources: impl IntoIterator<Item = &'s Source>,
        shelf: &Shelf,
    ) -> Result<bool, KeptError> {
        let mut loaded = false;
        for source in sources {
            loaded |= self.load(source, shelf)?;
        }
        Ok(loaded)
    }

    fn load(&mut self, source: &Source, shelf: &Shelf) -> Result<bool, KeptError> {
        match source {
            Source::Time(_) => return Ok(false),
            Source::Subject(kind, id) => {
                let Some(subject) = subject(&(*kind, id.clone())) else {
                    return Ok(false);
                };
                return self.load_subject(&subject);
            }
            _ if !self.loaded.insert(source.clone()) => return Ok(false),
            Source::Domain(domain) => self.load_domain(domain)?,
            Source::Event(id) => self.load_event(*id, shelf)?,
            Source::Word(word) => {
                let uses = |event: &&Event| words::of_event(event).contains(word);
                let assumed = self.assumed.iter().find(uses).cloned();
                let event = match assumed {
                    Some(event) => Some(event),
                    None => words::witness(self, shelf, word)?,
                };
                if let Some(event) = event {
                    self.witnesses.insert(word.clone(), event.id);
                    self.add_seen(event);
                }
            }
            Source::Beside(shared) => self.load_beside(shared, shelf)?,
            Source::Fleet(tenant) => self.load_fleet(tenant, shelf)?,
        }
        Ok(true)
    }

    /// Loads the events that say who verified a domain.
    pub fn load_domain(&mut self, domain: &DomainId) -> Result<(), KeptError> {
        let events = self.source.of_domain(domain)?;
        self.add(events);
        self.assume(|event| domains_of(event).contains(domain));
        Ok(())
    }

    /// Loads a subject with all that its facts are made of. Whether it was not there.
    pub fn load_subject(&mut self, subject: &Subject) -> Result<bool, KeptError> {
        if is_of_entitlement(subject.kind) {
            return self.load_entitlement(subject);
        }
        if self.subjects.contains_key(subject) {
            return Ok(false);
        }
        let events = self.load_events(subject)?;
        for event in events {
            match subject.kind {
                SubjectKind::Session => self.follow_session(subject, event)?,
                SubjectKind::Subscription => self.follow_subscription(event)?,
                _ => {}
            }
        }
        Ok(true)
    }

    /// A link that was opened in a session may be all that says for which agreement; and sessions that
    /// derive from one belong to it.
    fn follow_session(&mut self, session: &Subject, event: Position) -> Result<(), KeptError> {
        let Some(input) = self.inputs.get(&event) else {
            return Ok(());
        };
        let mut more = Vec::new();
        if let Payload::ActivationLinkOpened(opened) = &input.event.payload {
            more.extend(opened.license_id.is_none().then(|| opened.link.subject()));
        } else if let Payload::SessionStarted(started) = &input.event.payload {
            let is_root = |root: &SessionId| root.subject() == *session;
            let derives = started.root_session.as_ref().is_some_and(is_root);
            more.extend(derives.then(|| started.session.subject()));
        }
        for subject in more {
            self.load_subject(&subject)?;
        }
        Ok(())
    }

    /// Which agreement brought a subscription is known by the key.
    fn follow_subscription(&mut self, event: Position) -> Result<(), KeptError> {
        let Some(input) = self.inputs.get(&event) else {
            return Ok(());
        };
        let by = if let Payload::KeysRedeemed(redeemed) = &input.event.payload {
            redeemed.redemption.subject()
        } else if let Payload::CreditLotActivated(lot) = &input.event.payload {
            lot.lot.subject()
        } else {
            return Ok(());
        };
        self.load_entitlement(&by)?;
        Ok(())
    }

    /// Loads all subjects of an entitlement: those that events name beside each other.
    fn load_entitlement(&mut self, first: &Subject) -> Result<bool, KeptError> {
        if self.roots.contains_key(first) {
            return Ok(false);
        }
        let mut members = BTreeSet::from([first.clone()]);
        let mut open = vec![first.clone()];
        while let Some(subject) = open.pop() {
            for event in self.load_events(&subject)? {
                let Some(input) = self.inputs.get(&event) else {
                    continue;
                };
                if names_side_by_side(&input.event) {
                    continue;
                }
                let others = input.event.subjects().into_iter();
                for other in others.filter(|other| is_of_entitlement(other.kind)) {
                    if members.insert(other.clone()) {
                        open.push(other);
                    }
                }
            }
        }
        let root = members.first().map_or_else(|| named(first), named);
        for member in &members {
            self.roots.insert(member.clone(), root.clone());
        }
        self.members.insert(root, members);
        Ok(true)
    }

    /// Loads the events that name one subject: their positions.
    fn load_events(&mut self, subject: &Subject) -> Result<Vec<Position>, KeptError> {
        if let Some(events) = self.subjects.get(subject) {
            return Ok(events.clone());
        }
        let held = self.cache.borrow_mut().get(subject);
        let events = match held {
            Some(events) => events,
            None => {
                let events = self.source.history(subject)?;
                self.cache.borrow_mut().put(subject, events.clone());
                events
            }
        };
        let mut positions: Vec<Position> =
            events.iter().map(|input| input.event.position).collect();
        self.add(events);
        positions.extend(self.assume(|event| {
            keeps(subject.kind, event.kind().id) && event.subjects().contains(subject)
        }));
        self.subjects.insert(subject.clone(), positions.clone());
        Ok(positions)
    }

    /// Adds an event by itself: what others are made of it is not here, and is not looked at. `None` if there is
    /// none at a position of the stored inputs.
    pub fn load_alone(&mut self, event: &Event) -> Result<Option<&Input>, KeptError> {
        let kind = event.kind().id;
        let subjects = event.subjects().into_iter();
        let mut keepers = subjects.filter(|subject| keeps(subject.kind, kind));
        let position = event.position;
        if let Some(keeper) = keepers.next()
            && !self.inputs.contains_key(&position)
        {
            let mut kept = self.source.history(&keeper)?;
            kept.retain(|input| input.event.position == position);
            self.add(kept);
        }
        Ok(self.inputs.get(&position))
    }

    /// Adds to the events of a subject, which is loaded, those about machines that are kept with the machines
    /// alone.
    pub fn load_machines_of(&mut self, subject: &Subject) -> Result<(), KeptError> {
        let known = self.subjects.get(subject).map_or(0, Vec::len);
        let known = u64::try_from(known).unwrap_or(u64::MAX);
        if self.store.revision(subject)?.0 <= known {
            return Ok(());
        }
        let mut more = Vec::new();
        for event in self.store.history(subject, Position(0)) {
            let event = event?;
            if event.position > self.source_end() {
                break;
            }
            if keeps(subject.kind, event.kind().id) {
                continue;
            }
            more.push(event.position);
            let machines = event.subjects().into_iter();
            let mut machines = machines.filter(|one| one.kind == SubjectKind::Seat);
            machines.try_for_each(|machine| self.load_subject(&machine).map(|_| ()))?;
        }
        let events = self.subjects.entry(subject.clone()).or_default();
        events.extend(more);
        Ok(())
    }

    /// The events that name a subject, once it is loaded.
    pub fn events_of(&self, subject: &Subject) -> impl Iterator<Item = &Event> {
        let events = self.subjects.get(subject).into_iter().flatten();
        events.filter_map(|position| Some(&*self.inputs.get(position)?.event))
    }

    fn add(&mut self, events: Vec<Input>) {
        for input in events {
            // Every list that has an event knows all that stands instead of it.
            self.inputs.entry(input.event.position).or_insert(input);
        }
    }

    /// Adds the assumed events that are wanted: their positions.
    fn assume(&mut self, wanted: impl Fn(&Event) -> bool) -> Vec<Position> {
        let wanted: Vec<&Event> = self.assumed.iter().filter(|event| wanted(event)).collect();
        wanted
            .into_iter()
            .map(|event| {
                self.add_seen(event.clone());
                event.position
            })
            .collect()
    }

    fn add_seen(&mut self, event: Event) {
        let position = event.position;
        self.inputs.entry(position).or_insert_with(|| Input {
            event: event.into(),
            replaced_by: Vec::new(),
        });
    }

    fn load_event(&mut self, id: EventId, shelf: &Shelf) -> Result<(), KeptError> {
        if !self.assume(|event| event.id == id).is_empty() {
            return Ok(());
        }
        let event = self.store.find(id)?;
        let Some(event) = event.filter(|event| event.position <= self.source_end()) else {
            return Ok(());
        };
        // A correction that came after it is known to the shelf, one that came before to the stored inputs.
        let is_hidden =
            self.source.hiding(self.store, &event)?.is_hidden || shelf.is_hidden(event.position)?;
        if !is_hidden && event.occurred_at.start <= self.point.valid_at {
            for word in words::of_event(&event) {
                self.loaded.insert(Source::Word(word.clone()));
                self.witnesses.entry(word).or_insert(event.id);
            }
        }
        let replaced_by = match is_hidden {
            true => vec![Replacer {
                position: Position(0),
                id: event.id,
            }],
            false => Vec::new(),
        };
        let input = Input {
            event: event.into(),
            replaced_by,
        };
        self.add(vec![input]);
        Ok(())
    }

    pub fn source_end(&self) -> Position {
        projections::source::Source::end(self.source)
    }

    fn load_beside(&mut self, shared: &Beside, shelf: &Shelf) -> Result<(), KeptError> {
        for root in shelf.places(shared)? {
            if let Entry::Vacant(place) = self.beside.entry(root) {
                let record = shelf.record(&Unit::Landings(place.key().clone()))?;
                place.insert(record.landings);
            }
        }
        Ok(())
    }

    fn load_fleet(&mut self, tenant: &TenantId, shelf: &Shelf) -> Result<(), KeptError> {
        let mut machines = Vec::new();
        for machine in shelf.fleet(tenant)? {
            let unit = Unit::Subject((SubjectKind::Seat as u8, machine.clone()));
            let digest = shelf.record(&unit)?.digest;
            let here = digest.filter(|digest| digest.tenant.as_ref() == Some(tenant));
            machines.extend(here.map(|digest| (Subject::new(SubjectKind::Seat, machine), digest)));
        }
        self.fleets.insert(tenant.clone(), machines);
        Ok(())
    }

    /// The machines of a tenant, once they are loaded.
    pub fn fleet(&self, tenant: &TenantId) -> &[(Subject, Digest)] {
        self.fleets.get(tenant).map_or(&[], Vec::as_slice)
    }

    /// The first subject of the entitlement that a subject belongs to, once it is loaded.
    pub fn root(&self, subject: &Subject) -> Option<&Named> {
        self.roots.get(subject)
    }

    /// The subjects of an entitlement, once it is loaded.
    pub fn members(&self, root: &Named) -> impl Iterator<Item = &Subject> {
        self.members.get(root).into_iter().flatten()
    }

    /// What is looked at instead of what was: an event that uses a word stands for the word, so that nothing
    /// is judged again because it is used again.
    pub fn in_short(&self, reads: BTreeSet<Source>) -> BTreeSet<Source> {
        let short = reads.into_iter().map(|read| match &read {
            Source::Word(word) => match self.witnesses.get(word) {
                Some(event) => Source::Event(*event),
                None => read,
            },
            _ => read,
        });
        short.collect()
    }

    /// The histories of everything that was loaded.
    pub fn histories(&self) -> Histories {
        let subjects = self.subjects.iter();
        Histories::of_some(
            self.inputs.values().cloned(),
            subjects.map(|(subject, events)| (subject.clone(), events.clone())),
            self.reads.watch(),
        )
    }

    /// The evidence of everything that was loaded.
    pub fn evidence(&self, histories: &Histories) -> Evidence {
        let at = histories.at(self.point);
        let mut evidence = Evidence::watched(self.point.valid_at, &self.reads);
        for event in at.all_of(Evidence::is_mail) {
            evidence.index(event);
        }
        for event in at.all() {
            match Role::of(&event.payload) {
                Role::Machines => evidence.tell(event.id, event.occurred_at),
                Role::Both | Role::Rest | Role::Told => evidence.take(event),
            }
        }
        let kept = self.beside.values().flatten();
        for (event, at) in kept.flat_map(|landing| &landing.times) {
            evidence.tell(*event, *at);
        }
        evidence.end();
        // Nothing of that was a judgement.
        self.reads.take();
        evidence
    }
}

/// Whether an event names agreements side by side without tying one's things to the other.
fn names_side_by_side(event: &Event) -> bool {
    matches!(
        event.payload,
        kinds![AgreementRenewedAs CaseOpened TenantRemapped]
    )
}
