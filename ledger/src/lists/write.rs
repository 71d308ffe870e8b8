//! Writing runs of lists: of what was gathered, or of successive runs that become one.

use super::chunk::ChunkWriter;
use super::run::{Cursor, Run};
use super::{FILTER, Gathering, ListName, ListsError, Table};
use crate::limits::{LIST_SEGMENT_MAX_BYTES, MERGE_CHUNKS_AT_ONCE, MERGE_ENTRIES_BETWEEN_LOOKS};
use crate::runs::filter::{Filter, FilterWriter, Kept};
use crate::runs::keep::Sink;
use crate::runs::place::Place;
use crate::runs::{RunInfo, Target};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

/// A run that is being written.
struct RunWriter {
    place: Place,
    sink: Box<dyn Sink>,
    chunks: Option<(Table, ChunkWriter)>,
    filter: FilterWriter,
    info: RunInfo,
    /// The list that is being written, how much of its stream was cut off, and what was not.
    name: Vec<u8>,
    offset: u64,
    stream: Vec<u8>,
    is_open: bool,
}

impl RunWriter {
    /// Begins a run; `info` says for how many lists the filter is made.
    fn new(to: Target<'_>, info: RunInfo) -> Result<Self, ListsError> {
        Ok(Self {
            place: Place::of(to.store_id, &info),
            sink: to.shelf.create(info.number)?,
            chunks: None,
            filter: FilterWriter::new(FILTER, info.filter_subjects),
            info: RunInfo {
                subjects: 0,
                ..info
            },
            name: Vec::new(),
            offset: 0,
            stream: Vec::new(),
            is_open: false,
        })
    }

    /// Adds to the stream of a list. Lists have to come in order; one may come in several calls.
    fn add(&mut self, table: Table, name: &[u8], bytes: &[u8]) -> Result<(), ListsError> {
        self.begin_table(table)?;
        if !(self.is_open && self.name == name) {
            self.end_list()?;
            self.begin_list(name, ListName::new(table, name).hash);
        }
        self.extend(bytes)
    }

    /// Adds a whole list of the table, after all others.
    fn add_list<'b>(
        &mut self,
        (table, name, hash): (Table, &[u8], u64),
        values: impl Iterator<Item = &'b [u8]> + Clone,
    ) -> Result<(), ListsError> {
        self.begin_table(table)?;
        self.end_list()?;
        self.begin_list(name, hash);
        let length = values.clone().map(<[u8]>::len).sum();
        if length > LIST_SEGMENT_MAX_BYTES {
            return values.into_iter().try_for_each(|value| self.extend(value));
        }
        // Most lists are one segment, which needs no stream.
        if let Some((_, writer)) = &mut self.chunks {
            for (key, value) in writer.push(name, 0, length, values) {
                self.sink.put(key, value)?;
            }
        }
        self.is_open = false;
        Ok(())
    }

    fn begin_list(&mut self, name: &[u8], hash: u64) {
        self.name.clear();
        self.name.extend_from_slice(name);
        self.offset = 0;
        self.is_open = true;
        self.info.subjects += 1;
        self.filter.add(hash);
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), ListsError> {
        self.stream.extend_from_slice(bytes);
        while self.stream.len() > LIST_SEGMENT_MAX_BYTES {
            self.put_segment(LIST_SEGMENT_MAX_BYTES)?;
        }
        Ok(())
    }

    /// Goes on to a table; those between are there and empty.
    fn begin_table(&mut self, table: Table) -> Result<(), ListsError> {
        while self.chunks.as_ref().is_none_or(|(open, _)| *open < table) {
            self.end_list()?;
            let next = self.end_table()?;
            self.chunks = Some((next, ChunkWriter::new(next, self.place)));
        }
        Ok(())
    }

    fn put_segment(&mut self, length: usize) -> Result<(), ListsError> {
        let bytes = self.stream.get(..length).unwrap_or(&self.stream);
        let taken = bytes.len();
        if let Some((_, writer)) = &mut self.chunks {
            for (key, value) in writer.push(&self.name, self.offset, taken, [bytes]) {
                self.sink.put(key, value)?;
            }
        }
        self.offset += taken as u64;
        self.stream.drain(..taken);
        Ok(())
    }

    fn end_list(&mut self) -> Result<(), ListsError> {
        // A list without values is one empty segment.
        if self.is_open && (!self.stream.is_empty() || self.offset == 0) {
            self.put_segment(self.stream.len())?;
        }
        self.is_open = false;
        Ok(())
    }

    /// Ends the table that is open; the one that follows it.
    fn end_table(&mut self) -> Result<Table, ListsError> {
        let Some((table, writer)) = self.chunks.take() else {
            return Ok(Table(0));
        };
        for (key, value) in writer.finish() {
            self.sink.put(key, value)?;
        }
        Ok(Table(table.0.saturating_add(1)))
    }

    /// Writes the filter and makes all of it durable.
    fn seal(mut self, kept: &Kept) -> Result<Run, ListsError> {
        self.begin_table(Table(Table::COUNT - 1))?;
        self.end_list()?;
        self.end_table()?;
        for (key, value) in self.filter.chunks(self.place) {
            self.sink.put(key, value)?;
        }
        let (hash, chunks) = self.sink.seal()?;
        let info = RunInfo { hash, ..self.info };
        let filter = Filter::written(self.filter, Arc::clone(kept));
        let run = Run::with_filter(self.place.store_id, info, chunks, filter);
        // What was written is read once before anything relies on it.
        for table in Table::all() {
            Cursor::start(&run, table, 1)?.next()?;
        }
        Ok(run)
    }
}

/// Writes what was gathered as a run; `None` if it covers no position.
pub(super) fn write(
    to: Target<'_>,
    number: u64,
    gathered: &Gathering,
) -> Result<Option<Run>, ListsError> {
    let Some((first, last)) = gathered.range() else {
        return Ok(None);
    };
    let info = RunInfo {
        number,
        first,
        last,
        subjects: 0,
        filter_subjects: gathered.lists_count() as u64,
        hash: [0; 32],
    };
    let mut writer = RunWriter::new(to, info)?;
    for (table, name, hash, values) in gathered.sorted() {
        writer.add_list((table, name, hash), values)?;
    }
    writer.seal(to.kept).map(Some)
}

/// Writes successive runs as one. Holds some chunks of each of them, and the filter of the new one, in
/// memory. `None` if `stop` said so meanwhile.
pub(super) fn merge(
    to: Target<'_>,
    number: u64,
    runs: &[Arc<Run>],
    stop: &dyn Fn() -> bool,
) -> Result<Option<Run>, ListsError> {
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
    let mut writer = RunWriter::new(to, info)?;
    for table in Table::all() {
        if !merge_table(table, runs, &mut writer, stop)? {
            return Ok(None);
        }
    }
    writer.seal(to.kept).map(Some)
}

/// Merges one table; `false` if it was stopped.
fn merge_table(
    table: Table,
    runs: &[Arc<Run>],
    writer: &mut RunWriter,
    stop: &dyn Fn() -> bool,
) -> Result<bool, ListsError> {
    let mut cursors = Vec::new();
    for run in runs {
        if run.has_any(table)? {
            cursors.push(Cursor::start(run, table, MERGE_CHUNKS_AT_ONCE)?);
        }
    }
    // The least name first, and of one name the run of the least positions. A segment is held here with
    // its name, because the cursor goes on.
    let mut heads = BinaryHeap::with_capacity(cursors.len());
    for (number, cursor) in cursors.iter_mut().enumerate() {
        if let Some((name, bytes)) = cursor.next()? {
            heads.push(Reverse((name.to_vec(), number, bytes.to_vec())));
        }
    }
    let mut segments = 0_usize;
    while let Some(mut head) = heads.peek_mut() {
        segments += 1;
        if segments.is_multiple_of(MERGE_ENTRIES_BETWEEN_LOOKS) && stop() {
            return Ok(false);
        }
        let Reverse((name, number, bytes)) = &mut *head;
        writer.add(table, name, bytes)?;
        let Some(cursor) = cursors.get_mut(*number) else {
            break;
        };
        match cursor.next()? {
            Some((next, more)) => {
                name.clear();
                name.extend_from_slice(next);
                bytes.clear();
                bytes.extend_from_slice(more);
            }
            None => {
                PeekMut::pop(head);
            }
        }
    }
    Ok(true)
}
