//! Where the blocks of one store are: their directories and their databases.

use super::manifest::{BlockInfo, SEEN_TITLE};
use super::{BlockSize, TileError};
use crate::limits::{TILE_PIECE_HASHES, TILES_LEAF_LENGTH_BYTES, TILES_READ_MAX_BYTES};
use crate::proof::TreeHash;
use crate::sealed::{Readers, Sealed, SealedSink, Seen};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const FOLDER: &str = "tiles";
const LEVEL_LENGTH_BYTES: usize = 1;
const NUMBER_LENGTH_BYTES: usize = 8;

/// The folder of a store's tiles. It need not be there.
pub(super) struct Shelf {
    pub(super) directory: PathBuf,
    pub(super) store_id: [u8; 16],
    pub(super) size: BlockSize,
    readers: Arc<Readers>,
    seen: Mutex<Seen>,
}

impl Shelf {
    pub(super) fn new(store: &Path, store_id: [u8; 16], size: BlockSize) -> Self {
        let directory = folder(store);
        let seen = Seen::read(&directory, SEEN_TITLE);
        Self {
            directory,
            store_id,
            size,
            readers: Readers::new(TILES_READ_MAX_BYTES, TILES_LEAF_LENGTH_BYTES),
            seen: Mutex::new(seen),
        }
    }

    /// What is known of the files of databases.
    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the database of a number that none ever had.
    pub(super) fn create(&self, number: u64) -> Result<SealedSink, TileError> {
        let directory = self.directory.join(database_name(number));
        Ok(SealedSink::new(directory, &self.readers)?)
    }

    /// The database of a block, if its files are what they were. With `read` they are read in any case.
    pub(super) fn open(&self, info: &BlockInfo, read: bool) -> Result<Arc<Sealed>, TileError> {
        let name = database_name(info.number);
        let directory = self.directory.join(&name);
        if !directory.is_dir() {
            return Err(TileError::odd(format!("{name} is missing")));
        }
        let seen = match read {
            true => Seen::default(),
            false => self.seen().clone(),
        };
        match seen.is_whole(info.number, &directory, &info.hash)? {
            true => Ok(Sealed::new(directory, &self.readers)),
            false => Err(TileError::odd(format!("{name} is not what was written"))),
        }
    }
}

/// Where a store's tiles are.
pub(crate) fn folder(store: &Path) -> PathBuf {
    store.join(FOLDER)
}

/// The name of the directory of a database.
pub(super) fn database_name(number: u64) -> String {
    format!("block-{number}")
}

/// The key of the piece of a tile that begins with the node of a number at a level. Format of the tiles.
pub(super) fn key(level: u8, first: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(LEVEL_LENGTH_BYTES + NUMBER_LENGTH_BYTES);
    key.push(level);
    key.extend_from_slice(&first.to_be_bytes());
    key
}

/// The hashes of the nodes from a number on at a level, as they are kept.
pub(super) fn hashes(
    database: &Sealed,
    level: u8,
    first: u64,
    count: usize,
) -> Result<Vec<TreeHash>, TileError> {
    let mut found = Vec::with_capacity(count);
    let pieces = (first..).step_by(TILE_PIECE_HASHES);
    for first in pieces.take(count.div_ceil(TILE_PIECE_HASHES)) {
        let piece = database.get(&key(level, first))?.unwrap_or_default();
        let (hashes, rest) = piece.as_chunks();
        if !rest.is_empty() {
            return Err(TileError::odd("the piece of a tile is cut"));
        }
        found.extend(hashes.iter().copied().map(TreeHash));
    }
    match found.len() == count {
        true => Ok(found),
        false => Err(TileError::odd("a piece of a tile is missing")),
    }
}
