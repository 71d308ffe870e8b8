//! Computing from the tiles that are kept.

use super::block::Block;
use super::{BlockSize, TileError};
use crate::limits::TILE_HASHES;
use crate::proof::tile::subtree;
use crate::proof::{TileId, Tiles, TreeHash, TreeSize};
use std::sync::Arc;

/// A block whose tiles could not be used.
#[derive(Debug)]
pub(crate) struct BlockError {
    /// Its number in the log, from 0.
    pub(crate) number: u64,
    pub(crate) error: TileError,
}

/// The tiles of the blocks that follow each other from the first position on, as they are at a moment.
/// Every tile that it gives leads to a root of the manifest.
pub(crate) struct Kept {
    size: BlockSize,
    blocks: Vec<Arc<Block>>,
}

impl Kept {
    /// No tiles.
    pub(crate) fn none() -> Self {
        Self::new(BlockSize::default(), Vec::new())
    }

    pub(super) fn new(size: BlockSize, blocks: Vec<Arc<Block>>) -> Self {
        Self { size, blocks }
    }

    /// The size of the tree that all its tiles are there of.
    pub(crate) fn tree_size(&self) -> TreeSize {
        TreeSize(self.size.leaves() * self.blocks.len() as u64)
    }

    /// Goes without the block of a number and those after it.
    pub(crate) fn shorten(&mut self, number: u64) {
        let blocks = usize::try_from(number).unwrap_or(usize::MAX);
        self.blocks.truncate(blocks);
    }

    fn block(&self, number: u64) -> Result<&Block, BlockError> {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        self.blocks.get(at).map(Arc::as_ref).ok_or(BlockError {
            number,
            error: TileError::odd("it is not kept"),
        })
    }

    fn read<T>(
        &self,
        number: u64,
        read: impl FnOnce(&Block) -> Result<T, TileError>,
    ) -> Result<T, BlockError> {
        let found = read(self.block(number)?);
        found.map_err(|error| BlockError { number, error })
    }

    /// The block and, in it, the part of a number, parts being counted from the first position on.
    fn part(&self, part: u64) -> (u64, u64) {
        (part / self.size.parts(), part % self.size.parts())
    }

    /// The first nodes of a tile at level 1.
    fn nodes(&self, tile: u64, width: usize) -> Result<Vec<TreeHash>, BlockError> {
        let first = tile * TILE_HASHES as u64;
        let part_nodes = self.size.part_leaves() / TILE_HASHES as u64;
        let mut nodes = Vec::with_capacity(TILE_HASHES);
        let mut part = first / part_nodes;
        while nodes.len() < width {
            let (block, part_of_block) = self.part(part);
            nodes.extend(self.read(block, |block| block.nodes(part_of_block))?);
            part += 1;
        }
        nodes.truncate(width);
        Ok(nodes)
    }

    /// A node over so many whole parts, from the manifest alone.
    fn above(&self, node: u64, parts: u64) -> Result<TreeHash, BlockError> {
        let first = node * parts;
        let roots = (first..first + parts).map(|part| {
            let (block, part) = self.part(part);
            self.read(block, |block| block.root(part))
        });
        let roots: Vec<_> = roots.collect::<Result<_, _>>()?;
        let count = roots.len();
        Ok(subtree(roots, count))
    }
}

impl Tiles for Kept {
    type Error = BlockError;

    fn tile(&self, id: TileId, width: usize) -> Result<Vec<TreeHash>, BlockError> {
        let first = id.index.saturating_mul(TILE_HASHES as u64);
        match id.level {
            0 => {
                let block = self.size.block_of(first);
                let mut leaves = self.read(block, |block| block.leaves(id.index))?;
                leaves.truncate(width);
                Ok(leaves)
            }
            1 => self.nodes(id.index, width),
            level => {
                let leaves = (TILE_HASHES as u64).saturating_pow(u32::from(level));
                let parts = leaves / self.size.part_leaves();
                let nodes = (first..).take(width);
                nodes.map(|node| self.above(node, parts)).collect()
            }
        }
    }
}
