//! Sorted runs: the index of a range of positions, written once.
//!
//! The layout is in `FORMAT.md`.

use super::chunk::{Place, entry_key};
use super::cursor::Cursor;
use super::entry::{HashedId, Name};
use super::{IndexError, Table};
use crate::id::Position;
use crate::runs::RunInfo;
use crate::runs::filter::{Filter, Kept};
use crate::runs::keep::Chunks;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A run that is whole.
pub(crate) struct Run {
    pub(crate) info: RunInfo,
    place: Place,
    chunks: Arc<dyn Chunks>,
    ids: Filter,
    subjects: Filter,
}

impl Run {
    /// A run of a store; nothing of it is read yet.
    pub(crate) fn new(
        store_id: [u8; 16],
        info: RunInfo,
        chunks: Arc<dyn Chunks>,
        kept: &Kept,
    ) -> Self {
        let ids = Filter::new(Table::IdFilter, info.events(), Arc::clone(kept));
        let subjects = info.filter_subjects;
        let subjects = Filter::new(Table::SubjectFilter, subjects, Arc::clone(kept));
        Self::with_filters(store_id, info, chunks, [ids, subjects])
    }

    /// A run with the filters of its ids and of its subjects.
    pub(crate) fn with_filters(
        store_id: [u8; 16],
        info: RunInfo,
        chunks: Arc<dyn Chunks>,
        [ids, subjects]: [Filter; 2],
    ) -> Self {
        Self {
            info,
            place: Place::of(store_id, &info),
            chunks,
            ids,
            subjects,
        }
    }

    /// Where the event of an id is. Costs a look-up if the filter lets it through.
    pub(crate) fn position(&self, id: HashedId) -> Result<Option<Position>, IndexError> {
        let HashedId { id, hash } = id;
        if !self.ids.may_hold(hash, &self.place, &*self.chunks)? {
            return Ok(None);
        }
        let mut entries = self.seek(Table::Ids, &id.0)?;
        while let Some(entry) = entries.next()? {
            if entry.name.as_slice() >= id.0.as_slice() {
                let is_it = entry.name == id.0;
                return Ok(entry.positions.first().copied().filter(|_| is_it));
            }
        }
        Ok(None)
    }

    /// What it is kept in.
    pub(crate) fn chunks(&self) -> &Arc<dyn Chunks> {
        &self.chunks
    }

    /// Whether the filter of the ids lets one through.
    #[cfg(test)]
    pub(crate) fn may_hold_id(&self, hash: u64) -> bool {
        let may_hold = self.ids.may_hold(hash, &self.place, &*self.chunks);
        may_hold.unwrap()
    }

    /// How many positions a listing has. Costs a look-up if the filter lets it through.
    pub(crate) fn count(&self, name: Name<'_>) -> Result<u64, IndexError> {
        if !self.may_hold(name)? {
            return Ok(0);
        }
        // Each entry knows how many positions are before it, so the last one is enough.
        let last = entry_key(name.bytes, Position(u64::MAX));
        let mut entries = self.seek(name.table, &last)?;
        let mut count = 0;
        while let Some(entry) = entries.next()? {
            match entry.name.as_slice().cmp(name.bytes) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => count = entry.before + entry.positions.len() as u64,
                std::cmp::Ordering::Greater => break,
            }
        }
        Ok(count)
    }

    /// Whether it is known without reading anything that a listing has no positions here.
    pub(crate) fn surely_lacks(&self, name: Name<'_>) -> bool {
        name.table == Table::Subjects && self.subjects.surely_lacks(name.hash)
    }

    /// Adds positions of a listing after `after` until there are `limit`.
    pub(crate) fn positions(
        &self,
        name: Name<'_>,
        after: Position,
        limit: usize,
        found: &mut Vec<Position>,
    ) -> Result<(), IndexError> {
        if !self.may_hold(name)? {
            return Ok(());
        }
        // The entry that holds the position, if any, is the last one whose key is not after this.
        let mut entries = self.seek(name.table, &entry_key(name.bytes, after.next()))?;
        while let Some(entry) = entries.next()? {
            match entry.name.as_slice().cmp(name.bytes) {
                std::cmp::Ordering::Less => continue,
                std::cmp::Ordering::Equal => {}
                std::cmp::Ordering::Greater => break,
            }
            let later = entry.positions.iter().filter(|position| **position > after);
            found.extend(later.take(limit.saturating_sub(found.len())));
            if found.len() >= limit {
                break;
            }
        }
        Ok(())
    }

    /// Adds the names of a table that begin with a prefix. Costs a walk over all of them.
    pub(crate) fn names(
        &self,
        table: Table,
        prefix: &[u8],
        names: &mut BTreeSet<Vec<u8>>,
    ) -> Result<(), IndexError> {
        let mut entries = self.seek(table, prefix)?;
        while let Some(entry) = entries.next()? {
            if entry.name.starts_with(prefix) {
                if !names.contains(&entry.name) {
                    names.insert(entry.name.clone());
                }
            } else if entry.name.as_slice() > prefix {
                break;
            }
        }
        Ok(())
    }

    /// All entries of a table; reads so many chunks at once.
    pub(crate) fn entries(&self, table: Table, ahead: usize) -> Result<Cursor<'_>, IndexError> {
        Cursor::start(&*self.chunks, self.place, table, ahead)
    }

    /// Opens it, so that no look-up has to.
    pub(crate) fn open(&self) -> Result<(), IndexError> {
        self.chunks.open()
    }

    fn seek(&self, table: Table, key: &[u8]) -> Result<Cursor<'_>, IndexError> {
        Cursor::seek(&*self.chunks, self.place, table, key)
    }

    /// Whether a listing may be here. There are few kinds, and they are everywhere.
    fn may_hold(&self, name: Name<'_>) -> Result<bool, IndexError> {
        match name.table {
            Table::Subjects => self
                .subjects
                .may_hold(name.hash, &self.place, &*self.chunks),
            _ => Ok(true),
        }
    }
}
