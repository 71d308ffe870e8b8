//! Runs of lists: what was gathered of a range of positions, written once.

use super::chunk::{Segment, Segments, segment_key};
use super::{FILTER, ListName, ListsError, Table};
use crate::limits::LISTS_TABLES_LOOKED_AT_MAX;
use crate::runs::RunInfo;
use crate::runs::filter::{Filter, Kept};
use crate::runs::keep::{Chunk, Chunks};
use crate::runs::place::{Place, chunk_key};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

/// A run that is whole.
pub(crate) struct Run {
    pub(super) info: RunInfo,
    place: Place,
    pub(super) chunks: Arc<dyn Chunks>,
    filter: Filter,
    /// Tables of which it is known whether they have lists here.
    looked_at: Mutex<Vec<(Table, bool)>>,
}

impl Run {
    /// A run of a store; nothing of it is read yet.
    pub(super) fn new(
        store_id: [u8; 16],
        info: RunInfo,
        chunks: Arc<dyn Chunks>,
        kept: &Kept,
    ) -> Self {
        let filter = Filter::new(FILTER, info.filter_subjects, Arc::clone(kept));
        Self::with_filter(store_id, info, chunks, filter)
    }

    /// A run with its filter.
    pub(super) fn with_filter(
        store_id: [u8; 16],
        info: RunInfo,
        chunks: Arc<dyn Chunks>,
        filter: Filter,
    ) -> Self {
        Self {
            info,
            place: Place::of(store_id, &info),
            chunks,
            filter,
            looked_at: Mutex::default(),
        }
    }

    /// Appends the stream of a list. Costs a look-up if the filter lets its name through.
    pub(super) fn read(&self, name: ListName<'_>, out: &mut Vec<u8>) -> Result<(), ListsError> {
        if !self
            .filter
            .may_hold(name.hash, &self.place, &*self.chunks)?
        {
            return Ok(());
        }
        let mut cursor = self.seek(name.table, name.bytes)?;
        while let Some((found, bytes)) = cursor.next_up_to(name.bytes)? {
            match found.cmp(name.bytes) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => out.extend_from_slice(bytes),
                std::cmp::Ordering::Greater => break,
            }
        }
        Ok(())
    }

    /// Visits the segments of a table from the list of a name on, or from near before it.
    pub(super) fn walk(
        &self,
        table: Table,
        from: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), ListsError> {
        if !self.has_any(table)? {
            return Ok(());
        }
        let mut cursor = self.seek(table, from)?;
        while let Some((name, bytes)) = cursor.next()? {
            if visit(name, bytes).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Whether a table has any list here. Costs a look-up the first time.
    pub(super) fn has_any(&self, table: Table) -> Result<bool, ListsError> {
        let lock = || {
            let looked_at = self.looked_at.lock();
            looked_at.unwrap_or_else(PoisonError::into_inner)
        };
        if let Some((_, has_any)) = lock().iter().find(|(known, _)| *known == table) {
            return Ok(*has_any);
        }
        let has_any = Cursor::start(self, table, 1)?.next()?.is_some();
        let mut looked_at = lock();
        if looked_at.len() < LISTS_TABLES_LOOKED_AT_MAX {
            looked_at.push((table, has_any));
        }
        Ok(has_any)
    }

    fn seek(&self, table: Table, name: &[u8]) -> Result<Cursor<'_>, ListsError> {
        Cursor::seek(self, table, &segment_key(name, 0))
    }
}

/// A place among the segments of a table.
pub(super) struct Cursor<'a> {
    run: &'a Run,
    table: Table,
    /// How many chunks to read at once, for a cursor that passes over the whole table.
    ahead: Option<usize>,
    waiting: VecDeque<Chunk>,
    segments: Segments,
}

impl<'a> Cursor<'a> {
    /// Before the first segment of the chunk that a key falls into; a table without any list ends there.
    fn seek(run: &'a Run, table: Table, key: &[u8]) -> Result<Self, ListsError> {
        let found = run.chunks.at_or_before(&chunk_key(table, key))?;
        let of_table = found.filter(|(at, _)| at.first() == Some(&table.0));
        let mut cursor = Self {
            run,
            table,
            ahead: None,
            waiting: of_table.into_iter().collect(),
            segments: Segments::default(),
        };
        cursor.take_chunk(None)?;
        Ok(cursor)
    }

    /// Before the first segment of a table; reads so many chunks at once.
    pub(super) fn start(run: &'a Run, table: Table, ahead: usize) -> Result<Self, ListsError> {
        let cursor = Self::seek(run, table, &[])?;
        let ahead = Some(ahead);
        Ok(Self { ahead, ..cursor })
    }

    /// The next segment: the name of its list, and its bytes; `None` after the last one.
    pub(super) fn next(&mut self) -> Result<Option<Segment<'_>>, ListsError> {
        while !self.segments.has_more() {
            if self.segments.bound.is_empty() {
                return Ok(None);
            }
            self.next_chunk()?;
        }
        self.segments.next()
    }

    /// [`Cursor::next`] that ends before a chunk that can hold nothing up to a name.
    fn next_up_to(&mut self, name: &[u8]) -> Result<Option<Segment<'_>>, ListsError> {
        let ends =
            !self.segments.has_more() && self.segments.next_name().is_none_or(|next| next > name);
        match ends {
            true => Ok(None),
            false => self.next(),
        }
    }

    fn next_chunk(&mut self) -> Result<(), ListsError> {
        let wanted = chunk_key(self.table, &self.segments.bound);
        if self.waiting.is_empty() {
            let chunks = match self.ahead {
                Some(ahead) => self.run.chunks.pass(&wanted, ahead)?,
                None => self.run.chunks.from(&wanted, 1)?,
            };
            self.waiting = chunks.into();
        }
        self.take_chunk(Some(&wanted))
    }

    fn take_chunk(&mut self, wanted: Option<&[u8]>) -> Result<(), ListsError> {
        let (at, value) = self.waiting.pop_front().ok_or_else(missing)?;
        if wanted.is_some_and(|wanted| wanted != at) {
            return Err(missing());
        }
        self.segments = Segments::read(&self.run.place, &at, &value)?;
        Ok(())
    }
}

fn missing() -> ListsError {
    ListsError::damaged("a chunk of a list is missing")
}
