//! Tiles: the hashes of the tree in pieces of 256, and what can be computed from them.
//!
//! The tile `index` at `level` holds the hashes of the nodes that each stand over 256^`level` leaves,
//! from number 256 x `index` on. A tile that is full never changes; the last one of each level grows.
//! A tree of an earlier size uses a prefix of the same tile. Levels between are computed.

use super::leaf::{TreeHash, TreeSize, empty_root, node_hash};
use crate::limits::TILE_HASHES;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::Range;

/// How many levels of the binary tree a tile spans: 2^8 is [`TILE_HASHES`].
const TILE_LEVELS: u32 = TILE_HASHES.trailing_zeros();

/// Which tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// 0 for the hashes of leaves; each further level is 256 times as coarse. At most 7.
    pub level: u8,
    /// Its number within the level, from 0.
    pub index: u64,
}

impl TileId {
    /// How many hashes the tile has in a tree of a size: 0 if it has not begun, at most 256.
    pub fn width(self, size: TreeSize) -> usize {
        let nodes = whole_nodes(size, self.level);
        let before = self.index.saturating_mul(TILE_HASHES as u64);
        let width = nodes.saturating_sub(before).min(TILE_HASHES as u64);
        usize::try_from(width).unwrap_or(TILE_HASHES)
    }
}

/// How many nodes at a level of tiles stand over whole sets of leaves.
pub(super) fn whole_nodes(size: TreeSize, level: u8) -> u64 {
    let shift = u32::from(level).saturating_mul(TILE_LEVELS);
    size.0.checked_shr(shift).unwrap_or(0)
}

/// Keeps tiles.
pub trait Tiles {
    /// Why a tile cannot be read.
    type Error;

    /// The first `width` hashes of a tile, in order, at least so many. It is only asked for tiles
    /// that [`TileId::width`] says are there. An answer that is too short counts as zeros and leads
    /// to a root that is not the tree's.
    fn tile(&self, id: TileId, width: usize) -> Result<Vec<TreeHash>, Self::Error>;
}

/// The root of the tree at a size. Costs one tile a level, and fewer than 256 hashes for each.
pub fn root<T: Tiles>(tiles: &T, size: TreeSize) -> Result<TreeHash, T::Error> {
    match size.0 {
        0 => Ok(empty_root()),
        leaves => range_root(tiles, size, 0..leaves),
    }
}

/// The root over a range of leaves of a tree, which has to be one of those into which the tree is
/// split (RFC 9162 2.1.1): it begins at a multiple of the least power of two that covers it.
pub(super) fn range_root<T: Tiles>(
    tiles: &T,
    size: TreeSize,
    leaves: Range<u64>,
) -> Result<TreeHash, T::Error> {
    let mut whole = Vec::new();
    let mut begin = leaves.start;
    while begin < leaves.end {
        let height = (leaves.end - begin).ilog2();
        whole.push(whole_root(tiles, size, height, begin)?);
        begin += 1 << height;
    }
    Ok(fold(whole))
}

/// Joins the roots of whole subtrees, from the largest to the smallest.
pub(super) fn fold(whole: Vec<TreeHash>) -> TreeHash {
    let joined = whole
        .into_iter()
        .rev()
        .reduce(|right, left| node_hash(left, right));
    joined.unwrap_or_else(empty_root)
}

/// The root of the subtree of 2^`height` leaves from `begin` on.
fn whole_root<T: Tiles>(
    tiles: &T,
    size: TreeSize,
    height: u32,
    begin: u64,
) -> Result<TreeHash, T::Error> {
    let level = height / TILE_LEVELS;
    let first = begin >> (level * TILE_LEVELS);
    let count = 1_usize << (height % TILE_LEVELS);
    let id = TileId {
        // A height is below 64.
        level: u8::try_from(level).unwrap_or(u8::MAX),
        index: first / TILE_HASHES as u64,
    };
    let from = usize::try_from(first % TILE_HASHES as u64).unwrap_or(0);
    let tile = tiles.tile(id, id.width(size))?;
    let hashes = tile.get(from..from + count).unwrap_or_default().to_vec();
    Ok(subtree(hashes, count))
}

/// The root of a whole subtree, from its `count` hashes, a power of two.
pub(crate) fn subtree(mut hashes: Vec<TreeHash>, count: usize) -> TreeHash {
    hashes.resize(count, TreeHash([0; 32]));
    while hashes.len() > 1 {
        let (pairs, _) = hashes.as_chunks::<2>();
        let above = pairs.iter().map(|[left, right]| node_hash(*left, *right));
        hashes = above.collect();
    }
    hashes.first().copied().unwrap_or_else(empty_root)
}

/// Tiles in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryTiles(BTreeMap<TileId, Vec<TreeHash>>);

impl MemoryTiles {
    /// Keeps a tile, in place of what was kept of it before.
    pub fn put(&mut self, id: TileId, hashes: &[TreeHash]) {
        self.0.insert(id, hashes.to_vec());
    }

    /// Whether anything is kept of a tile.
    pub fn has(&self, id: TileId) -> bool {
        self.0.contains_key(&id)
    }

    /// How many tiles there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl Tiles for MemoryTiles {
    type Error = Infallible;

    fn tile(&self, id: TileId, width: usize) -> Result<Vec<TreeHash>, Infallible> {
        let mut tile = self.0.get(&id).cloned().unwrap_or_default();
        tile.truncate(width);
        Ok(tile)
    }
}

/// Has no tiles, and notes which are asked for: whoever has to make tiles for one proof learns which
/// ones by making the proof over these first.
#[derive(Debug, Default)]
pub struct Asked(RefCell<BTreeSet<TileId>>);

impl Asked {
    /// The tiles that were asked for.
    pub fn into_ids(self) -> BTreeSet<TileId> {
        self.0.into_inner()
    }
}

impl Tiles for Asked {
    type Error = Infallible;

    fn tile(&self, id: TileId, _: usize) -> Result<Vec<TreeHash>, Infallible> {
        self.0.borrow_mut().insert(id);
        Ok(Vec::new())
    }
}
