//! Which event stands instead of which, noted in the lists of every subject that the old one names.
//!
//! The rules are those of [`Histories`](crate::Histories): a correction stands instead of the event that it
//! names by id, or of those that a record gave of its own kind; of the versions of a record the one that was
//! observed later stands instead of the others. Whichever of two arrives later finds the earlier one here.
//!
//! Nearly every record has one version and nearly no event is corrected, so that one look-up an event is
//! all that this costs as a rule. The versions of a record that comes again and again mostly name the same
//! subjects: then the last one is looked at, not all of them.

use super::ViewsError;
use super::extract::{Extract, Noted, lists_of};
use super::names::{
    CORRECTIONS_BY_ID, CORRECTIONS_BY_RECORD, RECORD_HALF_LENGTH_BYTES, RecordHash, VERSIONS,
    record_half,
};
use super::value::{
    Mark, Pair, Version, read_correction, read_version, write_correction, write_mark, write_pair,
    write_version,
};
use crate::source::Replacer;
use ledger::event::{Event, EventRef};
use ledger::id::Position;
use ledger::lists::{Gathering, ListName, Lists, Table};
use ledger::store::Store;
use std::collections::{BTreeSet, HashMap};

/// How many names of versions are looked at together, for a correction that names a record.
const PAGE: usize = 256;

type InList = (Table, Vec<u8>);

/// Finds what the events of an extract replace and what they are replaced by, of all events up to its end,
/// and adds it to what was gathered. `lists` have to end where the extract begins.
pub(super) fn find(store: &Store, lists: &Lists, extract: &mut Extract) -> Result<(), ViewsError> {
    let noted = &extract.noted;
    let records = || noted.iter().filter_map(|noted| noted.record.as_ref());
    let names = records().map(|record| ListName::new(VERSIONS, record));
    let mut seen_before = lists.may_have(names)?.into_iter();
    let mut corrected_by_id = match lists.has_any(CORRECTIONS_BY_ID)? {
        true => {
            let ids = noted.iter().map(|noted| &noted.id.0);
            lists.may_have(ids.map(|id| ListName::new(CORRECTIONS_BY_ID, id)))?
        }
        false => vec![false; noted.len()],
    }
    .into_iter();
    let mut corrected_by_record = match lists.has_any(CORRECTIONS_BY_RECORD)? {
        true => {
            let halves = records().map(half_of);
            lists.may_have(halves.map(|half| ListName::new(CORRECTIONS_BY_RECORD, half)))?
        }
        false => vec![false; records().count()],
    }
    .into_iter();
    let mut finding = Finding {
        store,
        lists,
        noted,
        by_half: None,
        gathered: &mut extract.gathered,
        value: Vec::new(),
    };
    noted.iter().try_for_each(|noted| {
        let mut listed = Listed {
            corrected_by_id: corrected_by_id.next().unwrap_or(true),
            ..Listed::default()
        };
        if noted.record.is_some() {
            listed.seen_before = seen_before.next().unwrap_or(true);
            listed.corrected_by_record = corrected_by_record.next().unwrap_or(true);
        }
        finding.one(noted, listed)
    })
}

/// The first half of a record's hash.
fn half_of(record: &RecordHash) -> &[u8] {
    record.get(..RECORD_HALF_LENGTH_BYTES).unwrap_or_default()
}

/// What the lists may have that concerns an event: what is not said to be there is not.
#[derive(Debug, Default)]
struct Listed {
    /// A version of its record.
    seen_before: bool,
    /// A correction that names it.
    corrected_by_id: bool,
    /// A correction that names its record.
    corrected_by_record: bool,
}

struct Finding<'a> {
    store: &'a Store,
    lists: &'a Lists,
    noted: &'a [Noted],
    /// The records of the extract by the first half of their hash, once a correction names a record.
    by_half: Option<HashMap<[u8; RECORD_HALF_LENGTH_BYTES], Vec<RecordHash>>>,
    gathered: &'a mut Gathering,
    value: Vec<u8>,
}

impl Finding<'_> {
    fn one(&mut self, noted: &Noted, listed: Listed) -> Result<(), ViewsError> {
        if listed.corrected_by_id || self.gathered.has_any(CORRECTIONS_BY_ID) {
            let name = ListName::new(CORRECTIONS_BY_ID, &noted.id.0);
            for by in self.corrections(name, listed.corrected_by_id)? {
                self.replace(noted.position, by)?;
            }
        }
        if let Some(record) = &noted.record {
            if listed.corrected_by_record || self.gathered.has_any(CORRECTIONS_BY_RECORD) {
                self.corrected_before(noted, record, listed.corrected_by_record)?;
            }
            self.version(noted, record, listed.seen_before)?;
        }
        match noted.corrects.as_deref() {
            None => Ok(()),
            Some(EventRef::Id(id)) => {
                let target = self.store.find(*id)?.map(|target| target.position);
                if let Some(target) = target.filter(|target| *target <= noted.position) {
                    return self.replace(target, replacer(noted));
                }
                self.remember(ListName::new(CORRECTIONS_BY_ID, &id.0), replacer(noted));
                Ok(())
            }
            Some(EventRef::Record(source)) => {
                let Some((event, record)) = self.event(noted.position)?.zip(source.record.as_ref())
                else {
                    return Ok(());
                };
                let half = record_half(source.system.as_str(), record.as_str(), event.kind().id);
                for target in self.given_by(half)? {
                    let Some(old) = self.event(target)? else {
                        continue;
                    };
                    if target != noted.position && old.source == *source && same_kind(&old, &event)
                    {
                        self.replace(target, replacer(noted))?;
                    }
                }
                self.remember(ListName::new(CORRECTIONS_BY_RECORD, &half), replacer(noted));
                Ok(())
            }
        }
    }

    /// Notes that corrections which came before an event name it by its record.
    fn corrected_before(
        &mut self,
        noted: &Noted,
        record: &RecordHash,
        listed: bool,
    ) -> Result<(), ViewsError> {
        let name = ListName::new(CORRECTIONS_BY_RECORD, half_of(record));
        let corrections = self.corrections(name, listed)?;
        if corrections.is_empty() {
            return Ok(());
        }
        let Some(event) = self.event(noted.position)? else {
            return Ok(());
        };
        for by in corrections {
            let Some(correction) = self.event(by.position)? else {
                continue;
            };
            let names_it = match &correction.corrects {
                Some(EventRef::Record(source)) => *source == event.source,
                Some(EventRef::Id(_)) | None => false,
            };
            if names_it && same_kind(&correction, &event) {
                self.replace(noted.position, by)?;
            }
        }
        Ok(())
    }

    /// Adds an event to the versions of its record.
    fn version(
        &mut self,
        noted: &Noted,
        record: &RecordHash,
        seen_before: bool,
    ) -> Result<(), ViewsError> {
        let name = ListName::new(VERSIONS, record);
        let last = match self.gathered.last(name) {
            Some(value) => Some(value.to_vec()),
            None if seen_before => self.lists.last(name)?,
            None => None,
        };
        let last = last.map(|value| read_version(&value).ok_or_else(odd));
        let version = match last.transpose()? {
            None => Version {
                position: noted.position,
                before: 0,
                same: true,
            },
            Some(last) => Version {
                position: noted.position,
                before: last.before.saturating_add(1),
                same: self.revise(noted, record, last)?,
            },
        };
        write_version(&version, &mut self.value);
        self.gathered.add([name], &self.value);
        Ok(())
    }

    /// Marks the versions of a record in the lists of all subjects that any of them names: a list that has
    /// one version has marks of all. Whether all are in the same lists.
    fn revise(
        &mut self,
        noted: &Noted,
        record: &RecordHash,
        last: Version,
    ) -> Result<bool, ViewsError> {
        let Some(event) = self.event(noted.position)? else {
            return Ok(false);
        };
        let new_lists: BTreeSet<InList> = lists_of(&event).into_iter().collect();
        let before = self.event(last.position)?;
        if let Some(before) = before.filter(|_| last.same) {
            let lists: BTreeSet<InList> = lists_of(&before).into_iter().collect();
            if lists == new_lists {
                if last.before == 0 {
                    self.mark(&before, record, &lists);
                }
                self.mark(&event, record, &lists);
                return Ok(true);
            }
        }
        let mut earlier = Vec::new();
        for position in self.versions(ListName::new(VERSIONS, record))? {
            earlier.extend(self.event(position)?);
        }
        let old_lists: BTreeSet<InList> = earlier.iter().flat_map(lists_of).collect();
        for event in &earlier {
            // The first one is marked nowhere yet, and a new list has no mark at all.
            match last.before {
                0 => self.mark(event, record, old_lists.union(&new_lists)),
                _ => self.mark(event, record, new_lists.difference(&old_lists)),
            }
        }
        self.mark(&event, record, old_lists.union(&new_lists));
        Ok(false)
    }

    fn mark<'l>(
        &mut self,
        event: &Event,
        record: &RecordHash,
        lists: impl IntoIterator<Item = &'l InList>,
    ) {
        let mark = Mark {
            record: *record,
            observed: event.observed(),
            by: Replacer {
                position: event.position,
                id: event.id,
            },
        };
        write_mark(&mark, &mut self.value);
        let lists = lists.into_iter();
        let names = lists.map(|(table, name)| ListName::new(*table, name));
        self.gathered.add(names, &self.value);
    }

    /// Notes in all lists that have an event that another one stands instead of it.
    fn replace(&mut self, target: Position, by: Replacer) -> Result<(), ViewsError> {
        let Some(old) = self.event(target)? else {
            return Ok(());
        };
        let lists = lists_of(&old);
        write_pair(&Pair { target, by }, &mut self.value);
        let names = lists
            .iter()
            .map(|(table, name)| ListName::new(*table, name));
        self.gathered.add(names, &self.value);
        Ok(())
    }

    fn remember(&mut self, name: ListName<'_>, by: Replacer) {
        write_correction(by, &mut self.value);
        self.gathered.add([name], &self.value);
    }

    fn event(&self, position: Position) -> Result<Option<Event>, ViewsError> {
        Ok(self.store.event(position)?)
    }

    /// All values of a list, in order, also of what is being gathered; of the lists only if it may be there.
    fn values<T>(
        &self,
        name: ListName<'_>,
        listed: bool,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, ViewsError> {
        let mut values = Vec::new();
        let mut visit = |value: &[u8]| values.push(read(value));
        if listed {
            self.lists.read(name, &mut visit)?;
        }
        self.gathered.read(name, &mut visit);
        let values: Option<Vec<T>> = values.into_iter().collect();
        values.ok_or_else(odd)
    }

    fn corrections(&self, name: ListName<'_>, listed: bool) -> Result<Vec<Replacer>, ViewsError> {
        self.values(name, listed, read_correction)
    }

    fn versions(&self, name: ListName<'_>) -> Result<Vec<Position>, ViewsError> {
        let versions = self.values(name, true, read_version)?;
        Ok(versions.iter().map(|version| version.position).collect())
    }

    /// The events that a record gave of a kind, whatever they tell of. Costs by their number, and the first
    /// time a walk over the extract.
    fn given_by(
        &mut self,
        half: [u8; RECORD_HALF_LENGTH_BYTES],
    ) -> Result<Vec<Position>, ViewsError> {
        let noted = self.noted;
        let by_half = self.by_half.get_or_insert_with(|| {
            let mut by_half: HashMap<_, Vec<RecordHash>> = HashMap::new();
            for record in noted.iter().filter_map(|noted| noted.record) {
                if let Some(half) = record.first_chunk() {
                    by_half.entry(*half).or_default().push(record);
                }
            }
            by_half
        });
        let of_extract = by_half.get(&half).into_iter().flatten();
        let mut names: Vec<Vec<u8>> = of_extract.map(|record| record.to_vec()).collect();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.lists.names(VERSIONS, &half, after.as_deref(), PAGE)?;
            after = page.last().cloned();
            names.extend(page);
            if after.is_none() {
                break;
            }
        }
        names.sort_unstable();
        names.dedup();
        let mut positions = Vec::new();
        for name in names {
            positions.extend(self.versions(ListName::new(VERSIONS, &name))?);
        }
        Ok(positions)
    }
}

fn replacer(noted: &Noted) -> Replacer {
    Replacer {
        position: noted.position,
        id: noted.id,
    }
}

fn same_kind(one: &Event, other: &Event) -> bool {
    one.kind().id == other.kind().id
}

fn odd() -> ViewsError {
    ViewsError::Value {
        subject: "the records of sources".to_owned(),
        what: "a value cannot be read",
    }
}
