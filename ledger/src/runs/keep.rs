//! Where runs are kept: what is asked of a medium, and the one that is memory.

use super::{RunError, RunInfo};
use std::collections::BTreeMap;
use std::ops::Bound::{Included, Unbounded};
use std::sync::Arc;

/// A key and a value.
pub(crate) type Chunk = (Vec<u8>, Vec<u8>);

/// The BLAKE3 of all that a run is kept in.
pub(crate) type RunHash = [u8; 32];

/// The chunks of a run that is whole. They never change.
pub(crate) trait Chunks: Send + Sync {
    /// The chunk of the largest key that is not larger than `key`.
    fn at_or_before(&self, key: &[u8]) -> Result<Option<Chunk>, RunError>;

    /// The chunks from `key` on, in order, at most so many.
    fn from(&self, key: &[u8], chunks_max: usize) -> Result<Vec<Chunk>, RunError>;

    /// [`Chunks::from`] for a reader that passes over the whole run once: what it has read is not
    /// kept in memory for it.
    fn pass(&self, key: &[u8], chunks_max: usize) -> Result<Vec<Chunk>, RunError>;

    /// Opens what has to be opened, which the first look-up would do else.
    fn open(&self) -> Result<(), RunError>;

    /// Removes the run as soon as nobody reads it any more: it is in no list.
    fn discard(&self);

    /// Lets go of what is open, and says what its files look like then, for [`Shelf::close`].
    fn let_go(&self) -> Vec<String>;
}

/// A run that is being written. Dropping it removes what was written.
pub(crate) trait Sink: Send {
    /// Keeps a chunk. Keys have to come in order.
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), RunError>;

    /// Makes all chunks survive a loss of power. Nothing is put after it.
    fn seal(self: Box<Self>) -> Result<(RunHash, Arc<dyn Chunks>), RunError>;
}

/// Keeps runs by number, and the list of those that count.
pub(crate) trait Shelf: Send + Sync {
    /// Begins a run of a number that no run ever had.
    fn create(&self, number: u64) -> Result<Box<dyn Sink>, RunError>;

    /// Makes a list of sealed runs the one that the next opening finds, in one step.
    fn commit(&self, runs: &[RunInfo]) -> Result<(), RunError>;

    /// Forgets the list, so that the next opening builds all runs again.
    fn distrust(&self);

    /// Notes what the files of the runs look like, by number, so that the next opening need not read
    /// them.
    fn close(&self, runs: &[(u64, Vec<String>)]);
}

/// Runs in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryShelf;

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

impl Shelf for MemoryShelf {
    fn create(&self, _: u64) -> Result<Box<dyn Sink>, RunError> {
        Ok(Box::new(MemorySink(Map::new())))
    }

    fn commit(&self, _: &[RunInfo]) -> Result<(), RunError> {
        Ok(())
    }

    fn distrust(&self) {}

    fn close(&self, _: &[(u64, Vec<String>)]) {}
}

struct MemorySink(Map);

impl Sink for MemorySink {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), RunError> {
        self.0.insert(key, value);
        Ok(())
    }

    fn seal(self: Box<Self>) -> Result<(RunHash, Arc<dyn Chunks>), RunError> {
        Ok((RunHash::default(), Arc::new(MemoryChunks(self.0))))
    }
}

struct MemoryChunks(Map);

impl Chunks for MemoryChunks {
    fn at_or_before(&self, key: &[u8]) -> Result<Option<Chunk>, RunError> {
        let mut up_to = self.0.range::<[u8], _>((Unbounded, Included(key)));
        let found = up_to.next_back();
        Ok(found.map(|(key, value)| (key.clone(), value.clone())))
    }

    fn from(&self, key: &[u8], chunks_max: usize) -> Result<Vec<Chunk>, RunError> {
        let from = self.0.range::<[u8], _>((Included(key), Unbounded));
        let chunks = from.take(chunks_max);
        Ok(chunks
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn pass(&self, key: &[u8], chunks_max: usize) -> Result<Vec<Chunk>, RunError> {
        self.from(key, chunks_max)
    }

    fn open(&self) -> Result<(), RunError> {
        Ok(())
    }

    fn discard(&self) {}

    fn let_go(&self) -> Vec<String> {
        Vec::new()
    }
}
