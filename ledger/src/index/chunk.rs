//! Chunks: the pieces in which a table of a run is kept. The layout is in `FORMAT.md`.

use super::{IndexError, Table};
use crate::id::Position;
use crate::limits::CHUNK_LENGTH_MAX_BYTES;
pub(crate) use crate::runs::keep::Chunk;
use crate::runs::place::SEAL_LENGTH_BYTES;
pub(crate) use crate::runs::place::{Place, chunk_key};
use crate::runs::varint;

const POSITION_LENGTH_BYTES: usize = 8;
/// What the check and the lengths of a chunk take at most, besides its bound and its entries.
const OVERHEAD_MAX_BYTES: usize = SEAL_LENGTH_BYTES + 4;
/// From this length on, a length does not fit into half a byte.
const HALF_BYTE_MAX: usize = 15;

/// The key of an entry: what entries of a table are sorted by.
pub(crate) fn entry_key(name: &[u8], first: Position) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + POSITION_LENGTH_BYTES);
    key.extend_from_slice(name);
    key.extend_from_slice(&first.0.to_be_bytes());
    key
}

/// An entry of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// An id, or the name of a listing.
    pub(crate) name: Vec<u8>,
    /// How many positions of the listing are in entries of this run before it; 0 for an id.
    pub(crate) before: u64,
    /// The positions, at least one; exactly one for an id.
    pub(crate) positions: Vec<Position>,
}

impl Entry {
    fn first(&self) -> Position {
        self.positions.first().copied().unwrap_or(Position(0))
    }

    /// Appends its stored form after an entry of another name.
    fn write(&self, table: Table, place: &Place, name_before: &[u8], out: &mut Vec<u8>) {
        let pairs = self.name.iter().zip(name_before);
        let shared = pairs.take_while(|(one, other)| one == other).count();
        let rest = self.name.get(shared..).unwrap_or_default();
        let halves = (shared.min(HALF_BYTE_MAX), rest.len().min(HALF_BYTE_MAX));
        out.push((halves.0 << 4 | halves.1) as u8);
        for length in [shared, rest.len()] {
            if let Some(more) = length.checked_sub(HALF_BYTE_MAX) {
                varint::write(more as u64, out);
            }
        }
        out.extend_from_slice(rest);
        let first = self.first().0 - place.first.0;
        if table == Table::Ids {
            return varint::write(first, out);
        }
        let count = self.positions.len() as u64;
        varint::write(count << 1 | u64::from(self.before > 0), out);
        if self.before > 0 {
            varint::write(self.before, out);
        }
        varint::write(first, out);
        for pair in self.positions.windows(2) {
            if let [one, next] = pair {
                varint::write(next.0 - one.0, out);
            }
        }
    }

    /// Reads the entry that follows this one in a chunk into its place.
    pub(crate) fn read_next(
        &mut self,
        table: Table,
        place: &Place,
        bytes: &mut &[u8],
    ) -> Result<(), IndexError> {
        let cut = || IndexError::damaged("an entry is cut");
        let (halves, rest) = bytes.split_first().ok_or_else(cut)?;
        *bytes = rest;
        let mut length = |half: u8| {
            let half = usize::from(half);
            if half < HALF_BYTE_MAX {
                return Some(half);
            }
            let more = usize::try_from(varint::read(bytes)?).ok()?;
            half.checked_add(more)
        };
        let shared = length(halves >> 4).ok_or_else(cut)?;
        let rest = length(halves & 0x0f).ok_or_else(cut)?;
        if shared > self.name.len() {
            return Err(cut());
        }
        let (rest, after) = bytes.split_at_checked(rest).ok_or_else(cut)?;
        *bytes = after;
        self.name.truncate(shared);
        self.name.extend_from_slice(rest);
        self.before = 0;
        self.positions.clear();
        let mut count = 1;
        if table != Table::Ids {
            let number = varint::read(bytes).ok_or_else(cut)?;
            count = number >> 1;
            if number & 1 == 1 {
                self.before = varint::read(bytes).ok_or_else(cut)?;
            }
        }
        let mut position = place.first.0;
        for number in 0..count {
            let distance = varint::read(bytes).ok_or_else(cut)?;
            if number > 0 && distance == 0 {
                return Err(cut());
            }
            let next = place.within(position.checked_add(distance))?;
            position = next.0;
            self.positions.push(next);
        }
        match count {
            0 => Err(cut()),
            _ => Ok(()),
        }
    }
}

/// Groups the sorted entries of one table into chunks.
pub(crate) struct ChunkWriter {
    table: Table,
    place: Place,
    /// The key of the first entry of the chunk; empty for the first chunk of the table, so that
    /// it is found for every key.
    first: Vec<u8>,
    entries: Vec<u8>,
    name_before: Vec<u8>,
    entry: Vec<u8>,
}

impl ChunkWriter {
    pub(crate) fn new(table: Table, place: Place) -> Self {
        Self {
            table,
            place,
            first: Vec::new(),
            entries: Vec::new(),
            name_before: Vec::new(),
            entry: Vec::new(),
        }
    }

    /// Adds an entry whose key is after all others. Returns the chunk that is full now, if one is.
    pub(crate) fn push(&mut self, entry: &Entry) -> Option<Chunk> {
        self.entry.clear();
        entry.write(self.table, &self.place, &self.name_before, &mut self.entry);
        let bound_max = entry.name.len() + POSITION_LENGTH_BYTES;
        let length = OVERHEAD_MAX_BYTES + bound_max + self.entries.len() + self.entry.len();
        let mut full = None;
        if length > CHUNK_LENGTH_MAX_BYTES && !self.entries.is_empty() {
            let key = entry_key(&entry.name, entry.first());
            full = Some(self.chunk(&key));
            self.first = key;
            self.entries.clear();
            self.entry.clear();
            entry.write(self.table, &self.place, &[], &mut self.entry);
        }
        self.entries.extend_from_slice(&self.entry);
        self.name_before.clear();
        self.name_before.extend_from_slice(&entry.name);
        full
    }

    /// The last chunk of the table.
    pub(crate) fn finish(self) -> Chunk {
        self.chunk(&[])
    }

    fn chunk(&self, bound: &[u8]) -> Chunk {
        let key = chunk_key(self.table, &self.first);
        let mut body = Vec::with_capacity(CHUNK_LENGTH_MAX_BYTES);
        varint::write(bound.len() as u64, &mut body);
        body.extend_from_slice(bound);
        body.extend_from_slice(&self.entries);
        let value = self.place.seal(&key, &body);
        (key, value)
    }
}
