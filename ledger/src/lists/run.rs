//! Runs of lists: what was gathered of a range of positions, written once.

use super::chunk::{Plain, Segment, Segments, name_of, segment_key};
use super::{FILTER, ListName, ListsError, Table};
use crate::limits::{LISTS_CHUNKS_KEPT, LISTS_TABLES_LOOKED_AT_MAX, MERGE_CHUNKS_AT_ONCE};
use crate::runs::RunInfo;
use crate::runs::filter::{Filter, Kept};
use crate::runs::keep::{Chunk, Chunks};
use crate::runs::place::{Place, chunk_key};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A run that is whole.
pub(crate) struct Run {
    pub(super) info: RunInfo,
    place: Place,
    pub(super) chunks: Arc<dyn Chunks>,
    filter: Filter,
    /// Tables of which it is known whether they have lists here.
    looked_at: Mutex<Vec<(Table, bool)>>,
    recent: Mutex<Recent>,
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
            recent: Mutex::default(),
        }
    }

    /// Whether the list of the name of a hash may be here; if not, it certainly is not.
    pub(super) fn may_have(&self, hash: u64) -> Result<bool, ListsError> {
        self.filter.may_hold(hash, &self.place, &*self.chunks)
    }

    /// Appends the stream of a list. Costs a look-up if the filter lets its name through.
    pub(super) fn read(&self, name: ListName<'_>, out: &mut Vec<u8>) -> Result<(), ListsError> {
        if !self.may_have(name.hash)? {
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

    /// The names of the lists that the chunks of a table begin with, of those that begin with a prefix.
    pub(super) fn chunk_names(
        &self,
        table: Table,
        prefix: &[u8],
    ) -> Result<Vec<Vec<u8>>, ListsError> {
        let mut names = Vec::new();
        let mut from = chunk_key(table, prefix);
        loop {
            let chunks = self.chunks.from(&from, MERGE_CHUNKS_AT_ONCE)?;
            let count = chunks.len();
            for (key, _) in chunks {
                let Some((_, key)) = key.split_first().filter(|(of, _)| **of == table.0) else {
                    return Ok(names);
                };
                // The key of the first chunk is empty.
                match name_of(key) {
                    Some(name) if name.starts_with(prefix) => names.push(name.to_vec()),
                    Some(_) => return Ok(names),
                    None => {}
                }
                from = chunk_key(table, &[key, &[0]].concat());
            }
            if count == 0 {
                return Ok(names);
            }
        }
    }

    /// The chunk that a key falls into.
    fn chunk_with(&self, table: Table, key: &[u8]) -> Result<Arc<Plain>, ListsError> {
        let known = self
            .recent()
            .get(|of, chunk| of == table && chunk.may_hold(key));
        if let Some(chunk) = known {
            return Ok(chunk);
        }
        let found = self.chunks.at_or_before(&chunk_key(table, key))?;
        let of_table = found.filter(|(at, _)| at.first() == Some(&table.0));
        self.take_in(table, of_table)
    }

    /// The chunk that begins with a key.
    fn chunk_at(&self, table: Table, first: &[u8]) -> Result<Arc<Plain>, ListsError> {
        let known = self
            .recent()
            .get(|of, chunk| of == table && chunk.begins_with(first));
        if let Some(chunk) = known {
            return Ok(chunk);
        }
        let wanted = chunk_key(table, first);
        let found = self.chunks.from(&wanted, 1)?.pop();
        self.take_in(table, found.filter(|(at, _)| *at == wanted))
    }

    fn take_in(&self, table: Table, found: Option<Chunk>) -> Result<Arc<Plain>, ListsError> {
        let (at, value) = found.ok_or_else(missing)?;
        let chunk = Arc::new(Plain::read(&self.place, &at, &value)?);
        self.recent().put(table, &chunk);
        Ok(chunk)
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seek(&self, table: Table, name: &[u8]) -> Result<Cursor<'_>, ListsError> {
        Cursor::seek(self, table, &segment_key(name, 0))
    }
}

/// Chunks of a run that were read last, the latest first: whoever reads many lists mostly reads them in
/// order, and many lists are in one chunk.
#[derive(Default)]
struct Recent(VecDeque<(Table, Arc<Plain>)>);

impl Recent {
    fn get(&mut self, holds: impl Fn(Table, &Plain) -> bool) -> Option<Arc<Plain>> {
        let at = self
            .0
            .iter()
            .position(|(table, chunk)| holds(*table, chunk))?;
        let found = self.0.remove(at)?;
        let chunk = Arc::clone(&found.1);
        self.0.push_front(found);
        Some(chunk)
    }

    fn put(&mut self, table: Table, chunk: &Arc<Plain>) {
        self.0.truncate(LISTS_CHUNKS_KEPT - 1);
        self.0.push_front((table, Arc::clone(chunk)));
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
        let chunk = run.chunk_with(table, key)?;
        Ok(Self {
            run,
            table,
            ahead: None,
            waiting: VecDeque::new(),
            segments: Segments::of(chunk),
        })
    }

    /// Before the first segment of a table; reads so many chunks at once.
    pub(super) fn start(run: &'a Run, table: Table, ahead: usize) -> Result<Self, ListsError> {
        let cursor = Self::seek(run, table, &[])?;
        let ahead = Some(ahead);
        Ok(Self { ahead, ..cursor })
    }

    /// Before the first segment of a list whose name is not before one; reads so many chunks at once.
    pub(super) fn start_at(
        run: &'a Run,
        table: Table,
        name: &[u8],
        ahead: usize,
    ) -> Result<Self, ListsError> {
        let cursor = Self::seek(run, table, &segment_key(name, 0))?;
        let ahead = Some(ahead);
        let mut cursor = Self { ahead, ..cursor };
        cursor.go_on()?;
        while cursor.head().is_some_and(|head| head < name) {
            cursor.segments.next()?;
            cursor.go_on()?;
        }
        Ok(cursor)
    }

    /// The name of the list of the next segment, for a cursor that [`Cursor::start_at`] made.
    pub(super) fn head(&self) -> Option<&[u8]> {
        self.segments.head()
    }

    /// Appends the next segment, and goes on to the one after it.
    pub(super) fn take_head(&mut self, out: &mut Vec<u8>) -> Result<(), ListsError> {
        if let Some((_, bytes)) = self.segments.next()? {
            out.extend_from_slice(bytes);
        }
        self.go_on()
    }

    /// Goes on to the next chunk if nothing is left of this one.
    fn go_on(&mut self) -> Result<(), ListsError> {
        while !self.segments.has_more() && !self.segments.bound().is_empty() {
            self.next_chunk()?;
        }
        Ok(())
    }

    /// The next segment: the name of its list, and its bytes; `None` after the last one.
    pub(super) fn next(&mut self) -> Result<Option<Segment<'_>>, ListsError> {
        self.go_on()?;
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
        let Some(ahead) = self.ahead else {
            let chunk = self.run.chunk_at(self.table, self.segments.bound())?;
            self.segments = Segments::of(chunk);
            return Ok(());
        };
        let wanted = chunk_key(self.table, self.segments.bound());
        if self.waiting.is_empty() {
            self.waiting = self.run.chunks.pass(&wanted, ahead)?.into();
        }
        let found = self.waiting.pop_front().filter(|(at, _)| *at == wanted);
        let (at, value) = found.ok_or_else(missing)?;
        let chunk = Plain::read(&self.run.place, &at, &value)?;
        self.segments = Segments::of(Arc::new(chunk));
        Ok(())
    }
}

fn missing() -> ListsError {
    ListsError::damaged("a chunk of a list is missing")
}
