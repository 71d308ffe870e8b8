//! Filters that tell at once that a name is not in a run, most of the time that it is not.
//!
//! Every append asks for ids that nearly always are new, and a subject is in few runs. A filter is a
//! Bloom filter in blocks, each of which is kept in the run with a check of its own, read when it is
//! asked for the first time, and then kept in memory as far as [`FILTERS_KEPT_MAX_BYTES`] allows.

use super::RunError;
use super::keep::{Chunk, Chunks};
use super::place::{Place, chunk_key};
use crate::limits::{
    FILTER_BLOCK_LENGTH_BYTES, FILTER_BLOCKS_AT_ONCE, FILTER_NAME_BITS, FILTER_NAME_BITS_OF_FEW,
    FILTER_NAMES_FEW_MAX, FILTERS_KEPT_MAX_BYTES,
};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

const BLOCK_BITS: u64 = FILTER_BLOCK_LENGTH_BYTES as u64 * 8;
const PROBES: u32 = 8;

/// How many bytes of filters of one folder of runs are in memory.
pub(crate) type Kept = Arc<AtomicUsize>;

type Block = Box<[u8; FILTER_BLOCK_LENGTH_BYTES]>;

/// How many blocks a filter of so many names has, at least one.
fn blocks_for(names: u64) -> usize {
    let bits = match names <= FILTER_NAMES_FEW_MAX {
        true => FILTER_NAME_BITS_OF_FEW,
        false => FILTER_NAME_BITS,
    };
    let blocks = (names * bits).div_ceil(BLOCK_BITS);
    usize::try_from(blocks).unwrap_or(usize::MAX).max(1)
}

/// The number of the block of a hash.
fn block_of(hash: u64, blocks: usize) -> usize {
    let block = ((hash >> 32) * blocks as u64) >> 32;
    usize::try_from(block).unwrap_or(0)
}

/// One of the bits of a hash: the number of a byte in its block, and the bit in it.
fn bit_of(hash: u64, probe: u32) -> (usize, u8) {
    let start = hash as u32;
    let step = start.rotate_right(15) | 1;
    let bit = u64::from(start.wrapping_add(probe.wrapping_mul(step))) % BLOCK_BITS;
    (usize::try_from(bit / 8).unwrap_or(0), 1 << (bit % 8))
}

/// Whether all bits of a hash are set. The first half of them is looked at without a branch between,
/// so that memory answers all at once: a name that is absent hardly ever needs the second half.
fn holds(block: &Block, hash: u64) -> bool {
    let are_set = |probes: Range<u32>| {
        probes.fold(true, |all, probe| {
            let (at, bit) = bit_of(hash, probe);
            all & block.get(at).is_some_and(|byte| byte & bit != 0)
        })
    };
    are_set(0..PROBES / 2) && are_set(PROBES / 2..PROBES)
}

/// A filter that is being made. Takes two bytes a name.
pub(crate) struct FilterWriter {
    table: u8,
    blocks: Vec<Block>,
}

impl FilterWriter {
    /// A filter that is kept in a table, for at most so many names.
    pub(crate) fn new(table: impl Into<u8>, names: u64) -> Self {
        let table = table.into();
        let empty = Box::new([0; FILTER_BLOCK_LENGTH_BYTES]);
        let blocks = vec![empty; blocks_for(names)];
        Self { table, blocks }
    }

    /// Adds a name by its hash.
    pub(crate) fn add(&mut self, hash: u64) {
        let block = block_of(hash, self.blocks.len());
        if let Some(block) = self.blocks.get_mut(block) {
            for (at, bit) in (0..PROBES).map(|probe| bit_of(hash, probe)) {
                if let Some(byte) = block.get_mut(at) {
                    *byte |= bit;
                }
            }
        }
    }

    /// Its blocks as they are kept, in order.
    pub(crate) fn chunks(&self, place: Place) -> impl Iterator<Item = Chunk> {
        let keys = (0_u32..).map(|number| chunk_key(self.table, &number.to_be_bytes()));
        keys.zip(&self.blocks).map(move |(key, block)| {
            let value = place.seal(&key, block.as_slice());
            (key, value)
        })
    }
}

/// A filter of a run.
pub(crate) struct Filter {
    table: u8,
    blocks: Vec<OnceLock<Block>>,
    kept: Kept,
}

impl Filter {
    /// A filter of a run that was made for so many names; nothing of it is read yet.
    pub(crate) fn new(table: impl Into<u8>, names: u64, kept: Kept) -> Self {
        let table = table.into();
        let blocks = (0..blocks_for(names)).map(|_| OnceLock::new()).collect();
        Self {
            table,
            blocks,
            kept,
        }
    }

    /// A filter that was just written, in memory as far as there is room.
    pub(crate) fn written(writer: FilterWriter, kept: Kept) -> Self {
        let filter = Self {
            table: writer.table,
            blocks: writer.blocks.iter().map(|_| OnceLock::new()).collect(),
            kept,
        };
        for (at, block) in filter.blocks.iter().zip(writer.blocks) {
            filter.keep(at, block);
        }
        filter
    }

    /// Whether what is in memory already says that the name of a hash is not in the run.
    pub(crate) fn surely_lacks(&self, hash: u64) -> bool {
        let number = block_of(hash, self.blocks.len());
        let in_memory = self.blocks.get(number).and_then(OnceLock::get);
        in_memory.is_some_and(|block| !holds(block, hash))
    }

    /// Whether the name of a hash may be in the run; if not, it certainly is not. Costs a look-up
    /// the first time that a block, or one beside it, is asked for.
    pub(crate) fn may_hold(
        &self,
        hash: u64,
        place: &Place,
        chunks: &dyn Chunks,
    ) -> Result<bool, RunError> {
        let number = block_of(hash, self.blocks.len());
        let in_memory = self.blocks.get(number).and_then(OnceLock::get);
        if let Some(block) = in_memory {
            return Ok(holds(block, hash));
        }
        Ok(holds(&self.read(number, place, chunks)?, hash))
    }

    /// Reads a block and those that sled keeps beside it, and keeps the others in memory.
    fn read(&self, number: usize, place: &Place, chunks: &dyn Chunks) -> Result<Block, RunError> {
        let first = number - number % FILTER_BLOCKS_AT_ONCE;
        let count = FILTER_BLOCKS_AT_ONCE.min(self.blocks.len() - first);
        let found = chunks.from(&self.key(first), count)?;
        let mut wanted = None;
        for (number_found, (key, value)) in (first..).zip(&found) {
            if *key != self.key(number_found) {
                break;
            }
            let block = place.unseal(key, value)?;
            let block: Result<Block, _> = block.to_vec().into_boxed_slice().try_into();
            let block = block.map_err(|_| RunError::damaged("a block of a filter is cut"))?;
            if number_found == number {
                wanted = Some(block.clone());
            }
            if let Some(at) = self.blocks.get(number_found) {
                self.keep(at, block);
            }
        }
        wanted.ok_or_else(|| RunError::damaged("a block of a filter is missing"))
    }

    fn key(&self, number: usize) -> Vec<u8> {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        chunk_key(self.table, &number.to_be_bytes())
    }

    /// Keeps a block in memory, if there is room for it.
    fn keep(&self, at: &OnceLock<Block>, block: Block) {
        let is_room = self.kept.load(Ordering::Relaxed) < FILTERS_KEPT_MAX_BYTES;
        // Somebody else may have read it meanwhile.
        if is_room && at.set(block).is_ok() {
            self.kept
                .fetch_add(FILTER_BLOCK_LENGTH_BYTES, Ordering::Relaxed);
        }
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        let kept = self.blocks.iter().filter(|block| block.get().is_some());
        let kept_bytes = kept.count() * FILTER_BLOCK_LENGTH_BYTES;
        self.kept.fetch_sub(kept_bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Position;
    use crate::index::Table;
    use crate::index::entry::hash_of;
    use crate::runs::keep::{MemoryShelf, Shelf};

    fn hash(number: u64) -> u64 {
        hash_of(Table::Ids, &number.to_le_bytes())
    }

    #[test]
    fn every_name_may_be_held_and_few_others_may() {
        let place = Place {
            store_id: [7; 16],
            number: 1,
            first: Position(1),
            last: Position(10_000),
        };
        let mut writer = FilterWriter::new(Table::IdFilter, 10_000);
        (0..10_000).for_each(|number| writer.add(hash(number)));
        let mut sink = MemoryShelf.create(1).unwrap();
        for (key, value) in writer.chunks(place) {
            sink.put(key, value).unwrap();
        }
        let (_, chunks) = sink.seal().unwrap();
        let kept = Kept::default();
        let filter = Filter::new(Table::IdFilter, 10_000, Arc::clone(&kept));
        let may_hold = |number| filter.may_hold(hash(number), &place, &*chunks).unwrap();
        assert!((0..10_000).all(may_hold));
        assert!((10_000..20_000).filter(|number| may_hold(*number)).count() < 3);
        let blocks_bytes = 10 * FILTER_BLOCK_LENGTH_BYTES;
        assert_eq!(kept.load(Ordering::Relaxed), blocks_bytes);
        drop(filter);
        assert_eq!(kept.load(Ordering::Relaxed), 0);
        let other = Place { number: 2, ..place };
        let filter = Filter::new(Table::IdFilter, 10_000, kept);
        filter.may_hold(1, &other, &*chunks).unwrap_err();
        let larger = Filter::new(Table::IdFilter, 10_000_000, Kept::default());
        assert!((0..100).any(|number| larger.may_hold(hash(number), &place, &*chunks).is_err()));
    }
}
