//! Where the chunks of index runs are kept.

use super::IndexError;
use super::run::Run;
use std::collections::BTreeMap;
use std::ops::Bound::{Included, Unbounded};
use std::sync::{PoisonError, RwLock};

/// A key and a value.
pub(crate) type Chunk = (Vec<u8>, Vec<u8>);

/// Keeps chunks by key.
pub(crate) trait ChunkStore: Send + Sync {
    /// The chunk of the largest key that is not larger than `key`.
    fn at_or_before(&self, key: &[u8]) -> Result<Option<Chunk>, IndexError>;

    /// Keeps chunks; nobody looks for them before they are committed.
    fn put(&self, chunks: Vec<Chunk>) -> Result<(), IndexError>;

    /// Makes what was put survive a loss of power, and then the list of runs.
    fn commit(&self, runs: &[Run]) -> Result<(), IndexError>;

    /// Forgets the list of runs, so that the next opening builds them again.
    fn distrust(&self);
}

/// Chunks in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryChunks(RwLock<BTreeMap<Vec<u8>, Vec<u8>>>);

impl ChunkStore for MemoryChunks {
    fn at_or_before(&self, key: &[u8]) -> Result<Option<Chunk>, IndexError> {
        let chunks = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut up_to = chunks.range::<[u8], _>((Unbounded, Included(key)));
        let found = up_to.next_back();
        Ok(found.map(|(key, value)| (key.clone(), value.clone())))
    }

    fn put(&self, chunks: Vec<Chunk>) -> Result<(), IndexError> {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        map.extend(chunks);
        Ok(())
    }

    fn commit(&self, _: &[Run]) -> Result<(), IndexError> {
        Ok(())
    }

    fn distrust(&self) {}
}
