//! Where units are kept: lists of values by name ([`ledger::lists`]), of which the last value counts, and
//! what was changed since and is not in them yet.

use super::KeptError;
use super::held::Held;
use super::unit::{Named, Record, Unit, decode, encode};
use crate::audit::evidence::{Mailbox, Word};
use crate::audit::reads::{Beside, Facet, Key as _, Source};
use crate::audit::rules::Digest;
use ledger::id::{Position, TenantId};
use ledger::lists::{Gathering, ListName, Lists, Table};
use ledger::secret::PersonId;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Records, by unit.
const UNITS: Table = Table(0);
/// Who looked at something.
const READERS: Table = Table(1);
/// Which entitlements have landings that share something.
const PLACES: Table = Table(2);
/// The machines that ever were under a tenant, or named beside a person.
const FLEETS: Table = Table(3);
/// What has to be looked at again when an instant is reached.
const TIMES: Table = Table(4);
/// Small facts, each with a name of its own.
const FACTS: Table = Table(5);
/// Units that a report ever showed something of.
const SHOWN: Table = Table(6);

/// Events that another one stands instead of, by position.
const HIDDEN: Table = Table(7);

/// So many bytes of records are held, about, as they are stored.
const RECORDS_HELD_MAX_BYTES: usize = 64 << 20;
/// So many fleets of machines are held: machines.
const MACHINES_HELD_MAX: usize = 1 << 18;
/// So many small facts are held.
const FACTS_HELD_MAX: usize = 1 << 17;

/// So many names are read in one go.
const PAGE: usize = 1024;

/// A name of a list: all are equally long, but for times.
type Name = [u8; 16];

fn name_of<T: Serialize>(value: &T) -> Name {
    let hash = blake3::hash(&encode(value));
    let first = hash.as_bytes().first_chunk();
    first.copied().unwrap_or_default()
}

/// Up to where everything was judged, and what was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// The last position.
    pub end: Position,
    /// The last instant that counted.
    pub valid_at: Timestamp,
    /// How many events are seen.
    pub events: u64,
    /// How many tenants they name.
    pub tenants: u64,
}

/// What has to be looked at again at some instant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Due {
    /// A unit, because time alone can change what is found.
    Unit(Unit),
    /// An event, because it is seen from then on.
    Event(Position),
}

/// Small facts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Fact {
    State,
    /// An event that is seen and names a tenant.
    Witness(TenantId),
    /// Where a person can be written to.
    Mailbox(PersonId),
    /// Some of the events that use a word.
    Word(Word),
}

/// What events said of a mailbox so far. Stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Told {
    /// Every one of them was seen when it came, is seen still, and says this.
    Only(Mailbox),
    /// They differ, or some are not seen.
    Unsure,
}

/// The machines of a tenant, sorted.
pub(super) type Fleet = Arc<Vec<(Subject, Digest)>>;

/// The lists, what was changed since, and what was looked at lately.
pub(super) struct Shelf {
    lists: Lists,
    records: HashMap<Unit, Arc<Record>>,
    shown: BTreeSet<Unit>,
    hidden: BTreeSet<Position>,
    held: RefCell<HeldOf>,
    readers: HashMap<Name, BTreeSet<Unit>>,
    places: HashMap<Name, BTreeSet<Named>>,
    fleets: HashMap<Name, BTreeSet<String>>,
    times: BTreeSet<(i64, Due)>,
    facts: BTreeMap<Fact, Vec<u8>>,
    words: HashMap<Word, Vec<Position>>,
}

struct HeldOf {
    records: Held<Unit, Arc<Record>>,
    facts: Held<Fact, Option<Vec<u8>>>,
    words: Held<Word, Vec<Position>>,
    fleets: Held<TenantId, Fleet>,
}

impl HeldOf {
    fn new() -> Self {
        Self {
            records: Held::new(RECORDS_HELD_MAX_BYTES),
            facts: Held::new(FACTS_HELD_MAX),
            words: Held::new(FACTS_HELD_MAX),
            fleets: Held::new(MACHINES_HELD_MAX),
        }
    }
}

impl Shelf {
    pub fn new(lists: Lists) -> Self {
        Self {
            lists,
            records: HashMap::new(),
            shown: BTreeSet::new(),
            hidden: BTreeSet::new(),
            held: RefCell::new(HeldOf::new()),
            readers: HashMap::new(),
            places: HashMap::new(),
            fleets: HashMap::new(),
            times: BTreeSet::new(),
            facts: BTreeMap::new(),
            words: HashMap::new(),
        }
    }

    pub fn lists(&self) -> &Lists {
        &self.lists
    }

    fn last<T: DeserializeOwned>(&self, table: Table, name: &Name) -> Result<Option<T>, KeptError> {
        let value = self.lists.last(ListName::new(table, name))?;
        value.map(|value| read(&value)).transpose()
    }

    fn all<T: DeserializeOwned>(&self, table: Table, name: &Name) -> Result<Vec<T>, KeptError> {
        let mut values = Vec::new();
        let mut visit = |value: &[u8]| values.push(read(value));
        self.lists.read(ListName::new(table, name), &mut visit)?;
        values.into_iter().collect()
    }

    /// What is kept of a unit.
    pub fn record(&self, unit: &Unit) -> Result<Arc<Record>, KeptError> {
        if let Some(record) = self.records.get(unit) {
            return Ok(Arc::clone(record));
        }
        let weigh = |record: &Arc<Record>| record.weight();
        let held = self.held.borrow_mut().records.get(unit, weigh);
        if let Some(record) = held {
            return Ok(record);
        }
        let record: Option<Record> = self.last(UNITS, &name_of(unit))?;
        let record = Arc::new(record.unwrap_or_default());
        let mut held = self.held.borrow_mut();
        held.records
            .put(unit.clone(), Arc::clone(&record), record.weight());
        Ok(record)
    }

    /// What is kept of the units that changed and are not in the lists yet.
    pub fn unwritten(&self) -> &HashMap<Unit, Arc<Record>> {
        &self.records
    }

    /// What the lists have of a unit.
    pub fn written(&self, unit: &Unit) -> Result<Arc<Record>, KeptError> {
        let record: Option<Record> = self.last(UNITS, &name_of(unit))?;
        Ok(Arc::new(record.unwrap_or_default()))
    }

    /// Keeps a record instead of the one before, if it is another.
    pub fn keep(&mut self, unit: &Unit, before: &Record, record: Record) {
        if *before == record {
            return;
        }
        // What was looked at is sorted.
        let is_new = |read: &&Source| before.reads.binary_search(read).is_err();
        for read in record.reads.iter().filter(is_new) {
            let readers = self.readers.entry(name_of(read)).or_default();
            readers.insert(unit.clone());
        }
        if let Some(next) = record.next.filter(|next| before.next != Some(*next)) {
            self.times
                .insert((next.as_micros(), Due::Unit(unit.clone())));
        }
        if record.is_shown() && !before.is_shown() {
            self.shown.insert(unit.clone());
        }
        self.records.insert(unit.clone(), Arc::new(record));
    }

    /// The units that looked at something when they were judged last.
    pub fn readers(&self, source: &Source) -> Result<BTreeSet<Unit>, KeptError> {
        let name = name_of(source);
        let mut units: BTreeSet<Unit> = self.all(READERS, &name)?.into_iter().collect();
        units.extend(self.readers.get(&name).into_iter().flatten().cloned());
        let mut readers = BTreeSet::new();
        for unit in units {
            if self.record(&unit)?.reads.binary_search(source).is_ok() {
                readers.insert(unit);
            }
        }
        Ok(readers)
    }

    /// Notes that an entitlement has a landing that shares something.
    pub fn place(&mut self, at: &Beside, root: &Named) {
        self.places
            .entry(name_of(at))
            .or_default()
            .insert(root.clone());
    }

    /// The entitlements that have, or had, a landing that shares something.
    pub fn places(&self, at: &Beside) -> Result<BTreeSet<Named>, KeptError> {
        let name = name_of(at);
        let mut roots: BTreeSet<Named> = self.all(PLACES, &name)?.into_iter().collect();
        roots.extend(self.places.get(&name).into_iter().flatten().cloned());
        Ok(roots)
    }

    /// Notes that a machine is under a tenant.
    pub fn join(&mut self, tenant: &TenantId, machine: &str) {
        let fleet = self.fleets.entry(name_of(tenant)).or_default();
        fleet.insert(machine.to_owned());
    }

    /// The machines that are under a tenant now.
    pub fn fleet(&self, tenant: &TenantId) -> Result<Fleet, KeptError> {
        let held = self.held.borrow_mut().fleets.get(tenant, |held| held.len());
        if let Some(fleet) = held {
            return Ok(fleet);
        }
        let mut fleet = Vec::new();
        for machine in self.machines(&name_of(tenant))? {
            let unit = Unit::Subject((SubjectKind::Seat as u8, machine.clone()));
            let record = self.record(&unit)?;
            let here = record.digest.as_ref();
            let here = here.filter(|digest| digest.tenant.as_ref() == Some(tenant));
            fleet.extend(here.map(|here| (Subject::new(SubjectKind::Seat, machine), here.clone())));
        }
        let fleet = Arc::new(fleet);
        let mut held = self.held.borrow_mut();
        held.fleets
            .put(tenant.clone(), Arc::clone(&fleet), fleet.len());
        Ok(fleet)
    }

    /// Notes what there is to know of a machine of a tenant from now on; that it is there no more if that is
    /// nothing.
    pub fn set_machine(&mut self, tenant: &TenantId, machine: &str, digest: Option<&Digest>) {
        let fleets = &mut self.held.get_mut().fleets;
        let Some(fleet) = fleets.get_mut(tenant).map(Arc::make_mut) else {
            return;
        };
        let found = fleet.binary_search_by(|(subject, _)| subject.id.as_str().cmp(machine));
        match (found, digest) {
            (Ok(at), Some(digest)) => {
                if let Some((_, held)) = fleet.get_mut(at) {
                    *held = digest.clone();
                }
            }
            (Ok(at), None) => drop(fleet.remove(at)),
            (Err(at), Some(digest)) => {
                let subject = Subject::new(SubjectKind::Seat, machine);
                fleet.insert(at, (subject, digest.clone()));
            }
            (Err(_), None) => {}
        }
    }

    /// Notes that a machine is named beside a person.
    pub fn install(&mut self, person: PersonId, machine: &str) {
        let machines = self.fleets.entry(installs_name(person)).or_default();
        machines.insert(machine.to_owned());
    }

    /// The machines that were ever named beside a person.
    pub fn installs(&self, person: PersonId) -> Result<BTreeSet<String>, KeptError> {
        self.machines(&installs_name(person))
    }

    fn machines(&self, name: &Name) -> Result<BTreeSet<String>, KeptError> {
        let mut machines: BTreeSet<String> = self.all(FLEETS, name)?.into_iter().collect();
        machines.extend(self.fleets.get(name).into_iter().flatten().cloned());
        Ok(machines)
    }

    /// Notes that something has to be looked at again at an instant.
    pub fn wait(&mut self, until: Timestamp, due: Due) {
        self.times.insert((until.as_micros(), due));
    }

    /// What is due after one instant and up to another.
    pub fn due(&self, after: Timestamp, until: Timestamp) -> Result<BTreeSet<Due>, KeptError> {
        let (after, until) = (after.as_micros(), until.as_micros());
        if after >= until {
            return Ok(BTreeSet::new());
        }
        let new = self.times.iter();
        let new = new.filter(|(at, _)| *at > after && *at <= until);
        let mut due: BTreeSet<Due> = new.map(|(_, due)| due.clone()).collect();
        let mut name = time_name(after, &[0xff; 16]);
        loop {
            let page = self.lists.names(TIMES, &[], Some(&name), PAGE)?;
            for one in &page {
                if one.first_chunk().is_none_or(|at| micros_of(*at) > until) {
                    return Ok(due);
                }
                let mut visit = |value: &[u8]| due.extend(decode::<Due>(value));
                self.lists.read(ListName::new(TIMES, one), &mut visit)?;
            }
            match page.into_iter().next_back() {
                Some(last) => name = last,
                None => return Ok(due),
            }
        }
    }

    fn fact<T: DeserializeOwned>(&self, fact: &Fact) -> Result<Option<T>, KeptError> {
        if let Some(value) = self.facts.get(fact) {
            return read(value).map(Some);
        }
        let held = self.held.borrow_mut().facts.get(fact, |_| 1);
        let value = match held {
            Some(value) => value,
            None => {
                let name = name_of(fact);
                let value = self.lists.last(ListName::new(FACTS, &name))?;
                let mut held = self.held.borrow_mut();
                held.facts.put(fact.clone(), value.clone(), 1);
                value
            }
        };
        value.map(|value| read(&value)).transpose()
    }

    fn set_fact<T: Serialize>(&mut self, fact: Fact, value: &T) {
        self.facts.insert(fact, encode(value));
    }

    pub fn state(&self) -> Result<Option<State>, KeptError> {
        self.fact(&Fact::State)
    }

    pub fn set_state(&mut self, state: State) {
        self.set_fact(Fact::State, &state);
    }

    pub fn is_hidden(&self, event: Position) -> Result<bool, KeptError> {
        if self.hidden.contains(&event) {
            return Ok(true);
        }
        if !self.lists.has_any(HIDDEN)? {
            return Ok(false);
        }
        let name = event.0.to_be_bytes();
        Ok(self.lists.last(ListName::new(HIDDEN, &name))?.is_some())
    }

    pub fn hide(&mut self, event: Position) {
        self.hidden.insert(event);
    }

    /// What was said so far of the mailbox of a person.
    pub fn mailbox(&self, person: PersonId) -> Result<Option<Told>, KeptError> {
        self.fact(&Fact::Mailbox(person))
    }

    pub fn set_mailbox(&mut self, person: PersonId, told: Told) {
        self.set_fact(Fact::Mailbox(person), &told);
    }

    /// An event that is seen and names a tenant.
    pub fn witness(&self, tenant: &TenantId) -> Result<Option<Position>, KeptError> {
        let witness = self.fact::<Option<Position>>(&Fact::Witness(tenant.clone()))?;
        Ok(witness.flatten())
    }

    pub fn set_witness(&mut self, tenant: &TenantId, event: Option<Position>) {
        self.set_fact(Fact::Witness(tenant.clone()), &event);
    }

    /// Some of the events that use a word, in the order of their positions.
    pub fn uses(&self, word: &Word) -> Result<Vec<Position>, KeptError> {
        let held = self.held.borrow_mut().words.get(word, |_| 1);
        let mut uses = match held {
            Some(uses) => uses,
            None => {
                let uses: Vec<Position> = self.all(FACTS, &name_of(&Fact::Word(word.clone())))?;
                let mut held = self.held.borrow_mut();
                held.words.put(word.clone(), uses.clone(), 1);
                uses
            }
        };
        uses.extend(self.words.get(word).into_iter().flatten());
        Ok(uses)
    }

    pub fn note_use(&mut self, word: &Word, event: Position) {
        self.words.entry(word.clone()).or_default().push(event);
    }

    /// Visits what is kept of every unit that a report shows something of.
    pub fn each_shown(&self, visit: &mut dyn FnMut(&Unit, Record)) -> Result<(), KeptError> {
        for (unit, record) in &self.records {
            if record.is_shown() {
                visit(unit, Record::clone(record));
            }
        }
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.lists.names(SHOWN, &[], after.as_deref(), PAGE)?;
            for name in &page {
                let Some(name) = name.first_chunk() else {
                    continue;
                };
                let unit: Option<Unit> = self.last(SHOWN, name)?;
                let Some(unit) = unit.filter(|unit| !self.records.contains_key(unit)) else {
                    continue;
                };
                let record: Option<Record> = self.last(UNITS, name)?;
                if let Some(record) = record.filter(Record::is_shown) {
                    visit(&unit, record);
                }
            }
            match page.into_iter().next_back() {
                Some(last) => after = Some(last),
                None => return Ok(()),
            }
        }
    }

    /// Puts everything that was changed into the lists, as made of the positions after one and up to
    /// another. Without positions it stays in memory.
    pub fn write(&mut self, after: Position, until: Position) -> Result<(), KeptError> {
        if after >= until {
            return Ok(());
        }
        let mut gathering = Gathering::default();
        gathering.cover(after.next(), until);
        for (unit, record) in &self.records {
            let name = name_of(unit);
            gathering.add([ListName::new(UNITS, &name)], &encode(&**record));
        }
        for unit in &self.shown {
            let name = name_of(unit);
            gathering.add([ListName::new(SHOWN, &name)], &encode(unit));
        }
        for event in &self.hidden {
            let name = event.0.to_be_bytes();
            gathering.add([ListName::new(HIDDEN, &name)], &[]);
        }
        for (name, units) in &self.readers {
            for unit in units {
                gathering.add([ListName::new(READERS, name)], &encode(unit));
            }
        }
        for (name, roots) in &self.places {
            for root in roots {
                gathering.add([ListName::new(PLACES, name)], &encode(root));
            }
        }
        for (name, machines) in &self.fleets {
            for machine in machines {
                gathering.add([ListName::new(FLEETS, name)], &encode(machine));
            }
        }
        for (at, due) in &self.times {
            let name = time_name(*at, &name_of(due));
            gathering.add([ListName::new(TIMES, &name)], &encode(due));
        }
        for (fact, value) in &self.facts {
            gathering.add([ListName::new(FACTS, &name_of(fact))], value);
        }
        for (word, uses) in &self.words {
            let name = name_of(&Fact::Word(word.clone()));
            for event in uses {
                gathering.add([ListName::new(FACTS, &name)], &encode(event));
            }
        }
        self.lists.add(gathering)?;
        let held = self.held.get_mut();
        for (unit, record) in self.records.drain() {
            let weight = record.weight();
            held.records.put(unit, record, weight);
        }
        for (fact, value) in std::mem::take(&mut self.facts) {
            held.facts.put(fact, Some(value), 1);
        }
        for (word, uses) in self.words.drain() {
            if let Some(held) = held.words.get_mut(&word) {
                held.extend(uses);
            }
        }
        self.clear();
        Ok(())
    }

    /// Forgets what is not in the lists, and what is held of them.
    pub fn forget(&mut self) {
        self.clear();
        *self.held.get_mut() = HeldOf::new();
    }

    fn clear(&mut self) {
        self.records.clear();
        self.shown.clear();
        self.hidden.clear();
        self.readers.clear();
        self.places.clear();
        self.fleets.clear();
        self.times.clear();
        self.facts.clear();
        self.words.clear();
    }
}

fn installs_name(person: PersonId) -> Name {
    name_of(&person.source(Facet::Installs))
}

/// Names of times are in the order of the instants.
fn time_name(micros: i64, rest: &Name) -> Vec<u8> {
    let at = micros.wrapping_sub(i64::MIN).cast_unsigned();
    [at.to_be_bytes().as_slice(), rest].concat()
}

fn micros_of(at: [u8; 8]) -> i64 {
    u64::from_be_bytes(at).cast_signed().wrapping_add(i64::MIN)
}

fn read<T: DeserializeOwned>(value: &[u8]) -> Result<T, KeptError> {
    decode(value).ok_or(KeptError::Value)
}
