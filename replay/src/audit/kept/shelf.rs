//! Where units are kept: lists of values by name ([`ledger::lists`]), of which the last value counts, and
//! what was changed since and is not in them yet.

use super::KeptError;
use super::unit::{Named, Record, Unit, decode, encode};
use crate::audit::evidence::Word;
use crate::audit::reads::{Beside, Source};
use ledger::id::{Position, TenantId};
use ledger::lists::{Gathering, ListName, Lists, Table};
use ledger::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Records, by unit.
const UNITS: Table = Table(0);
/// Who looked at something.
const READERS: Table = Table(1);
/// Which entitlements have landings that share something.
const PLACES: Table = Table(2);
/// The machines that ever were under a tenant.
const FLEETS: Table = Table(3);
/// What has to be looked at again when an instant is reached.
const TIMES: Table = Table(4);
/// Small facts, each with a name of its own.
const FACTS: Table = Table(5);
/// Units that a report ever showed something of.
const SHOWN: Table = Table(6);

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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Fact {
    State,
    /// An event that another one stands instead of.
    Hidden(Position),
    /// An event that is seen and names a tenant.
    Witness(TenantId),
    /// Some of the events that use a word.
    Word(Word),
}

/// The lists, and what was changed since.
pub(super) struct Shelf {
    lists: Lists,
    records: HashMap<Unit, Record>,
    readers: HashMap<Name, BTreeSet<Unit>>,
    places: HashMap<Name, BTreeSet<Named>>,
    fleets: HashMap<Name, BTreeSet<String>>,
    times: BTreeSet<(i64, Due)>,
    facts: BTreeMap<Fact, Vec<u8>>,
    words: HashMap<Word, Vec<Position>>,
}

impl Shelf {
    pub fn new(lists: Lists) -> Self {
        Self {
            lists,
            records: HashMap::new(),
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
    pub fn record(&self, unit: &Unit) -> Result<Record, KeptError> {
        match self.records.get(unit) {
            Some(record) => Ok(record.clone()),
            None => self.written(unit),
        }
    }

    /// What is kept of the units that changed and are not in the lists yet.
    pub fn unwritten(&self) -> &HashMap<Unit, Record> {
        &self.records
    }

    /// What the lists have of a unit.
    pub fn written(&self, unit: &Unit) -> Result<Record, KeptError> {
        Ok(self.last(UNITS, &name_of(unit))?.unwrap_or_default())
    }

    /// Keeps a record instead of the one before, if it is another.
    pub fn keep(&mut self, unit: &Unit, before: &Record, record: Record) {
        if *before == record {
            return;
        }
        for read in record
            .reads
            .iter()
            .filter(|read| !before.reads.contains(read))
        {
            let readers = self.readers.entry(name_of(read)).or_default();
            readers.insert(unit.clone());
        }
        if let Some(next) = record.next.filter(|next| before.next != Some(*next)) {
            self.times
                .insert((next.as_micros(), Due::Unit(unit.clone())));
        }
        self.records.insert(unit.clone(), record);
    }

    /// The units that looked at something, and perhaps some that do no more.
    pub fn readers(&self, source: &Source) -> Result<BTreeSet<Unit>, KeptError> {
        let name = name_of(source);
        let mut units: BTreeSet<Unit> = self.all(READERS, &name)?.into_iter().collect();
        units.extend(self.readers.get(&name).into_iter().flatten().cloned());
        Ok(units)
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

    /// The machines that are, or were, under a tenant.
    pub fn fleet(&self, tenant: &TenantId) -> Result<BTreeSet<String>, KeptError> {
        let name = name_of(tenant);
        let mut machines: BTreeSet<String> = self.all(FLEETS, &name)?.into_iter().collect();
        machines.extend(self.fleets.get(&name).into_iter().flatten().cloned());
        Ok(machines)
    }

    /// Notes that something has to be looked at again at an instant.
    pub fn wait(&mut self, until: Timestamp, due: Due) {
        self.times.insert((until.as_micros(), due));
    }

    /// What is due after one instant and up to another.
    pub fn due(&self, after: Timestamp, until: Timestamp) -> Result<BTreeSet<Due>, KeptError> {
        let (after, until) = (after.as_micros(), until.as_micros());
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
        match self.facts.get(fact) {
            Some(value) => read(value).map(Some),
            None => self.last(FACTS, &name_of(fact)),
        }
    }

    pub fn state(&self) -> Result<Option<State>, KeptError> {
        self.fact(&Fact::State)
    }

    pub fn set_state(&mut self, state: State) {
        self.facts.insert(Fact::State, encode(&state));
    }

    pub fn is_hidden(&self, event: Position) -> Result<bool, KeptError> {
        Ok(self.fact::<bool>(&Fact::Hidden(event))?.is_some())
    }

    pub fn hide(&mut self, event: Position) {
        self.facts.insert(Fact::Hidden(event), encode(&true));
    }

    /// An event that is seen and names a tenant.
    pub fn witness(&self, tenant: &TenantId) -> Result<Option<Position>, KeptError> {
        let witness = self.fact::<Option<Position>>(&Fact::Witness(tenant.clone()))?;
        Ok(witness.flatten())
    }

    pub fn set_witness(&mut self, tenant: &TenantId, event: Option<Position>) {
        self.facts
            .insert(Fact::Witness(tenant.clone()), encode(&event));
    }

    /// Some of the events that use a word, in the order of their positions.
    pub fn uses(&self, word: &Word) -> Result<Vec<Position>, KeptError> {
        let mut uses = self.all(FACTS, &name_of(&Fact::Word(word.clone())))?;
        uses.extend(self.words.get(word).into_iter().flatten());
        Ok(uses)
    }

    pub fn note_use(&mut self, word: &Word, event: Position) {
        self.words.entry(word.clone()).or_default().push(event);
    }

    /// Notes that a report shows something of a unit.
    fn shown(&self, gathering: &mut Gathering, unit: &Unit) {
        let name = name_of(unit);
        gathering.add([ListName::new(SHOWN, &name)], &encode(unit));
    }

    /// Visits what is kept of every unit that a report shows something of.
    pub fn each_shown(&self, visit: &mut dyn FnMut(&Unit, Record)) -> Result<(), KeptError> {
        for (unit, record) in &self.records {
            if record.is_shown() {
                visit(unit, record.clone());
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
            gathering.add([ListName::new(UNITS, &name)], &encode(record));
            if record.is_shown() && self.lists.last(ListName::new(SHOWN, &name))?.is_none() {
                self.shown(&mut gathering, unit);
            }
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
        self.forget();
        Ok(())
    }

    /// Forgets what is not in the lists.
    pub fn forget(&mut self) {
        self.records.clear();
        self.readers.clear();
        self.places.clear();
        self.fleets.clear();
        self.times.clear();
        self.facts.clear();
        self.words.clear();
    }
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
