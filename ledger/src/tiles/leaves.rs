//! The hashes of leaves that are kept, for whoever cannot read the log any more.

use super::block::Block;
use super::manifest;
use super::shelf::{Shelf, folder};
use super::{BlockSize, TileError};
use crate::id::Position;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The leaves that a store's tiles have. Only whoever holds the store's lock may read them.
pub struct KeptLeaves {
    size: BlockSize,
    blocks: BTreeMap<u64, Arc<Block>>,
}

impl KeptLeaves {
    /// Those in the directory of a store of this id, which need have neither a log nor tiles. Costs reading
    /// one file.
    pub fn of(store: &Path, store_id: [u8; 16]) -> Result<Self, TileError> {
        let listed = manifest::read_any(&folder(store), store_id).map_err(TileError::odd)?;
        let (size, listed) = listed.unwrap_or_default();
        let shelf = Arc::new(Shelf::new(store, store_id, size));
        let blocks = listed
            .into_iter()
            .map(|(number, info)| (number, Block::new(number, info, &shelf)));
        let blocks = blocks.collect();
        Ok(Self { size, blocks })
    }

    /// The hash of the leaf at a position, if a tile has it and leads to the root of its block. Costs a
    /// tile of each level and some 500 hashes; the first time in each block, reading its files.
    pub fn leaf(&self, position: Position) -> Option<[u8; 32]> {
        let number = self.size.block_of(position.0.checked_sub(1)?);
        let leaf = self.blocks.get(&number)?.leaf(position);
        match leaf {
            Ok(leaf) => Some(leaf.0),
            Err(error) => {
                tracing::warn!(%position, %error, "the tile of a lost event cannot be used");
                None
            }
        }
    }
}
