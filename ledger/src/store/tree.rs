//! The tree over the log, from the tiles that are kept as far as they reach and from the log after that.
//!
//! Tiles that turn out to be wrong are dropped, and the log is read instead: see [`crate::tiles`].

use super::error::StoreError;
use super::integrity::IntegrityError;
use super::{Store, StoredEvent};
use crate::id::Position;
use crate::proof::{MemoryTiles, TileId, Tiles, Tree, TreeHash, TreeSize, tile};
use crate::tiles::{BlockError, Kept, TilesState};
use std::collections::{BTreeMap, BTreeSet};

/// Why something could not be computed.
enum Failed {
    /// A block of tiles is wrong.
    Block(BlockError),
    /// The log cannot be read.
    Log(StoreError),
}

impl From<BlockError> for Failed {
    fn from(error: BlockError) -> Self {
        Self::Block(error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Log(error)
    }
}

impl Store {
    /// What is kept of the tree; `None` for a store without a directory. Looks at the last block.
    pub fn tiles(&self) -> Option<TilesState> {
        Some(self.shared.tiles.as_ref()?.state())
    }

    /// Checks all tiles that are kept, and writes what is missing of them, up to the present end.
    /// `progress` is called with the position of each end of a block. A process that appends does this
    /// beside its work; this is for whoever wants it done now. Costs reading the tiles, and for what is
    /// missing the log. The tiles are not needed for anything: without them, proofs cost more.
    pub fn write_tiles(&self, progress: impl FnMut(Position)) -> Result<(), StoreError> {
        match &self.shared.tiles {
            Some(tiles) => Ok(tiles.write_missing(self.end(), progress)?),
            None => Ok(()),
        }
    }

    /// The roots of the tree over the log at these sizes, in the order given; none may be beyond the
    /// end. Each costs some tiles. Those beyond the last block of tiles that is kept cost reading and
    /// hashing the events after it, together once.
    pub fn roots(&self, sizes: &[TreeSize]) -> Result<Vec<TreeHash>, IntegrityError> {
        let wanted: BTreeSet<TreeSize> = sizes.iter().copied().collect();
        self.check_reaches(wanted.last().copied().unwrap_or_default())?;
        let found = self.with_kept(|kept| self.roots_over(kept, &wanted))?;
        let roots = sizes.iter().filter_map(|size| found.get(size).copied());
        Ok(roots.collect())
    }

    fn roots_over(
        &self,
        kept: &Kept,
        wanted: &BTreeSet<TreeSize>,
    ) -> Result<BTreeMap<TreeSize, TreeHash>, Failed> {
        let mut roots = BTreeMap::new();
        let mut later = None;
        for size in wanted {
            match *size <= kept.tree_size() {
                true => drop(roots.insert(*size, tile::root(kept, *size)?)),
                false => later = Some(*size),
            }
        }
        let Some(last) = later else {
            return Ok(roots);
        };
        let mut tree = Tree::resume(kept, kept.tree_size())?;
        for stored in self.between(tree.size(), last) {
            tree.push(stored?.leaf(), |_, _| {});
            if wanted.contains(&tree.size()) {
                roots.insert(tree.size(), tree.root());
            }
        }
        Ok(roots)
    }

    /// The tiles of the tree of a size that are wanted. Costs as [`Store::roots`] does.
    pub(super) fn wanted_tiles(
        &self,
        size: TreeSize,
        wanted: &BTreeSet<TileId>,
    ) -> Result<MemoryTiles, StoreError> {
        self.with_kept(|kept| self.tiles_over(kept, size, wanted))
    }

    fn tiles_over(
        &self,
        kept: &Kept,
        size: TreeSize,
        wanted: &BTreeSet<TileId>,
    ) -> Result<MemoryTiles, Failed> {
        let mut tiles = MemoryTiles::default();
        if size > kept.tree_size() {
            let mut tree = Tree::resume(kept, kept.tree_size())?;
            for stored in self.between(tree.size(), size) {
                tree.push(stored?.leaf(), |id, hashes| {
                    if wanted.contains(&id) {
                        tiles.put(id, hashes);
                    }
                });
            }
            for (id, hashes) in tree.unfinished() {
                tiles.put(id, hashes);
            }
        }
        for id in wanted {
            if !tiles.has(*id) {
                tiles.put(*id, &kept.tile(*id, id.width(size))?);
            }
        }
        Ok(tiles)
    }

    /// Computes from the tiles that are kept; from fewer, if some of them are wrong.
    fn with_kept<T>(&self, compute: impl Fn(&Kept) -> Result<T, Failed>) -> Result<T, StoreError> {
        let tiles = self.shared.tiles.as_ref();
        let mut kept = tiles.map_or_else(Kept::none, |tiles| tiles.kept());
        loop {
            match compute(&kept) {
                Ok(found) => return Ok(found),
                Err(Failed::Log(error)) => return Err(error),
                Err(Failed::Block(found)) => {
                    if let Some(tiles) = tiles {
                        tiles.doubt(&found);
                    }
                    kept.shorten(found.number);
                }
            }
        }
    }

    /// The stored events that are in the tree of one size and not in that of a smaller one.
    fn between(
        &self,
        from: TreeSize,
        to: TreeSize,
    ) -> impl Iterator<Item = Result<StoredEvent, StoreError>> {
        let count = usize::try_from(to.0.saturating_sub(from.0)).unwrap_or(usize::MAX);
        self.stored(Position(from.0)).take(count)
    }
}
