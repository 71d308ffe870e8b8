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

/// Cuts events into blocks. Returns the table and the blocks as they are stored, and the blocks.
pub(super) fn write<E: AsRef<[u8]>>(
    first: Position,
    is_lost: bool,
    events: &[E],
    compressed: bool,
) -> (Vec<u8>, Vec<Block>) {
    let mut table = Vec::new();
    let mut stored = Vec::new();
    let mut blocks = Vec::new();
    let mut next = first;
    let mut rest = events;
    let mut packer = compressed.then(Packer::default);
    while !rest.is_empty() {
        let mut length = 0;
        let fitting = rest.iter().take_while(|event| {
            let fits = length < BLOCK_LENGTH_TARGET_BYTES;
            length += event.as_ref().len();
            fits
        });
        let (these, later) = rest.split_at(fitting.count().max(1));
        rest = later;
        let block = fill(next, is_lost, these);
        next = Position(next.0 + these.len() as u64);
        let packed = packer.as_mut().and_then(|packer| packer.pack(&block.plain));
        let flags = if packed.is_some() { COMPRESSED } else { 0 };
        let bytes = packed.unwrap_or(&block.plain);
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        table.extend_from_slice(&u16::try_from(these.len()).unwrap_or(u16::MAX).to_le_bytes());
        table.extend_from_slice(&flags.to_le_bytes());
        table.extend_from_slice(&number(block.plain.len()));
        table.extend_from_slice(&number(bytes.len()));
        table.extend_from_slice(&check::<CHECK_LENGTH_BYTES>(bytes));
        stored.extend_from_slice(bytes);
        blocks.push(block);
    }
    let check = check::<CHECK_LENGTH_BYTES>(&table);
    table.extend_from_slice(&check);
    table.extend_from_slice(&stored);
    (table, blocks)
}

/// Compresses one block after the other, with the same memory.
#[derive(Default)]
struct Packer {
    table: CompressTable,
    packed: Vec<u8>,
}

impl Packer {
    /// A block in its compressed form, if that is shorter.
    fn pack(&mut self, plain: &[u8]) -> Option<&[u8]> {
        let most = get_maximum_output_size(plain.len());
        if self.packed.len() < most {
            self.packed.resize(most, 0);
        }
        let packed = compress_into_with_table(plain, &mut self.packed, &mut self.table);
        let length = packed.ok().filter(|length| *length < plain.len())?;
        self.packed.get(..length)
    }
}

fn fill<E: AsRef<[u8]>>(first: Position, is_lost: bool, events: &[E]) -> Block {
    let length: usize = events.iter().map(|event| event.as_ref().len()).sum();
    let mut plain = Vec::with_capacity(4 * events.len() + length);
    let mut ends = Vec::with_capacity(events.len());
    let mut end = 0;
    for event in events {
        let length = u32::try_from(event.as_ref().len()).unwrap_or(u32::MAX);
        plain.extend_from_slice(&length.to_le_bytes());
        end += length;
        ends.push(end);
    }
    for event in events {
        plain.extend_from_slice(event.as_ref());
    }
    Block {
        first,
        is_lost,
        plain,
        ends,
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
