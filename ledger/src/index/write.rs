//! Writing runs: of an overlay, or of successive runs that become one.

use super::chunk::{Chunk, ChunkWriter, Entry, Place};
use super::cursor::Cursor;
use super::entry::hash_of;
use super::overlay::Overlay;
use super::run::Run;
use super::{IndexError, Table};
use crate::id::Position;
use crate::limits::{MERGE_CHUNKS_AT_ONCE, MERGE_ENTRIES_BETWEEN_LOOKS, RUN_ENTRY_POSITIONS_MAX};
use crate::runs::filter::{Filter, FilterWriter, Kept};
use crate::runs::keep::{Shelf, Sink};
use crate::runs::{RunInfo, Target};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

/// A run that is being written.
struct RunWriter {
    place: Place,
    sink: Box<dyn Sink>,
    table: Option<(Table, ChunkWriter)>,
    ids: FilterWriter,
    subjects: FilterWriter,
    info: RunInfo,
    /// The listing that is being gathered: positions that are in no entry yet.
    open: Entry,
}

impl RunWriter {
    /// Begins a run; `info` says for how many subjects the filter is made.
    fn new(shelf: &dyn Shelf, store_id: [u8; 16], info: RunInfo) -> Result<Self, IndexError> {
        Ok(Self {
            place: Place::of(store_id, &info),
            sink: shelf.create(info.number)?,
            table: None,
            ids: FilterWriter::new(Table::IdFilter, info.events()),
            subjects: FilterWriter::new(Table::SubjectFilter, info.filter_subjects),
            info: RunInfo {
                subjects: 0,
                ..info
            },
            open: Entry::default(),
        })
    }

    /// Begins a table. Tables have to come in order.
    fn begin(&mut self, table: Table) -> Result<(), IndexError> {
        self.end()?;
        self.table = Some((table, ChunkWriter::new(table, self.place)));
        Ok(())
    }

    /// Adds positions of an id or of a listing. Names have to come in order, and the positions of
    /// one name too, but they may come in several calls.
    fn add(&mut self, name: &[u8], positions: &[Position]) -> Result<(), IndexError> {
        if self.open.positions.is_empty() || self.open.name != name {
            self.put_open()?;
            self.open.name.clear();
            self.open.name.extend_from_slice(name);
            self.open.before = 0;
            match self.table {
                Some((Table::Ids, _)) => self.ids.add(hash_of(Table::Ids, name)),
                Some((Table::Subjects, _)) => {
                    self.info.subjects += 1;
                    self.subjects.add(hash_of(Table::Subjects, name));
                }
                _ => {}
            }
        }
        for position in positions {
            if self.open.positions.len() >= RUN_ENTRY_POSITIONS_MAX {
                self.put_open()?;
            }
            self.open.positions.push(*position);
        }
        Ok(())
    }

    /// Puts the open entry; what is added to the same name goes into another one.
    fn put_open(&mut self) -> Result<(), IndexError> {
        let Some((_, writer)) = &mut self.table else {
            return Ok(());
        };
        if self.open.positions.is_empty() {
            return Ok(());
        }
        let full = writer.push(&self.open);
        self.open.before += self.open.positions.len() as u64;
        self.open.positions.clear();
        full.map_or(Ok(()), |chunk| self.put(chunk))
    }

    fn end(&mut self) -> Result<(), IndexError> {
        self.put_open()?;
        match self.table.take() {
            Some((_, writer)) => self.put(writer.finish()),
            None => Ok(()),
        }
    }

    fn put(&mut self, (key, value): Chunk) -> Result<(), IndexError> {
        self.sink.put(key, value)
    }

    /// Writes the filters and makes all of it durable.
    fn seal(mut self, kept: &Kept) -> Result<Run, IndexError> {
        self.end()?;
        for filter in [&self.ids, &self.subjects] {
            for (key, value) in filter.chunks(self.place) {
                self.sink.put(key, value)?;
            }
        }
        let (hash, chunks) = self.sink.seal()?;
        let info = RunInfo { hash, ..self.info };
        let filters = [self.ids, self.subjects].map(|f| Filter::written(f, Arc::clone(kept)));
        let run = Run::with_filters(self.place.store_id, info, chunks, filters);
        // What was written is read once before anything relies on it.
        for table in Table::OF_ENTRIES {
            run.entries(table, 1)?.next()?;
        }
        Ok(run)
    }
}

/// Writes an overlay as a run; `None` if there is nothing in it.
pub(crate) fn write_overlay(
    to: Target<'_>,
    number: u64,
    overlay: &Overlay,
) -> Result<Option<Run>, IndexError> {
    let Some((first, last)) = overlay.range() else {
        return Ok(None);
    };
    let info = RunInfo {
        number,
        first,
        last,
        subjects: 0,
        filter_subjects: overlay.names_count() as u64,
        hash: [0; 32],
    };
    let mut writer = RunWriter::new(to.shelf, to.store_id, info)?;
    writer.begin(Table::Ids)?;
    for (id, position) in overlay.sorted_ids() {
        writer.add(&id.0, &[position])?;
    }
    let mut positions = Vec::new();
    for table in [Table::Subjects, Table::Kinds] {
        writer.begin(table)?;
        for (name, listed) in overlay.sorted(table) {
            positions.clear();
            positions.extend(listed);
            writer.add(name, &positions)?;
        }
    }
    writer.seal(to.kept).map(Some)
}

/// Writes successive runs as one. Holds some chunks of each of them, and the filter of the new one, in
/// memory. `None` if `stop` said so meanwhile.
pub(crate) fn merge(
    to: Target<'_>,
    number: u64,
    runs: &[Arc<Run>],
    stop: &dyn Fn() -> bool,
) -> Result<Option<Run>, IndexError> {
    let (Some(oldest), Some(newest)) = (runs.first(), runs.last()) else {
        return Ok(None);
    };
    let info = RunInfo {
        number,
        first: oldest.info.first,
        last: newest.info.last,
        subjects: 0,
        filter_subjects: runs.iter().map(|run| run.info.subjects).sum(),
        hash: [0; 32],
    };
    let mut writer = RunWriter::new(to.shelf, to.store_id, info)?;
    for table in Table::OF_ENTRIES {
        writer.begin(table)?;
        let cursors = runs
            .iter()
            .map(|run| run.entries(table, MERGE_CHUNKS_AT_ONCE));
        let mut cursors = cursors.collect::<Result<Vec<_>, _>>()?;
        if !merge_table(&mut cursors, &mut writer, stop)? {
            return Ok(None);
        }
    }
    writer.seal(to.kept).map(Some)
}

/// Merges one table; `false` if it was stopped.
fn merge_table(
    cursors: &mut [Cursor<'_>],
    writer: &mut RunWriter,
    stop: &dyn Fn() -> bool,
) -> Result<bool, IndexError> {
    // The least name first, and among equal ones the run of the least positions.
    let mut heads = BinaryHeap::with_capacity(cursors.len());
    for (number, cursor) in cursors.iter_mut().enumerate() {
        if let Some(entry) = cursor.next()? {
            heads.push(Reverse((entry.name.clone(), number)));
        }
    }
    let mut entries = 0_usize;
    while let Some(mut head) = heads.peek_mut() {
        entries += 1;
        if entries.is_multiple_of(MERGE_ENTRIES_BETWEEN_LOOKS) && stop() {
            return Ok(false);
        }
        let Reverse((name, number)) = &mut *head;
        let Some(cursor) = cursors.get_mut(*number) else {
            break;
        };
        let entry = cursor.entry();
        writer.add(&entry.name, &entry.positions)?;
        match cursor.next()? {
            Some(entry) => {
                name.clear();
                name.extend_from_slice(&entry.name);
            }
            None => {
                PeekMut::pop(head);
            }
        }
    }
    Ok(true)
}
