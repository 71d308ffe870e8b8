//! What the rules say at any instant of the past: of the histories that are looked at and no more, and of nothing
//! that was found before.
//!
//! The landings beside one are not known from what is kept then. They are those of all entitlements that share
//! something with it at any time, and of these only landings that somebody looks at are judged.

use super::cache::Cache;
use super::landings::fresh;
use super::shelf::Shelf;
use super::unit::{Named, is_of_entitlement};
use super::words;
use super::world::World;
use super::{KeptError, KeptFindings};
use crate::audit::evidence::Word;
use crate::audit::hearing::{Answer, Heard, hear_of, hear_one};
use crate::audit::landing::{Landing, reports_landings};
use crate::audit::others::{Neighbours, Others, Place};
use crate::audit::reads::{Beside, Source};
use crate::audit::report::{Judge, judge};
use crate::audit::walk::{Step, in_words, steps, tell};
use ledger::event::{Event, Payload, subject_of};
use ledger::id::{EventId, Position};
use ledger::store::Store;
use ledger::subject::{Names as _, Subject};
use ledger::time::Timestamp;
use projections::source::Input;
use projections::stored::Stored;
use projections::{Part, Point};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

impl KeptFindings {
    /// What [`walk`](crate::audit::walk::walk) says of a subject at a point in both times, whatever of it is kept.
    /// Costs by the histories that each step looks at; and where a word for a product is not in use at some
    /// instant, by the orders, redemptions and reports of subscriptions that there are.
    pub fn walk(
        &self,
        source: &Stored,
        point: Point,
        subject: &Subject,
        until: Option<EventId>,
    ) -> Result<Option<Vec<Step>>, KeptError> {
        let mut part = Part::new(&self.store, source);
        let steps = part.answer(|histories| steps(&histories.at(point), subject, until))?;
        let Some(mut steps) = steps else {
            return Ok(None);
        };
        let guard = self.shelf();
        let cache = RefCell::<Cache>::default();
        let mut past = Past {
            store: &self.store,
            shelf: &guard.0,
            world: World::new(&self.store, source, point, &cache).by_histories(),
            part,
            roots: BTreeSet::new(),
            loaded: BTreeSet::new(),
            uses: None,
        };
        past.world.load_subject(subject)?;
        // Events about machines are part of what is walked through, whoever it is.
        let whole = past.part.of(subject)?.to_vec();
        past.world.put(Source::from(subject), whole);
        tell(&mut steps, &mut |instant| {
            let (landings, own) = past.hear(instant, subject)?;
            Ok::<_, KeptError>(in_words(subject, landings, own))
        })?;
        Ok(Some(steps))
    }
}

/// When words were used, and by the events at which positions, in order.
type Uses = HashMap<Word, Vec<(Timestamp, Position)>>;

struct Past<'p> {
    store: &'p Store,
    shelf: &'p Shelf,
    world: World<'p>,
    /// The entitlements whose landings count.
    roots: BTreeSet<Named>,
    /// What landings were counted for.
    loaded: BTreeSet<Beside>,
    uses: Option<Uses>,
    part: Part<'p>,
}

impl Past<'_> {
    /// Hears every rule at an instant: on the landings that events of a subject report, and on the subject.
    fn hear(
        &mut self,
        instant: Timestamp,
        subject: &Subject,
    ) -> Result<(Vec<Heard>, Vec<Answer>), KeptError> {
        self.world.point.valid_at = instant;
        let own = self.world.events_of(subject);
        let reports = own.filter(|event| reports_landings(event.kind().id));
        let reports: Vec<Event> = reports.cloned().collect();
        self.count(&reports)?;
        // Which words are in use changes with time.
        let mut words: BTreeSet<Word> = BTreeSet::new();
        // Landings that somebody looks at, by their reports.
        let mut needed: BTreeSet<BTreeSet<EventId>> = BTreeSet::new();
        loop {
            let mut reads: Vec<(usize, BTreeSet<Source>)> = Vec::new();
            let histories = self.world.histories();
            let evidence = self.world.evidence(&histories);
            let at = histories.at(self.world.point);
            let mut landings: Vec<Landing> = Vec::new();
            for root in &self.roots {
                landings.extend(fresh(&self.world, &at, &evidence, root));
            }
            landings.sort_by(|a, b| a.order().cmp(&b.order()));
            let places = landings.iter().map(|landing| Place::of(landing, &evidence));
            let places: Vec<Place> = places.collect();
            reads.push((0, self.world.reads.take()));
            let neighbours =
                Neighbours::placed(&landings, places.iter().cloned(), self.world.reads.clone());
            let by = Judge {
                at: &at,
                evidence: &evidence,
                neighbours: &neighbours,
                landings: &landings,
            };
            let mut accused: Vec<bool> = Vec::with_capacity(landings.len());
            for (number, landing) in landings.iter().enumerate() {
                if !needed.contains(&landing.events) {
                    accused.push(false);
                    continue;
                }
                let before = Others::new(&neighbours, &accused);
                let judged = judge(landing, before, &by, Some(landing.cutoff()));
                accused.push(judged.accuses());
                // Only earlier ones count for it.
                reads.push((number, self.world.reads.take()));
            }
            let others = Others::new(&neighbours, &accused);
            let seen: BTreeSet<EventId> = at.of(subject).map(|event| event.id).collect();
            let touched = landings.iter().filter(|one| !one.events.is_disjoint(&seen));
            let heard: Vec<Heard> = touched
                .map(|landing| hear_one(&at, &evidence, others, landing))
                .collect();
            let told = hear_of(&at, &evidence, others, subject);
            reads.push((landings.len(), self.world.reads.take()));
            drop(evidence);
            let mut is_whole = true;
            for (until, reads) in reads {
                for read in reads {
                    is_whole &= !self.load(&read, &mut words)?;
                    let Source::Beside(shared) = &read else {
                        continue;
                    };
                    let all = landings.iter().zip(&places).take(until);
                    for (landing, _) in all.filter(|(one, at)| at.shares(one).contains(shared)) {
                        is_whole &= !needed.insert(landing.events.clone());
                    }
                }
            }
            if is_whole {
                return Ok((heard, told));
            }
        }
    }

    /// Loads what was looked at. Whether anything of it was not there.
    fn load(&mut self, source: &Source, words: &mut BTreeSet<Word>) -> Result<bool, KeptError> {
        match source {
            // Nothing is kept of it that would have to be judged again, and machines are looked at themselves.
            Source::Time(_) | Source::Fleet(_) => Ok(false),
            Source::Word(word) => match words.insert(word.clone()) {
                true => self.witness(word),
                false => Ok(false),
            },
            Source::Beside(shared) => {
                let is_new = self.loaded.insert(shared.clone());
                if is_new {
                    self.share(shared)?;
                }
                Ok(is_new)
            }
            _ if self.world.has(source) => Ok(false),
            Source::Event(id) => {
                self.alone(*id)?;
                Ok(true)
            }
            Source::Subject(..) | Source::Facts(..) | Source::Domain(_) => {
                self.world.load_all([source], self.shelf)?;
                Ok(true)
            }
        }
    }

    /// Counts the landings of all entitlements that may ever have had one that shares something.
    fn share(&mut self, shared: &Beside) -> Result<(), KeptError> {
        let first = match shared {
            Beside::Agreement(license) => subject_of(license),
            Beside::Key(key) => subject_of(key),
            Beside::Number(pcn) => subject_of(pcn),
            Beside::Tenant(tenant) => subject_of(tenant),
            Beside::Root(session) => subject_of(session),
        };
        self.world.load_subject(&first)?;
        let mut events: Vec<Event> = self.world.events_of(&first).cloned().collect();
        if let Beside::Root(_) = shared {
            let derived = events.iter().filter_map(|event| {
                if let Payload::SessionStarted(started) = &event.payload {
                    Some(started.session.subject())
                } else {
                    None
                }
            });
            for session in derived.collect::<BTreeSet<Subject>>() {
                self.world.load_subject(&session)?;
                events.extend(self.world.events_of(&session).cloned());
            }
        }
        if let Beside::Tenant(_) = shared {
            events.retain(|event| {
                reports_landings(event.kind().id)
                    || matches!(event.payload, Payload::TenantRemapped(_))
            });
        }
        self.count(&events)?;
        if let Some(root) = self.world.root(&first) {
            self.roots.insert(root.clone());
        }
        Ok(())
    }

    /// Counts the landings of everything that some events name.
    fn count(&mut self, events: &[Event]) -> Result<(), KeptError> {
        let named = events.iter().flat_map(|event| event.subjects());
        let named: BTreeSet<Subject> = named.filter(|one| is_of_entitlement(one.kind)).collect();
        for subject in named {
            self.world.load_subject(&subject)?;
            self.roots.extend(self.world.root(&subject).cloned());
        }
        Ok(())
    }

    /// Loads an event that uses a word and is seen. Whether there is one.
    fn witness(&mut self, word: &Word) -> Result<bool, KeptError> {
        for at in self.shelf.uses(word)? {
            if self.is_seen(at)? {
                return Ok(true);
            }
        }
        if self.uses.is_none() {
            self.uses = Some(uses(self.store)?);
        }
        let all = self.uses.as_ref().and_then(|uses| uses.get(word));
        for (start, at) in all.cloned().unwrap_or_default() {
            if start > self.world.point.valid_at {
                break;
            }
            if self.is_seen(at)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Loads an event by itself if it is seen.
    fn is_seen(&mut self, at: Position) -> Result<bool, KeptError> {
        let Point { as_of, valid_at } = self.world.point;
        if at > as_of || at > self.world.source_end() {
            return Ok(false);
        }
        let Some(event) = self.store.event(at)? else {
            return Ok(false);
        };
        if event.occurred_at.start > valid_at {
            return Ok(false);
        }
        let input = self.alone(event.id)?;
        Ok(input.is_some_and(|input| input.replaced_by.iter().all(|by| by.position > as_of)))
    }

    /// Loads an event by itself, with all that stands instead of it; `None` if there is no such event.
    fn alone(&mut self, id: EventId) -> Result<Option<Input>, KeptError> {
        let input = self.part.event(id)?.cloned();
        self.world
            .put(Source::Event(id), input.iter().cloned().collect());
        Ok(input)
    }
}

/// When every word was used. Reads all events of the kinds that use any.
fn uses(store: &Store) -> Result<Uses, KeptError> {
    let mut uses = Uses::new();
    for kind in words::KINDS {
        for event in store.of_kind(kind, Position(0)) {
            let event = event?;
            for word in words::of_event(&event) {
                let of = uses.entry(word).or_default();
                of.push((event.occurred_at.start, event.position));
            }
        }
    }
    uses.values_mut().for_each(|of| of.sort_unstable());
    Ok(uses)
}
