//! What a recorded event hides, and whether it is hidden, asked of the lists: for whoever follows the log
//! and has to know what changes with an event.

use super::Stored;
use super::ViewsError;
use super::names::{CORRECTIONS_BY_ID, CORRECTIONS_BY_RECORD, VERSIONS, record_half, record_hash};
use super::value::{read_correction, read_version};
use crate::source::{Replacer, Source as _};
use ledger::event::{Event, EventRef};
use ledger::id::Position;
use ledger::lists::ListName;
use ledger::store::Store;
use ledger::subject::Subject;

/// How many names are looked at together.
const PAGE: usize = 256;

/// What an event has to do with others that say the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hiding {
    /// The events that it stands instead of.
    pub hides: Vec<Position>,
    /// Whether another event stands instead of it.
    pub is_hidden: bool,
}

impl Stored {
    /// What an event hides of all that was taken in, and whether anything of that hides it. Nearly every event
    /// costs a look-up or two; one of a record with many versions costs by their number.
    pub fn hiding(&self, store: &Store, event: &Event) -> Result<Hiding, ViewsError> {
        let mut hiding = Hiding::default();
        self.among_versions(store, event, &mut hiding)?;
        match &event.corrects {
            None => {}
            Some(EventRef::Id(id)) => {
                let target = store.find(*id)?.map(|target| target.position);
                hiding.hides.extend(target.filter(|at| *at <= self.end()));
            }
            Some(EventRef::Record(source)) => {
                if let Some(record) = &source.record {
                    let kind = event.kind().id;
                    let half = record_half(source.system.as_str(), record.as_str(), kind);
                    self.given_by(store, event, &half, &mut hiding)?;
                }
            }
        }
        let named = ListName::new(CORRECTIONS_BY_ID, &event.id.0);
        hiding.is_hidden |= self.lists().has_any(CORRECTIONS_BY_ID)?
            && self
                .corrections(named)?
                .iter()
                .any(|by| by.position <= self.end());
        if let Some(record) = &event.source.record
            && self.lists().has_any(CORRECTIONS_BY_RECORD)?
        {
            let system = event.source.system.as_str();
            let half = record_half(system, record.as_str(), event.kind().id);
            for by in self.corrections(ListName::new(CORRECTIONS_BY_RECORD, &half))? {
                let correction = store.event(by.position)?;
                hiding.is_hidden |= correction.is_some_and(|correction| {
                    let names_it = matches!(&correction.corrects,
                        Some(EventRef::Record(source)) if *source == event.source);
                    names_it && correction.id != event.id && same_kind(&correction, event)
                });
            }
        }
        Ok(hiding)
    }

    fn among_versions(
        &self,
        store: &Store,
        event: &Event,
        hiding: &mut Hiding,
    ) -> Result<(), ViewsError> {
        let Some(record) = &event.source.record else {
            return Ok(());
        };
        let mut subjects: Vec<Subject> = Vec::new();
        event.payload.subjects(&mut subjects);
        let about = subjects.first();
        let about = about.map(|about| (about.kind, about.id.as_bytes()));
        let system = event.source.system.as_str().as_bytes();
        let hash = record_hash(system, record.as_str().as_bytes(), event.kind().id, about);
        let name = ListName::new(VERSIONS, &hash);
        let last = self.lists().last(name)?;
        let last = last.as_deref().and_then(read_version);
        if last.is_none_or(|last| last.before == 0 && last.position == event.position) {
            return Ok(());
        }
        for at in self.positions(name)? {
            if at == event.position || at > self.end() {
                continue;
            }
            let Some(other) = store.event(at)? else {
                continue;
            };
            match (other.observed(), other.id) < (event.observed(), event.id) {
                true => hiding.hides.push(at),
                false => hiding.is_hidden = true,
            }
        }
        Ok(())
    }

    /// The events of a correction's kind that a record gave, whatever they tell of.
    fn given_by(
        &self,
        store: &Store,
        correction: &Event,
        half: &[u8],
        hiding: &mut Hiding,
    ) -> Result<(), ViewsError> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let names = self.lists().names(VERSIONS, half, after.as_deref(), PAGE)?;
            for name in &names {
                for at in self.positions(ListName::new(VERSIONS, name))? {
                    let Some(old) = store.event(at)?.filter(|_| at <= self.end()) else {
                        continue;
                    };
                    let named = matches!(&correction.corrects,
                        Some(EventRef::Record(source)) if *source == old.source);
                    if named && at != correction.position && same_kind(&old, correction) {
                        hiding.hides.push(at);
                    }
                }
            }
            after = names.into_iter().next_back();
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn corrections(&self, name: ListName<'_>) -> Result<Vec<Replacer>, ViewsError> {
        self.values_of(name, read_correction)
    }

    fn positions(&self, name: ListName<'_>) -> Result<Vec<Position>, ViewsError> {
        self.values_of(name, |value| Some(read_version(value)?.position))
    }

    fn values_of<T>(
        &self,
        name: ListName<'_>,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, ViewsError> {
        let mut values = Vec::new();
        let mut visit = |value: &[u8]| values.push(read(value));
        self.lists().read(name, &mut visit)?;
        let values: Option<Vec<T>> = values.into_iter().collect();
        values.ok_or_else(|| ViewsError::Value {
            subject: "the records of sources".to_owned(),
            what: "a value cannot be read",
        })
    }
}

fn same_kind(one: &Event, other: &Event) -> bool {
    one.kind().id == other.kind().id
}
