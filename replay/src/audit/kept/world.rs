//! As much of a log as some units look at: loaded by what was looked at and is not there, until nothing is
//! missing.
//!
//! Everything that was asked for is here as a whole: all events that are in the history of a subject, or that
//! say the facts of a facet about it, and whatever else these are made of. What nobody asked for may be here in
//! part, and nobody looks at it.

use super::KeptError;
use super::cache::{Cache, Entitlement, List};
use super::shelf::{Fleet, Shelf};
use super::touched::{Touched, facets_of, has_list, is_in_history};
use super::unit::{Named, Record, Unit, is_of_entitlement, named, subject};
use super::words;
use crate::audit::evidence::{Evidence, Word};
use crate::audit::reads::{Beside, Facet, Reads, Source};
use crate::audit::rules::{Digest, is_of_seat};
use crate::audit::streamed::role::Role;
use ledger::event::{Event, Payload};
use ledger::id::{EventId, Position, SessionId, TenantId};
use ledger::kinds;
use ledger::secret::PersonId;
use ledger::store::Store;
use ledger::subject::{Names, Subject, SubjectKind};
use projections::source::{Input, Replacer};
use projections::stored::Stored;
use projections::{Histories, Point};
use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// An event that is taken to have happened, and the lists that it is in.
pub(super) struct Assumed {
    pub input: Input,
    pub touched: Touched,
}

impl Assumed {
    /// Of an event at a position of its own.
    pub fn of(event: Event) -> Self {
        Self {
            touched: Touched::by(&event),
            input: Input {
                event: event.into(),
                replaced_by: Vec::new(),
            },
        }
    }
}

pub(super) struct World<'w> {
    pub store: &'w Store,
    pub source: &'w Stored,
    pub point: Point,
    cache: &'w RefCell<Cache>,
    assumed: &'w [Assumed],
    /// What is looked at.
    pub reads: Reads,
    /// The events of everything that was asked for.
    lists: HashMap<Source, List>,
    /// The entitlement of each of its subjects, and by its name.
    entitlements: HashMap<Subject, Entitlement>,
    members: HashMap<Named, Entitlement>,
    /// Everything else that was asked for.
    loaded: HashSet<Source>,
    /// An event that uses a word.
    witnesses: HashMap<Word, EventId>,
    /// The landings of entitlements that share something with what was asked for.
    pub beside: HashMap<Named, Arc<Record>>,
    fleets: HashMap<TenantId, Fleet>,
    /// The machines of persons that were asked for; `None` if the histories are to say it.
    installs: Option<BTreeMap<PersonId, Vec<Subject>>>,
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
            lists: HashMap::new(),
            entitlements: HashMap::new(),
            members: HashMap::new(),
            loaded: HashSet::new(),
            witnesses: HashMap::new(),
            beside: HashMap::new(),
            fleets: HashMap::new(),
            installs: Some(BTreeMap::new()),
        }
    }

    /// The same, where some events have happened besides.
    pub fn assuming(self, assumed: &'w [Assumed]) -> Self {
        Self { assumed, ..self }
    }

    /// The same, where histories say which machines were named beside a person, and not what is kept.
    pub fn by_histories(self) -> Self {
        Self {
            installs: None,
            ..self
        }
    }

    /// Takes a list for that of a source, instead of what is here of it.
    pub fn put(&mut self, source: Source, list: Vec<Input>) {
        self.lists.insert(source, List::new(list));
    }

    /// Loads what was looked at since this was asked last. Whether it was all there.
    pub fn complete(&mut self, shelf: &Shelf) -> Result<bool, KeptError> {
        let reads = self.reads.take();
        let is_whole = reads.iter().all(|read| self.has(read));
        self.load_all(&reads, shelf)?;
        Ok(is_whole)
    }

    /// Loads everything of some sources that is not there.
    pub fn load_all<'s>(
        &mut self,
        sources: impl IntoIterator<Item = &'s Source>,
        shelf: &Shelf,
    ) -> Result<(), KeptError> {
        for source in sources {
            if !self.has(source) {
                self.load(source, shelf)?;
            }
        }
        Ok(())
    }

    /// Whether everything of a source is here.
    pub fn has(&self, source: &Source) -> bool {
        match source {
            Source::Time(_) => true,
            Source::Facts(facet, kind, id) if *facet != Facet::Installs && !has_list(source) => {
                let history = Source::Subject(*kind, id.clone());
                self.lists.contains_key(&history)
            }
            source if has_list(source) => self.lists.contains_key(source),
            source => self.loaded.contains(source),
        }
    }

    fn load(&mut self, source: &Source, shelf: &Shelf) -> Result<(), KeptError> {
        match source {
            Source::Time(_) => {}
            Source::Facts(Facet::Installs, _, id) => {
                self.loaded.insert(source.clone());
                if let Some(person) = PersonId::parse(id)
                    && let Some(installs) = &mut self.installs
                {
                    let machines = shelf.installs(person)?.into_iter();
                    let machines = machines.map(|id| Subject::new(SubjectKind::Seat, id));
                    installs.insert(person, machines.collect());
                }
            }
            Source::Facts(_, kind, id) | Source::Subject(kind, id) => {
                let Some(subject) = subject(&(*kind, id.clone())) else {
                    // No subject that there can be: nothing is known of it.
                    self.lists.insert(source.clone(), List::default());
                    return Ok(());
                };
                match has_list(source) && !facets_of(subject.kind).is_empty() {
                    true => drop(self.list_about(&subject, source)?),
                    false => self.load_subject(&subject)?,
                }
            }
            Source::Domain(domain) => {
                let stored = self.source;
                self.list(source, || Ok(stored.of_domain(domain)?))?;
            }
            Source::Event(id) => self.load_event(*id, shelf)?,
            Source::Word(word) => {
                self.loaded.insert(source.clone());
                let assumed = self.assumed.iter().map(|assumed| &*assumed.input.event);
                let assumed = assumed.filter(|event| words::of_event(event).contains(word));
                let assumed = assumed.map(|event| event.id).next();
                let event = match assumed {
                    Some(event) => Some(event),
                    None => words::witness(self, shelf, word)?.map(|event| event.id),
                };
                if let Some(event) = event {
                    self.load_event(event, shelf)?;
                }
            }
            Source::Beside(shared) => {
                self.loaded.insert(source.clone());
                self.load_beside(shared, shelf)?;
            }
            Source::Fleet(tenant) => {
                self.loaded.insert(source.clone());
                self.fleets.insert(tenant.clone(), shelf.fleet(tenant)?);
            }
        }
        Ok(())
    }

    /// Loads a subject with all that its facts are made of.
    pub fn load_subject(&mut self, subject: &Subject) -> Result<(), KeptError> {
        if is_of_entitlement(subject.kind) {
            return self.load_entitlement(subject);
        }
        let source = Source::from(subject);
        if self.lists.contains_key(&source) {
            return Ok(());
        }
        let events = self.list_about(subject, &source)?;
        for input in events.iter() {
            match subject.kind {
                SubjectKind::Session => self.follow_session(subject, &input.event)?,
                SubjectKind::Subscription => self.follow_subscription(&input.event)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A link that was opened in a session may be all that says for which agreement; and sessions that
    /// derive from one belong to it.
    fn follow_session(&mut self, session: &Subject, event: &Event) -> Result<(), KeptError> {
        if let Payload::ActivationLinkOpened(opened) = &event.payload {
            if opened.license_id.is_none() {
                self.load_entitlement(&opened.link.subject())?;
            }
        } else if let Payload::SessionStarted(started) = &event.payload {
            let is_root = |root: &SessionId| root.subject() == *session;
            if started.root_session.as_ref().is_some_and(is_root) {
                self.load_subject(&started.session.subject())?;
            }
        }
        Ok(())
    }

    /// Which agreement brought a subscription is known by the key.
    fn follow_subscription(&mut self, event: &Event) -> Result<(), KeptError> {
        if let Payload::KeysRedeemed(redeemed) = &event.payload {
            self.load_entitlement(&redeemed.redemption.subject())
        } else if let Payload::CreditLotActivated(lot) = &event.payload {
            self.load_entitlement(&lot.lot.subject())
        } else {
            Ok(())
        }
    }

    /// Loads all subjects of an entitlement: those that events name beside each other.
    fn load_entitlement(&mut self, first: &Subject) -> Result<(), KeptError> {
        if self.entitlements.contains_key(first) {
            return Ok(());
        }
        // With events that have not happened, more belongs together.
        let holds = self.assumed.is_empty();
        let held = match holds {
            true => self.cache.borrow().entitlement(first),
            false => None,
        };
        let entitlement = match held {
            Some(held) => {
                for member in &held.1 {
                    self.list_about(member, &Source::from(member))?;
                }
                held
            }
            None => {
                let members = self.belonging_to(first)?;
                let root = members.first().map_or_else(|| named(first), named);
                let entitlement = Arc::new((root, members));
                if holds {
                    self.cache.borrow_mut().put_entitlement(&entitlement);
                }
                entitlement
            }
        };
        for member in &entitlement.1 {
            let entitlement = Arc::clone(&entitlement);
            self.entitlements.insert(member.clone(), entitlement);
        }
        let root = entitlement.0.clone();
        self.members.insert(root, entitlement);
        Ok(())
    }

    /// Loads all subjects that belong to an entitlement with one.
    fn belonging_to(&mut self, first: &Subject) -> Result<BTreeSet<Subject>, KeptError> {
        let mut members = BTreeSet::from([first.clone()]);
        let mut open = vec![first.clone()];
        while let Some(subject) = open.pop() {
            let events = self.list_about(&subject, &Source::from(&subject))?;
            for input in events.iter() {
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
        Ok(members)
    }

    /// Loads a list about a subject. All of them are made of what names it, so that whatever else of it
    /// was never read of disk is held from now on as well.
    fn list_about(&mut self, subject: &Subject, wanted: &Source) -> Result<List, KeptError> {
        let (cache, stored) = (self.cache, self.source);
        self.list(wanted, || {
            let all = stored.history(subject)?;
            let facets = facets_of(subject.kind);
            if facets.is_empty() {
                return Ok(all
                    .into_iter()
                    .filter(|input| {
                        let role = Role::of(&input.event.payload);
                        is_in_history(subject.kind, &input.event, role)
                    })
                    .collect());
            }
            let (kind, id) = (subject.kind as u8, &subject.id);
            let facts = facets.iter();
            let facts = facts.map(|facet| Source::Facts(*facet, kind, id.clone()));
            let mut lists: Vec<(Source, Vec<Input>)> = facts
                .chain([Source::from(subject)])
                .map(|source| (source, Vec::new()))
                .collect();
            for input in all {
                if Role::of(&input.event.payload) == Role::Machines {
                    continue;
                }
                let touched = Touched::by(&input.event);
                for (source, list) in &mut lists {
                    if touched.lists.contains(source) {
                        list.push(input.clone());
                    }
                }
            }
            let mut found = Vec::new();
            for (source, list) in lists {
                match source == *wanted {
                    true => found = list,
                    false => cache.borrow_mut().put(&source, &Arc::new(list)),
                }
            }
            Ok(found)
        })
    }

    /// Loads a list: of what is held, or as it is read.
    fn list(
        &mut self,
        source: &Source,
        read: impl FnOnce() -> Result<Vec<Input>, KeptError>,
    ) -> Result<List, KeptError> {
        if let Some(list) = self.lists.get(source) {
            return Ok(Arc::clone(list));
        }
        let held = self.cache.borrow_mut().get(source);
        let list = match held {
            Some(list) => list,
            None => {
                let list = List::new(read()?);
                self.cache.borrow_mut().put(source, &list);
                list
            }
        };
        let list = self.with_assumed(source, list);
        self.lists.insert(source.clone(), Arc::clone(&list));
        Ok(list)
    }

    /// A list with the assumed events that are in it.
    fn with_assumed(&self, source: &Source, list: List) -> List {
        let assumed = self.assumed.iter();
        let assumed = assumed.filter(|assumed| assumed.touched.lists.contains(source));
        let mut assumed = assumed.map(|assumed| assumed.input.clone()).peekable();
        if assumed.peek().is_none() {
            return list;
        }
        let mut all: Vec<Input> = list.iter().cloned().chain(assumed).collect();
        all.sort_by_cached_key(|input| input.event.order());
        List::new(all)
    }

    fn load_event(&mut self, id: EventId, shelf: &Shelf) -> Result<(), KeptError> {
        let (store, stored, end) = (self.store, self.source, self.source_end());
        let list = self.list(&Source::Event(id), || {
            let event = store.find(id)?;
            let Some(event) = event.filter(|event| event.position <= end) else {
                return Ok(Vec::new());
            };
            // A correction that came after it is known to the shelf, one that came before to the stored
            // inputs.
            let is_hidden =
                stored.hiding(store, &event)?.is_hidden || shelf.is_hidden(event.position)?;
            let hidden = is_hidden.then_some(Replacer {
                position: Position(0),
                id: event.id,
            });
            Ok(vec![Input {
                event: event.into(),
                replaced_by: hidden.into_iter().collect(),
            }])
        })?;
        for input in list.iter() {
            let is_seen = input.event.occurred_at.start <= self.point.valid_at;
            if !is_seen || !input.replaced_by.is_empty() {
                continue;
            }
            for word in words::of_event(&input.event) {
                self.loaded.insert(Source::Word(word.clone()));
                self.witnesses.entry(word).or_insert(input.event.id);
            }
        }
        Ok(())
    }

    pub fn source_end(&self) -> Position {
        projections::source::Source::end(self.source)
    }

    fn load_beside(&mut self, shared: &Beside, shelf: &Shelf) -> Result<(), KeptError> {
        for root in shelf.places(shared)? {
            if let Entry::Vacant(place) = self.beside.entry(root) {
                let record = shelf.record(&Unit::Landings(place.key().clone()))?;
                place.insert(record);
            }
        }
        Ok(())
    }

    /// The machines of a tenant, once they are loaded.
    pub fn fleet(&self, tenant: &TenantId) -> &[(Subject, Digest)] {
        self.fleets.get(tenant).map_or(&[], |fleet| fleet)
    }

    /// The persons that were ever named beside a machine, which is loaded; sorted.
    pub fn users_of(&self, machine: &Subject) -> Vec<PersonId> {
        let list = self.lists.get(&Source::from(machine));
        let inputs = list.into_iter().flat_map(|list| list.iter());
        let ties = inputs.filter(|input| is_of_seat(&input.event));
        let named = ties.flat_map(|input| input.event.subjects());
        let persons = named.filter(|subject| subject.kind == SubjectKind::Person);
        let persons: BTreeSet<PersonId> = persons
            .filter_map(|person| PersonId::parse(&person.id))
            .collect();
        persons.into_iter().collect()
    }

    /// The events that are in the history of a subject, once it is loaded.
    pub fn events_of(&self, subject: &Subject) -> impl Iterator<Item = &Event> {
        let list = self.lists.get(&Source::from(subject));
        let inputs = list.into_iter().flat_map(|list| list.iter());
        inputs.map(|input| &*input.event)
    }

    /// The first subject of the entitlement that a subject belongs to, once it is loaded.
    pub fn root(&self, subject: &Subject) -> Option<&Named> {
        self.entitlements.get(subject).map(|of| &of.0)
    }

    /// The subjects of an entitlement, once it is loaded.
    pub fn members(&self, root: &Named) -> impl Iterator<Item = &Subject> {
        let entitlement = self.members.get(root).into_iter();
        entitlement.flat_map(|of| &of.1)
    }

    /// Everything that the events of an entitlement say something of and that is no list of its own.
    pub fn facts_of(&self, root: &Named) -> BTreeSet<Source> {
        let lists = self
            .members(root)
            .filter_map(|member| self.lists.get(&Source::from(member)));
        let events: BTreeMap<EventId, &Input> = lists
            .flat_map(|list| list.iter())
            .map(|input| (input.event.id, input))
            .collect();
        let facts = events.values().map(|input| Touched::by(&input.event).facts);
        facts.flatten().collect()
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
        let subjects = self.lists.keys().map(|source| match source {
            Source::Subject(kind, id) => subject(&(*kind, id.clone())),
            _ => None,
        });
        let subjects: Vec<Option<Subject>> = subjects.collect();
        let lists = subjects.iter().zip(self.lists.values());
        let lists = lists.map(|(subject, list)| (subject.as_ref(), list.as_slice()));
        Histories::of_lists(lists, self.reads.watch())
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
        let kept = self.beside.values().flat_map(|record| &record.landings);
        for (event, at) in kept.flat_map(|landing| &landing.times) {
            evidence.tell(*event, *at);
        }
        if let Some(installs) = &self.installs {
            evidence.know_installs(installs.clone());
        }
        evidence.link();
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
