//! Holding the tiles that are kept against those that somebody computes from the log.

use super::block::Block;
use super::kept::BlockError;
use super::{TileError, TileKeeper};
use crate::id::Position;
use crate::limits::TILE_HASHES;
use crate::proof::tile::subtree;
use crate::proof::{TileId, TreeHash};
use std::sync::Arc;

/// Tiles that are kept and are not those of the log. The log is right: they are derived from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongTiles {
    /// The first position whose leaf they hold.
    pub first: Position,
    /// The last one.
    pub last: Position,
    /// What is wrong with them.
    pub reason: String,
}

/// What came of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TilesCompared {
    /// How many leaves the tiles that were compared and found right stand over.
    pub right: u64,
    /// What is wrong, in order, a block at a time.
    pub wrong: Vec<WrongTiles>,
}

/// Takes the finished tiles of the log's tree, in order from the first one on.
pub(crate) struct Comparison<'k> {
    keeper: Option<&'k TileKeeper>,
    /// The block that is being compared, if it is kept and is right so far.
    block: Option<Arc<Block>>,
    nodes: Vec<TreeHash>,
    compared: TilesCompared,
}

impl<'k> Comparison<'k> {
    pub(crate) fn new(keeper: Option<&'k TileKeeper>) -> Self {
        Self {
            keeper,
            block: None,
            nodes: Vec::new(),
            compared: TilesCompared::default(),
        }
    }

    /// Compares a tile. Costs reading it, 255 hashes, and for the first one of a block reading the block's
    /// files.
    pub(crate) fn tile(&mut self, id: TileId, hashes: &[TreeHash]) {
        let Some(keeper) = self.keeper.filter(|_| id.level == 0) else {
            return;
        };
        let size = keeper.size();
        let first = id.index * TILE_HASHES as u64;
        let number = size.block_of(first);
        if first.is_multiple_of(size.leaves()) {
            self.nodes.clear();
            self.block = keeper.block(number);
        }
        let Some(block) = self.block.clone() else {
            return;
        };
        let is_first = first.is_multiple_of(size.leaves());
        let part_leaves = size.part_leaves();
        let part = first % size.leaves() / part_leaves;
        let is_last_of_part = (first + TILE_HASHES as u64).is_multiple_of(part_leaves);
        let found = (|| {
            if is_first {
                block.check_files()?;
            }
            same(block.kept_leaves(id.index)? == hashes)?;
            self.nodes.push(subtree(hashes.to_vec(), hashes.len()));
            if is_last_of_part {
                let nodes = std::mem::take(&mut self.nodes);
                same(block.kept_nodes(part)? == nodes)?;
                same(block.root(part)? == subtree(nodes.clone(), nodes.len()))?;
            }
            Ok(())
        })();
        match found {
            Ok(()) if (first + TILE_HASHES as u64).is_multiple_of(size.leaves()) => {
                self.compared.right += size.leaves();
                block.let_go();
            }
            Ok(()) => {}
            Err(error) => {
                let positions = size.positions(number);
                self.block = None;
                self.compared.wrong.push(WrongTiles {
                    first: *positions.start(),
                    last: *positions.end(),
                    reason: TileError::to_string(&error),
                });
                keeper.doubt(&BlockError { number, error });
            }
        }
    }

    /// What came of it.
    pub(crate) fn finish(self) -> TilesCompared {
        self.compared
    }
}

fn same(is_same: bool) -> Result<(), TileError> {
    match is_same {
        true => Ok(()),
        false => Err(TileError::odd("they are not those of the log")),
    }
}
