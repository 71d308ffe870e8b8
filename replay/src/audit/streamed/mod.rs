//! The audit of a log that is too long to be held in memory as a whole.
//!
//! The log is read twice. First for everything but machines, which is held packed, and unpacked where somebody
//! looks. Then, once that is judged and gone, for what is about machines, most of it: that is kept compressed and
//! judged a part at a time. A part is whatever machines, users and tenants are named together, so that each
//! rule finds all that it reads. The report is the one that
//! [`audit`](super::audit) makes of the same events: both judge by the same rules over the same kinds of
//! histories, and a test holds them against each other.

mod links;
mod machines;
mod read;
pub mod role;

use super::beside::{JUDGES, beside};
use super::evidence::Evidence;
use super::finding::Finding;
use super::landing::landings;
use super::others::{Neighbours, Others};
use super::report::{Judge, Report, audit};
use super::subjects::{World, of_one, rules_by_kind};
use ledger::event::{Event, KindId};
use ledger::id::Position;
use ledger::store::{Store, StoreError};
use ledger::subject::{Subject, SubjectKind, SubjectSink};
use machines::Blocks;
use projections::source::Order;
use projections::{Histories, Point};
use role::{Role, Thing, named};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};

/// Why a log could not be audited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event of the log cannot be decoded.
    #[error("the event at position {position} cannot be read: {reason}")]
    Event {
        /// Where it is.
        position: Position,
        /// What the codec said.
        reason: String,
    },
}

/// How much of a log is judged at once.
#[derive(Debug, Clone, Copy)]
pub struct Portions {
    /// Events about machines that are unpacked together: so many at most, unless more belong together.
    pub machine_events: u64,
    /// Other subjects whose events are unpacked together.
    pub subjects: usize,
}

impl Default for Portions {
    fn default() -> Self {
        Self {
            machine_events: 50_000,
            subjects: 4_096,
        }
    }
}

/// Judges every landing and every subject of a log as it is seen from a point. Costs some microseconds an
/// event on two threads, and memory for a part of the log: some hundred bytes for every event that is not
/// about machines, then less than a hundred for every one that is.
pub fn audit_log(store: &Store, point: Point) -> Result<Report, AuditError> {
    let until = store.end().min(point.as_of);
    if until.0 > WHOLE_MAX_EVENTS {
        return audit_in(store, point, Portions::default());
    }
    let events = store.read_between(Position(0), until);
    let events = events.collect::<Result<Vec<_>, _>>()?;
    Ok(audit(&Histories::gather(events).at(point)))
}

/// A log of so many events fits into memory as one history, and is judged sooner so.
const WHOLE_MAX_EVENTS: u64 = 20_000;

/// [`audit_log`] in other portions: for tests.
pub fn audit_in(store: &Store, point: Point, portions: Portions) -> Result<Report, AuditError> {
    let until = store.end().min(point.as_of);
    let read = read::Rest::read(store, until)?;
    let hidden = read.records.hidden();
    let mut rest = Histories::packed(read.rest, &hidden);
    let told = Histories::packed(read.told, &hidden);
    let mut gathered = gather(&rest, &told, point);
    drop(told);
    rest.index(gathered.named.by_subject());
    let evidence = &gathered.evidence;

    let landings = landings(&rest.at(point), evidence);
    rest.forget();
    let neighbours = Neighbours::new(&landings, evidence);
    let (mut judged, without) = {
        let at = rest.at(point);
        let judge = Judge {
            at: &at,
            evidence,
            neighbours: &neighbours,
            landings: &landings,
        };
        let judged = judge.landings();
        let without = judge.without(&judged);
        (judged, without)
    };
    let accused = std::mem::take(&mut judged.accused);
    let others = Others::new(&neighbours, &accused);
    let by_kind = rules_by_kind(World::Rest);
    let rules_of = |kind| by_kind.iter().find(|(of, _)| *of == kind);
    // What one event names first is judged together, so that the event is unpacked once for all of it.
    let named = rest.at(point);
    let named = named.first_named();
    let named = named.filter(|(_, subject)| rules_of(subject.kind).is_some());
    let mut subjects: Vec<(u32, Subject)> = named
        .map(|(first, subject)| (first, subject.clone()))
        .collect();
    subjects.sort_unstable();
    for some in subjects.chunks(portions.subjects.max(1)) {
        rest.forget();
        let found = beside(&rest.at(point), some, |at, (_, subject)| {
            let rules = rules_of(subject.kind).map_or(&[][..], |(_, rules)| rules);
            of_one(at, subject, evidence, others, rules)
        });
        judged.findings.extend(found.into_iter().flatten());
    }
    drop(subjects);
    if let Some((position, error)) = rest.unreadable() {
        return Err(AuditError::Event {
            position: *position,
            reason: error.to_string(),
        });
    }
    drop(rest);

    let (part_of, parts) = read.links.parts(portions.machine_events);
    let parts = read::Machines::read(store, until, (&part_of, parts), &hidden)?;
    drop(part_of);
    let of_machines = Machines {
        point,
        evidence,
        others,
    };
    let mut found = of_machines.judge(parts)?;
    judged.findings.append(&mut found.findings);
    found.tenants.extend(gathered.named.tenants);
    let events = gathered.named.events + found.events;
    Ok(judged.report(point.valid_at, without, events, found.tenants.len()))
}

/// So many events go from the thread that unpacks to the one that gathers at once.
const BATCH: usize = 256;
/// So many batches wait between them at most.
const WAITING: usize = 16;

/// Gathers the evidence, and finds which events name which subjects: one thread unpacks and does this, in fold
/// order, and another one gathers.
fn gather(rest: &Histories, told: &Histories, point: Point) -> Gathered {
    let mut evidence = Evidence::begin(point.valid_at);
    let mut scratch = Vec::new();
    for index in indices(rest) {
        let seen =
            |(order, kind): &(Order, KindId)| Evidence::is_mail(*kind) && order.0 <= point.valid_at;
        if rest.order(index).filter(seen).is_some()
            && let Some(event) = rest.unpack(index, &mut scratch)
        {
            evidence.index(&event);
        }
    }
    let mut named = NamedThere::default();
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel::<Vec<Event>>(WAITING);
        let named = &mut named;
        scope.spawn(move || {
            let mut batch = Vec::with_capacity(BATCH);
            for (event, index) in unpacked(rest, told) {
                if !named.take(&event, index, point) {
                    continue;
                }
                batch.push(event);
                if batch.len() == BATCH {
                    let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                    if send.send(full).is_err() {
                        return;
                    }
                }
            }
            // Nobody receives any more only if the other thread panicked, and then that is told.
            send.send(batch).ok();
        });
        for event in receive.iter().flatten() {
            evidence.take(&event);
        }
    });
    evidence.end();
    Gathered { evidence, named }
}

/// What one pass over everything but the machines gave.
struct Gathered {
    evidence: Evidence,
    named: NamedThere,
}

/// What the events of that pass name.
#[derive(Default)]
struct NamedThere {
    by_kind: BTreeMap<SubjectKind, HashMap<String, Vec<u32>>>,
    /// How many of the events are seen.
    events: usize,
    /// The tenants that they name.
    tenants: BTreeSet<String>,
}

impl NamedThere {
    /// Notes what an event names; `index` is its own, if rules will read it. Events come in the order of their
    /// indices. Whether it is seen.
    fn take(&mut self, event: &Event, index: Option<u32>, point: Point) -> bool {
        let is_seen = event.occurred_at.start <= point.valid_at;
        self.events += usize::from(is_seen);
        event.name_subjects(&mut Naming {
            there: self,
            index,
            is_seen,
        });
        is_seen
    }

    /// Which events name which subjects.
    fn by_subject(&mut self) -> HashMap<Subject, Vec<u32>> {
        let by_kind = std::mem::take(&mut self.by_kind).into_iter();
        let named = by_kind.flat_map(|(kind, ids)| {
            let ids = ids.into_iter();
            ids.map(move |(id, indices)| (Subject { kind, id }, indices))
        });
        named.collect()
    }
}

/// One event that names subjects.
struct Naming<'n> {
    there: &'n mut NamedThere,
    index: Option<u32>,
    is_seen: bool,
}

impl SubjectSink for Naming<'_> {
    fn subject(&mut self, kind: SubjectKind, id: &str) {
        let tenants = &mut self.there.tenants;
        if self.is_seen && kind == SubjectKind::Tenant && !tenants.contains(id) {
            tenants.insert(id.to_owned());
        }
        let Some(index) = self.index else {
            return;
        };
        let ids = self.there.by_kind.entry(kind).or_default();
        match ids.get_mut(id) {
            // An event may name a subject in several fields.
            Some(indices) if indices.last() == Some(&index) => {}
            Some(indices) => indices.push(index),
            None => drop(ids.insert(id.to_owned(), vec![index])),
        }
    }
}

fn indices(histories: &Histories) -> impl Iterator<Item = u32> {
    (0_u32..).take(histories.len())
}

/// The events of two histories in one fold order, each of the first with its index there.
fn unpacked<'h>(
    rest: &'h Histories,
    told: &'h Histories,
) -> impl Iterator<Item = (Event, Option<u32>)> + 'h {
    let mut of_rest = indices(rest).peekable();
    let mut of_told = indices(told).peekable();
    let mut scratch = Vec::new();
    std::iter::from_fn(move || {
        loop {
            let order = |histories: &Histories, index: Option<&u32>| {
                histories.order(*index?).map(|(order, _)| order)
            };
            let next = (order(rest, of_rest.peek()), order(told, of_told.peek()));
            let (event, index) = match next {
                (None, None) => return None,
                (Some(one), Some(other)) if one < other => from(rest, &mut of_rest, &mut scratch)?,
                (Some(_), None) => from(rest, &mut of_rest, &mut scratch)?,
                (_, Some(_)) => {
                    let (event, _) = from(told, &mut of_told, &mut scratch)?;
                    (event, None)
                }
            };
            if let Some(event) = event {
                return Some((event, index));
            }
        }
    })
}

fn from(
    histories: &Histories,
    indices: &mut impl Iterator<Item = u32>,
    scratch: &mut Vec<u8>,
) -> Option<(Option<Event>, Option<u32>)> {
    let index = indices.next()?;
    Some((histories.unpack(index, scratch), Some(index)))
}

/// What the machines are judged by.
struct Machines<'m> {
    point: Point,
    evidence: &'m Evidence,
    others: Others<'m>,
}

/// What judging machines gave.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    events: usize,
    tenants: BTreeSet<String>,
}

impl Machines<'_> {
    /// Judges the machines part by part, on two threads.
    fn judge(&self, parts: Vec<Blocks>) -> Result<Found, AuditError> {
        let sorted: Vec<Mutex<Blocks>> = parts.into_iter().map(Mutex::new).collect();
        let next = AtomicUsize::new(0);
        let work = || -> Result<Found, AuditError> {
            let mut found = Found::default();
            while let Some(part) = sorted.get(next.fetch_add(1, Ordering::Relaxed)) {
                let blocks = {
                    let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
                    std::mem::take(&mut *part)
                };
                self.part(blocks, &mut found)?;
            }
            Ok(found)
        };
        let work = &work;
        std::thread::scope(|scope| {
            let helpers: Vec<_> = (1..JUDGES).map(|_| scope.spawn(work)).collect();
            let mut found = work();
            for helper in helpers {
                let its = match helper.join() {
                    Ok(its) => its,
                    Err(panic) => std::panic::resume_unwind(panic),
                };
                found = found.and_then(|mut found| {
                    let its = its?;
                    found.findings.extend(its.findings);
                    found.events += its.events;
                    found.tenants.extend(its.tenants);
                    Ok(found)
                });
            }
            found
        })
    }

    fn part(&self, blocks: Blocks, found: &mut Found) -> Result<(), AuditError> {
        let events = blocks.events()?;
        let is_own = |event: &&Arc<Event>| {
            // The others were counted with the rest.
            Role::of(&event.payload) == Role::Machines
                && event.occurred_at.start <= self.point.valid_at
        };
        for event in events.iter().filter(is_own) {
            found.events += 1;
            // An actor's own tenant is named, though no rule about machines reads it.
            let actor = event.actor.as_ref();
            if let Some(home) = actor.and_then(|actor| actor.home_tenant.as_ref())
                && !found.tenants.contains(home.as_str())
            {
                found.tenants.insert(home.to_string());
            }
        }
        let mut histories = Histories::seen(events);
        let by_subject = by_subject(&histories);
        histories.index(by_subject);
        let at = histories.at(self.point);
        for (kind, rules) in rules_by_kind(World::Machines) {
            for id in at.subjects(kind).into_keys() {
                let subject = Subject::new(kind, id);
                let findings = of_one(&at, &subject, self.evidence, self.others, &rules);
                found.findings.extend(findings);
            }
        }
        let tenants = at.subjects(SubjectKind::Tenant).into_keys();
        for tenant in tenants {
            if !found.tenants.contains(tenant) {
                found.tenants.insert(tenant.to_owned());
            }
        }
        Ok(())
    }
}

/// Which events name which machine, user and tenant.
fn by_subject(histories: &Histories) -> HashMap<Subject, Vec<u32>> {
    let mut by_thing: HashMap<Thing<'_>, Vec<u32>> = HashMap::new();
    let mut things = Vec::new();
    for (index, event) in histories.events() {
        named(event, &mut things);
        for thing in things.drain(..) {
            by_thing.entry(thing).or_default().push(index);
        }
    }
    let named = by_thing.into_iter();
    named
        .map(|(thing, indices)| (thing.subject(), indices))
        .collect()
}
