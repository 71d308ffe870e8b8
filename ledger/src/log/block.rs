//! Blocks: the parts of a frame that can be read each by itself. The layout is in `FORMAT.md`.

use super::frame::{FrameError, Header, array_at, check, u32_at};
use crate::id::Position;
use crate::limits::BLOCK_LENGTH_TARGET_BYTES;
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use std::sync::Arc;

/// How long an entry of the table of blocks is.
const ENTRY_LENGTH_BYTES: usize = 20;
const CHECK_LENGTH_BYTES: usize = 8;
/// The block is one lz4 block.
const COMPRESSED: u16 = 1;

/// A block that was checked.
pub type StoredBlock = Arc<Block>;

/// Successive events of a frame, or the leaf hashes of lost ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    first: Position,
    is_lost: bool,
    /// The length of each event, then the events.
    plain: Vec<u8>,
    /// Where each event ends, from where the first one begins.
    ends: Vec<u32>,
}

impl Block {
    /// The position of its first event.
    pub fn first(&self) -> Position {
        self.first
    }

    /// Whether it holds a position.
    pub fn holds(&self, position: Position) -> bool {
        let number = position.0.checked_sub(self.first.0);
        number.is_some_and(|number| number < self.ends.len() as u64)
    }

    /// Whether its events are lost.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// The stored bytes of the event at a position; `None` if it is not in this block or is lost.
    pub fn event(&self, position: Position) -> Option<&[u8]> {
        match self.is_lost {
            true => None,
            false => self.part(position),
        }
    }

    /// The leaf hash of a lost event, where a tile had it.
    pub fn lost_leaf(&self, position: Position) -> Option<[u8; 32]> {
        match self.is_lost {
            true => self.part(position)?.try_into().ok(),
            false => None,
        }
    }

    /// Its events, in order; none if they are lost.
    pub(super) fn events(&self) -> impl Iterator<Item = &[u8]> {
        let positions = (self.first.0..).map(Position);
        positions.map_while(|position| self.event(position))
    }

    fn part(&self, position: Position) -> Option<&[u8]> {
        let number = usize::try_from(position.0.checked_sub(self.first.0)?).ok()?;
        let end = usize::try_from(*self.ends.get(number)?).ok()?;
        let start = match number.checked_sub(1) {
            None => 0,
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
        };
        let lengths = 4 * self.ends.len();
        self.plain.get(lengths + start..lengths + end)
    }
}

/// How long a table of so many blocks is.
pub(super) fn table_length(blocks: usize) -> usize {
    blocks * ENTRY_LENGTH_BYTES + CHECK_LENGTH_BYTES
}

/// How long the table and the blocks of events of some length together may become. What does not get shorter
/// by compression is stored as it is, but needs room while it is tried.
pub(super) fn length_max(events: usize, length: usize) -> usize {
    let plain = 4 * events + length;
    let blocks = 1 + length / BLOCK_LENGTH_TARGET_BYTES;
    table_length(blocks) + plain + get_maximum_output_size(BLOCK_LENGTH_TARGET_BYTES)
}

/// The events of one block after the other.
fn groups<E: AsRef<[u8]>>(events: &[E]) -> Vec<&[E]> {
    let mut groups = Vec::new();
    let mut rest = events;
    while !rest.is_empty() {
        let mut length = 0;
        let fitting = rest.iter().take_while(|event| {
            let fits = length < BLOCK_LENGTH_TARGET_BYTES;
            length += event.as_ref().len();
            fits
        });
        let (these, later) = rest.split_at(fitting.count().max(1));
        rest = later;
        groups.push(these);
    }
    groups
}

/// Cuts events into blocks, and appends their table and then the blocks to a frame as they are stored. Returns
/// how many blocks there are.
pub(super) fn write<E: AsRef<[u8]>>(events: &[E], compressed: bool, out: &mut Vec<u8>) -> usize {
    let groups = groups(events);
    let table_at = out.len();
    let mut table = Vec::with_capacity(table_length(groups.len()));
    out.resize(table_at + table_length(groups.len()), 0);
    let mut packer = compressed.then(Packer::default);
    for group in &groups {
        let start = out.len();
        let is_packed = packer
            .as_mut()
            .is_some_and(|packer| packer.pack(group, out));
        if !is_packed {
            put_plain(group, out);
        }
        let stored = out.get(start..).unwrap_or_default();
        let flags = if is_packed { COMPRESSED } else { 0 };
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        table.extend_from_slice(&u16::try_from(group.len()).unwrap_or(u16::MAX).to_le_bytes());
        table.extend_from_slice(&flags.to_le_bytes());
        table.extend_from_slice(&number(plain_length(group)));
        table.extend_from_slice(&number(stored.len()));
        table.extend_from_slice(&check::<CHECK_LENGTH_BYTES>(stored));
    }
    let check = check::<CHECK_LENGTH_BYTES>(&table);
    table.extend_from_slice(&check);
    if let Some(place) = out.get_mut(table_at..table_at + table.len()) {
        place.copy_from_slice(&table);
    }
    groups.len()
}

/// How long a block is before it is compressed.
fn plain_length<E: AsRef<[u8]>>(events: &[E]) -> usize {
    let lengths = events.iter().map(|event| event.as_ref().len());
    4 * events.len() + lengths.sum::<usize>()
}

/// Appends a block as it is before it is compressed: the length of each event, then the events.
fn put_plain<E: AsRef<[u8]>>(events: &[E], out: &mut Vec<u8>) {
    for event in events {
        let length = u32::try_from(event.as_ref().len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_le_bytes());
    }
    for event in events {
        out.extend_from_slice(event.as_ref());
    }
}

/// Compresses one block after the other, with the same memory.
#[derive(Default)]
struct Packer {
    table: CompressTable,
    plain: Vec<u8>,
}

impl Packer {
    /// Appends a block in its compressed form, if that is shorter; else nothing.
    fn pack<E: AsRef<[u8]>>(&mut self, events: &[E], out: &mut Vec<u8>) -> bool {
        self.plain.clear();
        put_plain(events, &mut self.plain);
        let start = out.len();
        out.resize(start + get_maximum_output_size(self.plain.len()), 0);
        let place = out.get_mut(start..).unwrap_or_default();
        let packed = compress_into_with_table(&self.plain, place, &mut self.table);
        let length = packed.ok().filter(|length| *length < self.plain.len());
        out.truncate(start + length.unwrap_or(0));
        length.is_some()
    }
}

/// Where a block is, and what it has to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockPlace {
    first: Position,
    count: usize,
    is_lost: bool,
    is_compressed: bool,
    plain_length: usize,
    /// How long it is as it is stored.
    pub(crate) length: usize,
    check: [u8; CHECK_LENGTH_BYTES],
}

/// The blocks of a frame in order, from its table.
pub(crate) fn read_table(header: &Header, table: &[u8]) -> Result<Vec<BlockPlace>, FrameError> {
    let (entries, found) = table
        .split_last_chunk::<CHECK_LENGTH_BYTES>()
        .ok_or(FrameError::Impossible { what: "table" })?;
    if *found != check::<CHECK_LENGTH_BYTES>(entries) {
        return Err(FrameError::Table);
    }
    let mut places = Vec::with_capacity(entries.len() / ENTRY_LENGTH_BYTES);
    let mut first = header.first;
    for entry in entries.as_chunks::<ENTRY_LENGTH_BYTES>().0 {
        let count = usize::from(u16::from_le_bytes(array_at(entry, 0)));
        places.push(BlockPlace {
            first,
            count,
            is_lost: header.is_lost,
            is_compressed: u16::from_le_bytes(array_at(entry, 2)) == COMPRESSED,
            plain_length: u32_at(entry, 4),
            length: u32_at(entry, 8),
            check: array_at(entry, 12),
        });
        first = Position(first.0.saturating_add(count as u64));
    }
    match first == header.last().next() {
        true => Ok(places),
        false => Err(FrameError::Impossible { what: "table" }),
    }
}

impl BlockPlace {
    /// Whether it holds a position.
    pub(crate) fn holds(&self, position: Position) -> bool {
        let number = position.0.checked_sub(self.first.0);
        number.is_some_and(|number| number < self.count as u64)
    }

    /// Reads a block by itself and checks it. Costs one hash and one decompression of it.
    pub(crate) fn read_checked(&self, stored: &[u8]) -> Result<Block, FrameError> {
        if stored.len() != self.length || check(stored) != self.check {
            return Err(FrameError::Block);
        }
        self.read(stored)
    }

    /// Reads a block whose bytes were checked.
    pub(super) fn read(&self, stored: &[u8]) -> Result<Block, FrameError> {
        let impossible = || FrameError::Impossible { what: "block" };
        let plain = match self.is_compressed {
            false => stored.to_vec(),
            true => {
                lz4_flex::block::decompress(stored, self.plain_length).map_err(|_| impossible())?
            }
        };
        if plain.len() != self.plain_length {
            return Err(impossible());
        }
        let split = plain.split_at_checked(4 * self.count);
        let (lengths, events) = split.ok_or_else(impossible)?;
        let mut end = 0_u32;
        let mut ends = Vec::with_capacity(self.count);
        for length in lengths.as_chunks().0 {
            let length = u32::from_le_bytes(*length);
            end = end.checked_add(length).ok_or_else(impossible)?;
            ends.push(end);
        }
        if usize::try_from(end) != Ok(events.len()) {
            return Err(impossible());
        }
        Ok(Block {
            first: self.first,
            is_lost: self.is_lost,
            plain,
            ends,
        })
    }
}
