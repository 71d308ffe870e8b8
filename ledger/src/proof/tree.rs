//! The tree while it grows: it is given one leaf after the other, and gives away finished tiles.

use super::leaf::{TreeHash, TreeSize, empty_root};
use super::tile::{TileId, Tiles, fold, subtree, whole_nodes};
use crate::limits::TILE_HASHES;

/// The right edge of a tree: the last, unfinished tile of each level. It holds at most 255 hashes a
/// level, four levels for four thousand million leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: TreeSize,
    /// By level; never 256 hashes.
    unfinished: Vec<Vec<TreeHash>>,
}

impl Tree {
    /// The tree of a size, from tiles that somebody kept. Costs one tile a level.
    pub fn resume<T: Tiles>(tiles: &T, size: TreeSize) -> Result<Self, T::Error> {
        let mut unfinished = Vec::new();
        let mut level = 0;
        while whole_nodes(size, level) > 0 {
            let index = whole_nodes(size, level) / TILE_HASHES as u64;
            let id = TileId { level, index };
            let width = id.width(size);
            let mut tile = match width {
                0 => Vec::new(),
                width => tiles.tile(id, width)?,
            };
            tile.resize(width, TreeHash([0; 32]));
            unfinished.push(tile);
            level += 1;
        }
        Ok(Self { size, unfinished })
    }

    /// How many leaves it has.
    pub fn size(&self) -> TreeSize {
        self.size
    }

    /// Adds the hash of the next leaf. Each tile that this finishes goes to `finished`, the lowest
    /// first; the tree does not keep it. Costs one hash, on average.
    pub fn push(&mut self, leaf: TreeHash, mut finished: impl FnMut(TileId, &[TreeHash])) {
        self.size.0 += 1;
        let mut carried = Some(leaf);
        let mut level = 0;
        while let Some(hash) = carried.take() {
            let index = usize::from(level);
            if self.unfinished.len() <= index {
                self.unfinished.push(Vec::new());
            }
            let Some(tile) = self.unfinished.get_mut(index) else {
                return;
            };
            tile.push(hash);
            if tile.len() == TILE_HASHES {
                let number = whole_nodes(self.size, level) / TILE_HASHES as u64;
                let index = number.saturating_sub(1);
                finished(TileId { level, index }, tile);
                carried = Some(subtree(std::mem::take(tile), TILE_HASHES));
                level += 1;
            }
        }
    }

    /// The root. Costs up to 255 hashes a level.
    pub fn root(&self) -> TreeHash {
        let mut whole = Vec::new();
        for tile in self.unfinished.iter().rev() {
            let mut rest = tile.as_slice();
            while let Some(height) = rest.len().checked_ilog2() {
                let (first, after) = rest.split_at(1 << height);
                whole.push(subtree(first.to_vec(), first.len()));
                rest = after;
            }
        }
        match whole.is_empty() {
            true => empty_root(),
            false => fold(whole),
        }
    }

    /// The last, unfinished tile of each level, without the empty ones: whoever keeps them beside the
    /// finished ones can [`Tree::resume`] here.
    pub fn unfinished(&self) -> impl Iterator<Item = (TileId, &[TreeHash])> {
        let tiles = (0..).zip(&self.unfinished);
        let tiles = tiles.filter(|(_, tile)| !tile.is_empty());
        tiles.map(|(level, tile)| {
            let index = whole_nodes(self.size, level) / TILE_HASHES as u64;
            (TileId { level, index }, tile.as_slice())
        })
    }

    /// All tiles of this tree: the finished ones from where they are kept, the others from here.
    pub fn over<'t, T: Tiles>(&'t self, finished: &'t T) -> WholeTree<'t, T> {
        WholeTree {
            tree: self,
            finished,
        }
    }
}

/// A tree with all its tiles. See [`Tree::over`].
#[derive(Debug)]
pub struct WholeTree<'t, T> {
    tree: &'t Tree,
    finished: &'t T,
}

impl<T: Tiles> Tiles for WholeTree<'_, T> {
    type Error = T::Error;

    fn tile(&self, id: TileId, width: usize) -> Result<Vec<TreeHash>, T::Error> {
        let finished = whole_nodes(self.tree.size, id.level) / TILE_HASHES as u64;
        if id.index < finished {
            return self.finished.tile(id, width);
        }
        let tile = self.tree.unfinished.get(usize::from(id.level));
        let tile = tile.and_then(|tile| tile.get(..width));
        Ok(tile.unwrap_or_default().to_vec())
    }
}
