//! Walking over the entries of one table of a run, in order.

use super::chunk::{Chunk, Entry, Place, chunk_key};
use super::{IndexError, Table};
use crate::runs::keep::Chunks;
use crate::runs::varint;
use std::collections::VecDeque;

/// A place among the entries of a table.
pub(crate) struct Cursor<'a> {
    chunks: &'a dyn Chunks,
    place: Place,
    table: Table,
    /// How many chunks to read at once, for a cursor that passes over the whole table.
    ahead: Option<usize>,
    /// Chunks that were read and come next.
    waiting: VecDeque<Chunk>,
    body: Vec<u8>,
    used: usize,
    /// The key of the first entry of the next chunk; empty if there is none.
    bound: Vec<u8>,
    entry: Entry,
}

impl<'a> Cursor<'a> {
    /// Before the first entry of the chunk that a key falls into. Costs a look-up. If that chunk is lost, it
    /// is the one before it, all of whose keys are before the key: going on from there asks for the chunk
    /// that is bound to follow, and finds that it is missing.
    pub(crate) fn seek(
        chunks: &'a dyn Chunks,
        place: Place,
        table: Table,
        key: &[u8],
    ) -> Result<Self, IndexError> {
        let wanted = chunk_key(table, key);
        let found = chunks.at_or_before(&wanted)?;
        let of_table = found.filter(|(at, _)| at.first() == Some(&(table as u8)));
        let mut cursor = Self {
            chunks,
            place,
            table,
            ahead: None,
            waiting: of_table.into_iter().collect(),
            body: Vec::new(),
            used: 0,
            bound: Vec::new(),
            entry: Entry::default(),
        };
        cursor.next_chunk(None)?;
        Ok(cursor)
    }

    /// Before the first entry of a table; reads so many chunks at once.
    pub(crate) fn start(
        chunks: &'a dyn Chunks,
        place: Place,
        table: Table,
        ahead: usize,
    ) -> Result<Self, IndexError> {
        let cursor = Self::seek(chunks, place, table, &[])?;
        let ahead = Some(ahead);
        Ok(Self { ahead, ..cursor })
    }

    /// Goes to the next entry, and returns it; `None` after the last one.
    pub(crate) fn next(&mut self) -> Result<Option<&Entry>, IndexError> {
        while self.used >= self.body.len() {
            if self.bound.is_empty() {
                return Ok(None);
            }
            let wanted = chunk_key(self.table, &self.bound);
            if self.waiting.is_empty() {
                let chunks = match self.ahead {
                    Some(ahead) => self.chunks.pass(&wanted, ahead)?,
                    None => self.chunks.from(&wanted, 1)?,
                };
                self.waiting = chunks.into();
            }
            self.next_chunk(Some(&wanted))?;
        }
        let mut rest = self.body.get(self.used..).unwrap_or_default();
        self.entry.read_next(self.table, &self.place, &mut rest)?;
        self.used = self.body.len() - rest.len();
        Ok(Some(&self.entry))
    }

    /// The entry that was returned last.
    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    fn next_chunk(&mut self, wanted: Option<&[u8]>) -> Result<(), IndexError> {
        let (at, value) = self.waiting.pop_front().ok_or_else(missing)?;
        if wanted.is_some_and(|wanted| wanted != at) {
            return Err(missing());
        }
        let mut entries = self.place.unseal(&at, &value)?;
        let bound = varint::read_bytes(&mut entries);
        let bound = bound.ok_or_else(|| IndexError::damaged("a chunk has no bound"))?;
        self.bound = bound.to_vec();
        self.body = entries.to_vec();
        self.used = 0;
        self.entry = Entry::default();
        Ok(())
    }
}

fn missing() -> IndexError {
    IndexError::damaged("a chunk of a run is missing")
}
