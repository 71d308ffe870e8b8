//! Where runs are kept: what the index asks of a medium, and the one that is memory.

use super::IndexError;
use super::chunk::Chunk;
use super::run::RunInfo;
use std::collections::BTreeMap;
use std::ops::Bound::{Included, Unbounded};
use std::sync::Arc;

/// The BLAKE3 of all that a run is kept in.
pub(crate) type RunHash = [u8; 32];

/// The chunks of a run that is whole. They never change.
pub(crate) trait Chunks: Send + Sync {
    /// The chunk of the largest key that is not larger than `key`.
    fn at_or_before(&self, key: &[u8]) -> Result<Option<Chunk>, IndexError>;

    /// The chunks from `key` on, in order, at most so many.
    fn from(&self, key: &[u8], chunks_max: usize) -> Result<Vec<Chunk>, IndexError>;

    /// [`Chunks::from`] for a reader that passes over the whole run once: what it has read is not
    /// kept in memory for it.
    fn pass(&self, key: &[u8], chunks_max: usize) -> Result<Vec<Chunk>, IndexError>;

    /// Opens what has to be opened, which the first look-up would do else.
    fn open(&self) -> Result<(), IndexError>;

    /// Removes the run as soon as nobody reads it any more: it is in no list.
    fn discard(&self);

    /// Lets go of what is open, and says what its files look like then, for [`Shelf::close`].
    fn let_go(&self) -> Vec<String>;
}

/// A run that is being written. Dropping it removes what was written.
pub(crate) trait Sink: Send {
    /// Keeps a chunk. Keys have to come in order.
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), IndexError>;

    /// Makes all chunks survive a loss of power. Nothing is put after it.
    fn seal(self: Box<Self>) -> Result<(RunHash, Arc<dyn Chunks>), IndexError>;
}

/// Keeps runs by number, and the list of those that count.
pub(crate) trait Shelf: Send + Sync {
    /// Begins a run of a number that no run ever had.
    fn create(&self, number: u64) -> Result<Box<dyn Sink>, IndexError>;

    /// Makes a list of sealed runs the one that the next opening finds, in one step.
    fn commit(&self, runs: &[RunInfo]) -> Result<(), IndexError>;

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
    fn create(&self, _: u64) -> Result<Box<dyn Sink>, IndexError> {
        Ok(Box::new(MemorySink(Map::new())))
    }

    fn commit(&self, _: &[RunInfo]) -> Result<(), IndexError> {
        Ok(())
    }

    fn distrust(&self) {}

    fn close(&self, _: &[(u64, Vec<String>)]) {}
}

struct MemorySink(Map);

impl Sink for MemorySink {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), IndexError> {
        self.0.insert(key, value);
        Ok(())
    }

    fn seal(self: Box<Self>) -> Result<(RunHash, Arc<dyn Chunks>), IndexError> {
        Ok((RunHash::default(), Arc::new(MemoryChunks(self.0))))
    }
}

struct MemoryChunks(Map);

impl Chunks for MemoryChunks {
    fn at_or_before(&self, key: &[u8]) -> Result<Option<Chunk>, IndexError> {
        let mut up_to = self.0.range::<[u8], _>((Unbounded, Included(key)));
        let found = up_to.next_back();
        Ok(found.map(|(key, value)| (key.clone(), value.clone())))
    }

    fn from(&self, key: &[u8], chunks_max: usize) -> Result<Vec<Chunk>, IndexError> {
        let from = self.0.range::<[u8], _>((Included(key), Unbounded));
        let chunks = from.take(chunks_max);
        Ok(chunks
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn pass(&self, key: &[u8], chunks_max: usize) -> Result<Vec<Chunk>, IndexError> {
        self.from(key, chunks_max)
    }

    fn open(&self) -> Result<(), IndexError> {
        Ok(())
    }

    fn discard(&self) {}

    fn let_go(&self) -> Vec<String> {
        Vec::new()
    }
}
