//! Filters that tell at once that a name is not in a run, most of the time that it is not.
//!
//! Every append asks for ids that nearly always are new, and a subject is in few runs. A filter is a
//! Bloom filter in blocks, each of which is kept in the run with a check of its own, read when it is
//! asked for the first time, and then kept in memory as far as [`FILTERS_KEPT_MAX_BYTES`] allows.

use super::chunk::{Chunk, Place, chunk_key};
use super::keep::Chunks;
use super::{IndexError, Table};
use crate::limits::{FILTER_BLOCK_LENGTH_BYTES, FILTER_NAME_BITS, FILTERS_KEPT_MAX_BYTES};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

const BLOCK_BITS: u64 = FILTER_BLOCK_LENGTH_BYTES as u64 * 8;
const PROBES: u32 = 8;

/// How many bytes of filters an index has in memory.
pub(crate) type Kept = Arc<AtomicUsize>;

type Block = Box<[u8]>;

/// How many blocks a filter of so many names has, at least one.
fn blocks_for(names: u64) -> u64 {
    (names * FILTER_NAME_BITS).div_ceil(BLOCK_BITS).max(1)
}

/// The number of the block of a hash, and the bits in it.
fn places(hash: u64, blocks: u64) -> (usize, impl Iterator<Item = (usize, u8)>) {
    let block = ((hash >> 32) * blocks) >> 32;
    let start = hash as u32;
    let step = start.rotate_right(15) | 1;
    let bits = (0..PROBES).map(move |probe| {
        let bit = u64::from(start.wrapping_add(probe.wrapping_mul(step))) % BLOCK_BITS;
        (usize::try_from(bit / 8).unwrap_or(0), 1 << (bit % 8))
    });
    (usize::try_from(block).unwrap_or(0), bits)
}

/// A filter that is being made. Takes two bytes a name.
pub(crate) struct FilterWriter {
    table: Table,
    blocks: Vec<Block>,
}

impl FilterWriter {
    /// A filter that is kept in a table, for at most so many names.
    pub(crate) fn new(table: Table, names: u64) -> Self {
        let blocks = usize::try_from(blocks_for(names)).unwrap_or(1);
        let empty = vec![0; FILTER_BLOCK_LENGTH_BYTES].into_boxed_slice();
        let blocks = vec![empty; blocks];
        Self { table, blocks }
    }

    /// Adds a name by its hash.
    pub(crate) fn add(&mut self, hash: u64) {
        let (block, bits) = places(hash, self.blocks.len() as u64);
        if let Some(block) = self.blocks.get_mut(block) {
            for (at, bit) in bits {
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
            let value = place.seal(&key, block);
            (key, value)
        })
    }
}

/// A filter of a run.
pub(crate) struct Filter {
    table: Table,
    blocks: Vec<OnceLock<Block>>,
    kept: Kept,
}

impl Filter {
    /// A filter of a run that was made for so many names; nothing of it is read yet.
    pub(crate) fn new(table: Table, names: u64, kept: Kept) -> Self {
        let blocks = usize::try_from(blocks_for(names)).unwrap_or(1);
        let blocks = (0..blocks).map(|_| OnceLock::new()).collect();
        Self {
            table,
            blocks,
            kept,
        }
    }

    /// Whether the name of a hash may be in the run; if not, it certainly is not. Costs a look-up
    /// the first time that a block is asked for.
    pub(crate) fn may_hold(
        &self,
        hash: u64,
        place: &Place,
        chunks: &dyn Chunks,
    ) -> Result<bool, IndexError> {
        let (number, mut bits) = places(hash, self.blocks.len() as u64);
        let place_in_memory = self.blocks.get(number);
        let read;
        let block = match place_in_memory.and_then(OnceLock::get) {
            Some(block) => block,
            None => {
                read = self.read(number, place, chunks)?;
                place_in_memory.map_or(&read, |at| self.keep(at, &read))
            }
        };
        Ok(bits.all(|(at, bit)| block.get(at).is_none_or(|byte| byte & bit != 0)))
    }

    /// Keeps a block that was read, if there is room for it.
    fn keep<'a>(&self, at: &'a OnceLock<Block>, read: &'a Block) -> &'a Block {
        if self.kept.load(Ordering::Relaxed) >= FILTERS_KEPT_MAX_BYTES {
            return read;
        }
        at.get_or_init(|| {
            self.kept
                .fetch_add(FILTER_BLOCK_LENGTH_BYTES, Ordering::Relaxed);
            read.clone()
        })
    }

    fn read(&self, number: usize, place: &Place, chunks: &dyn Chunks) -> Result<Block, IndexError> {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let key = chunk_key(self.table, &number.to_be_bytes());
        let found = chunks.at_or_before(&key)?.filter(|(at, _)| *at == key);
        let (_, value) =
            found.ok_or_else(|| IndexError::damaged("a block of a filter is missing"))?;
        let block = place.unseal(&key, &value)?;
        match block.len() {
            FILTER_BLOCK_LENGTH_BYTES => Ok(block.into()),
            _ => Err(IndexError::damaged("a block of a filter is cut")),
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
    use crate::index::entry::hash_of;
    use crate::index::keep::{MemoryShelf, Shelf};

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
        assert!((10_000..20_000).filter(|number| may_hold(*number)).count() < 20);
        let blocks_bytes = 5 * FILTER_BLOCK_LENGTH_BYTES;
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
