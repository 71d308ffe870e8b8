//! Sorted runs: the index of a range of positions, written once, in chunks.
//!
//! The layout is in `FORMAT.md`.

use super::chunks::{Chunk, ChunkStore};
use super::overlay::Overlay;
use super::{IndexError, Listing, Table};
use crate::id::{EventId, Position};
use crate::limits::{RUN_ENTRY_POSITIONS_MAX, SLED_VALUE_MAX_BYTES};
use std::collections::BTreeSet;

const CHECK_LENGTH_BYTES: usize = 8;
const POSITION_LENGTH_BYTES: usize = 8;

/// The index of the events from `first` to `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// The position of its first event.
    pub(crate) first: Position,
    /// The position of its last event.
    pub(crate) last: Position,
}

impl Run {
    /// What the keys of its chunks begin with.
    fn prefix(self, table: Table) -> Vec<u8> {
        let mut prefix = self.first.0.to_be_bytes().to_vec();
        prefix.extend_from_slice(&self.last.0.to_be_bytes());
        prefix.push(table as u8);
        prefix
    }

    /// The chunks of an overlay that covers exactly this run.
    pub(crate) fn chunks(self, overlay: &Overlay) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        let mut ids = Writer::new(self.prefix(Table::Ids));
        for (id, position) in overlay.sorted_ids() {
            ids.push(id.0.to_vec(), &position.0.to_be_bytes());
        }
        ids.finish(&mut chunks);
        for table in [Table::Subjects, Table::Kinds] {
            let mut writer = Writer::new(self.prefix(table));
            for (name, positions) in overlay.sorted(table) {
                let positions: Vec<_> = positions.collect();
                for part in positions.chunks(RUN_ENTRY_POSITIONS_MAX) {
                    writer.push_positions(name, part);
                }
            }
            writer.finish(&mut chunks);
        }
        chunks
    }

    /// Checks that each table begins, which a run that got lost does not.
    pub(crate) fn check(self, chunks: &dyn ChunkStore) -> Result<(), IndexError> {
        for table in [Table::Ids, Table::Subjects, Table::Kinds] {
            Entries::new(chunks, self.prefix(table), &[], &[])?;
        }
        Ok(())
    }

    /// Where the event of an id is.
    pub(crate) fn position(
        self,
        chunks: &dyn ChunkStore,
        id: EventId,
    ) -> Result<Option<Position>, IndexError> {
        let mut entries = Entries::new(chunks, self.prefix(Table::Ids), &id.0, &id.0)?;
        match entries.next()? {
            Some((key, value)) if key == id.0 => self.read_position(&value).map(Some),
            _ => Ok(None),
        }
    }

    /// How many positions a listing has.
    pub(crate) fn count(
        self,
        chunks: &dyn ChunkStore,
        listing: &Listing,
    ) -> Result<u64, IndexError> {
        let name = &listing.name;
        let mut entries = Entries::new(chunks, self.prefix(listing.table), name, name)?;
        let mut count = 0;
        while let Some((key, value)) = entries.next()? {
            if first_position(&key, name).is_none() {
                break;
            }
            count += read_count(&value)?;
        }
        Ok(count)
    }

    /// Adds positions of a listing after `after` until there are `limit`.
    pub(crate) fn positions(
        self,
        chunks: &dyn ChunkStore,
        listing: &Listing,
        after: Position,
        limit: usize,
        found: &mut Vec<Position>,
    ) -> Result<(), IndexError> {
        let name = &listing.name;
        // The entry that holds the position, if any, is the last one whose key is not after this.
        let seek = [name.as_slice(), &after.next().0.to_be_bytes()].concat();
        let mut entries = Entries::new(chunks, self.prefix(listing.table), &seek, name)?;
        while let Some((key, value)) = entries.next()? {
            let Some(first) = first_position(&key, name) else {
                break;
            };
            for position in self.read_positions(first, &value)? {
                if found.len() >= limit {
                    return Ok(());
                }
                if position > after {
                    found.push(position);
                }
            }
        }
        Ok(())
    }

    /// Adds the names of a table that begin with a prefix.
    pub(crate) fn names(
        self,
        chunks: &dyn ChunkStore,
        table: Table,
        prefix: &[u8],
        names: &mut BTreeSet<Vec<u8>>,
    ) -> Result<(), IndexError> {
        let mut entries = Entries::new(chunks, self.prefix(table), prefix, prefix)?;
        while let Some((mut key, _)) = entries.next()? {
            if !key.starts_with(prefix) {
                break;
            }
            key.truncate(key.len().saturating_sub(POSITION_LENGTH_BYTES));
            names.insert(key);
        }
        Ok(())
    }

    fn read_position(self, bytes: &[u8]) -> Result<Position, IndexError> {
        let bytes = bytes.try_into().map(u64::from_be_bytes);
        let position = bytes.map_err(|_| IndexError::damaged("a position has not 8 bytes"))?;
        self.within(position)
    }

    fn within(self, position: u64) -> Result<Position, IndexError> {
        if (self.first.0..=self.last.0).contains(&position) {
            return Ok(Position(position));
        }
        let Self { first, last } = self;
        let reason = format!("position {position} is in the run from {first} to {last}");
        Err(IndexError::damaged(reason))
    }

    fn read_positions(self, first: Position, value: &[u8]) -> Result<Vec<Position>, IndexError> {
        let count = read_count(value)?;
        let mut deltas = value.get(4..).unwrap_or_default();
        let mut position = first.0;
        let mut positions = vec![self.within(position)?];
        for _ in 1..count {
            let delta = read_varint(&mut deltas)
                .ok_or_else(|| IndexError::damaged("a list of positions ends too early"))?;
            position = position.saturating_add(delta);
            positions.push(self.within(position)?);
        }
        Ok(positions)
    }
}

/// The first position of an entry of a listing; `None` if the key belongs to another listing.
fn first_position(key: &[u8], name: &[u8]) -> Option<Position> {
    let rest = key.strip_prefix(name)?.try_into().ok()?;
    Some(Position(u64::from_be_bytes(rest)))
}

fn read_count(value: &[u8]) -> Result<u64, IndexError> {
    let count = value.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let count = count.ok_or_else(|| IndexError::damaged("a list of positions has no length"))?;
    Ok(u64::from(count))
}

/// Seven bits a byte, lowest first, the highest bit saying that more follow.
fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Groups sorted entries of one table into chunks.
struct Writer {
    prefix: Vec<u8>,
    /// Chunks that are full: the key of the first entry, and the entries.
    full: Vec<Chunk>,
    first: Vec<u8>,
    entries: Vec<u8>,
}

impl Writer {
    fn new(prefix: Vec<u8>) -> Self {
        Self {
            prefix,
            full: Vec::new(),
            // The first chunk of a table has the empty key, so that it is found for every key.
            first: Vec::new(),
            entries: Vec::new(),
        }
    }

    fn push_positions(&mut self, name: &[u8], positions: &[Position]) {
        let Some((first, rest)) = positions.split_first() else {
            return;
        };
        let count = u32::try_from(positions.len()).unwrap_or(u32::MAX);
        let mut value = count.to_le_bytes().to_vec();
        let mut before = first.0;
        for position in rest {
            write_varint(position.0 - before, &mut value);
            before = position.0;
        }
        let mut key = name.to_vec();
        key.extend_from_slice(&first.0.to_be_bytes());
        self.push(key, &value);
    }

    fn push(&mut self, key: Vec<u8>, value: &[u8]) {
        // The check and the bound of the chunk take up to a key's length and ten bytes.
        let length = self.entries.len() + 2 * key.len() + value.len() + 64;
        if length > SLED_VALUE_MAX_BYTES && !self.entries.is_empty() {
            let entries = std::mem::take(&mut self.entries);
            let first = std::mem::replace(&mut self.first, key.clone());
            self.full.push((first, entries));
        }
        write_bytes(&key, &mut self.entries);
        write_bytes(value, &mut self.entries);
    }

    fn finish(mut self, chunks: &mut Vec<Chunk>) {
        self.full.push((self.first, self.entries));
        let mut next: Option<&[u8]> = None;
        for (first, entries) in self.full.iter().rev() {
            let key = [self.prefix.as_slice(), first].concat();
            let mut body = Vec::with_capacity(entries.len() + 64);
            // An empty bound: this is the last chunk of the table.
            write_bytes(next.unwrap_or_default(), &mut body);
            body.extend_from_slice(entries);
            let value = [check(&key, &body).as_slice(), &body].concat();
            chunks.push((key, value));
            next = Some(first);
        }
    }
}

fn check(key: &[u8], body: &[u8]) -> [u8; CHECK_LENGTH_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key).update(body);
    let mut check = [0; CHECK_LENGTH_BYTES];
    hasher.finalize_xof().fill(&mut check);
    check
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
}

fn read_bytes(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (taken, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    *bytes = rest;
    Some(taken.to_vec())
}

/// The key and the value of an entry.
type Entry = (Vec<u8>, Vec<u8>);

/// Walks over the entries of a table from a key on.
struct Entries<'a> {
    chunks: &'a dyn ChunkStore,
    prefix: Vec<u8>,
    /// The rest of the present chunk.
    rest: Vec<u8>,
    used: usize,
    /// The first key of the next chunk; empty if there is none.
    bound: Vec<u8>,
    from: Vec<u8>,
}

impl<'a> Entries<'a> {
    /// Starts at the chunk that `seek` falls into, and passes over keys before `from`.
    fn new(
        chunks: &'a dyn ChunkStore,
        prefix: Vec<u8>,
        seek: &[u8],
        from: &[u8],
    ) -> Result<Self, IndexError> {
        let mut entries = Self {
            chunks,
            prefix,
            rest: Vec::new(),
            used: 0,
            bound: Vec::new(),
            from: from.to_vec(),
        };
        entries.load(seek, false)?;
        if !entries.bound.is_empty() && entries.bound.as_slice() <= seek {
            return Err(IndexError::damaged("a chunk of a run is missing"));
        }
        Ok(entries)
    }

    /// Loads the chunk that a key falls into, or the one that begins with it.
    fn load(&mut self, key: &[u8], exact: bool) -> Result<(), IndexError> {
        let wanted = [self.prefix.as_slice(), key].concat();
        let found = self.chunks.at_or_before(&wanted)?;
        let found =
            found.filter(|(at, _)| at.starts_with(&self.prefix) && (!exact || *at == wanted));
        let Some((at, value)) = found else {
            return Err(IndexError::damaged("a chunk of a run is missing"));
        };
        let (stored, body) = value
            .split_first_chunk()
            .unwrap_or((&[0; CHECK_LENGTH_BYTES], &[]));
        if *stored != check(&at, body) {
            return Err(IndexError::damaged(
                "the check of a chunk does not match it",
            ));
        }
        let mut rest = body;
        let bound = read_bytes(&mut rest);
        self.bound = bound.ok_or_else(|| IndexError::damaged("a chunk has no bound"))?;
        self.rest = rest.to_vec();
        self.used = 0;
        Ok(())
    }

    /// The next entry whose key is not before the one that was asked for.
    fn next(&mut self) -> Result<Option<Entry>, IndexError> {
        loop {
            let mut rest = self.rest.get(self.used..).unwrap_or_default();
            if rest.is_empty() {
                if self.bound.is_empty() {
                    return Ok(None);
                }
                let bound = std::mem::take(&mut self.bound);
                self.load(&bound, true)?;
                continue;
            }
            let entry = read_bytes(&mut rest).zip(read_bytes(&mut rest));
            self.used = self.rest.len() - rest.len();
            let (key, value) = entry.ok_or_else(|| IndexError::damaged("an entry is cut"))?;
            if key >= self.from {
                return Ok(Some((key, value)));
            }
        }
    }
}
