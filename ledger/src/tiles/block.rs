//! A block of leaves whose tiles are kept.

use super::manifest::BlockInfo;
use super::shelf::{Shelf, hashes};
use super::{TileError, leaf_at};
use crate::id::Position;
use crate::limits::TILE_HASHES;
use crate::log::CommitLog;
use crate::proof::TreeHash;
use crate::proof::tile::subtree;
use crate::sealed::Sealed;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A block that the manifest lists. Its database is opened when it is first needed.
pub(super) struct Block {
    /// Its number in the log, from 0.
    number: u64,
    pub(super) info: BlockInfo,
    shelf: Arc<Shelf>,
    /// What came of checking its files, once that was done.
    database: Mutex<Option<Result<Arc<Sealed>, TileError>>>,
    /// Whether its last leaf was held against the log.
    trusted: AtomicBool,
}

impl Block {
    pub(super) fn new(number: u64, info: BlockInfo, shelf: &Arc<Shelf>) -> Arc<Self> {
        Self::of(number, info, shelf, None)
    }

    /// A block that was just written.
    pub(super) fn written(
        number: u64,
        info: BlockInfo,
        shelf: &Arc<Shelf>,
        database: Arc<Sealed>,
    ) -> Arc<Self> {
        Self::of(number, info, shelf, Some(database))
    }

    fn of(
        number: u64,
        info: BlockInfo,
        shelf: &Arc<Shelf>,
        database: Option<Arc<Sealed>>,
    ) -> Arc<Self> {
        let trusted = AtomicBool::new(database.is_some());
        Arc::new(Self {
            number,
            info,
            shelf: Arc::clone(shelf),
            database: Mutex::new(database.map(Ok)),
            trusted,
        })
    }

    fn checked(&self) -> MutexGuard<'_, Option<Result<Arc<Sealed>, TileError>>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its database, if it could be used so far.
    fn opened(&self) -> Option<Arc<Sealed>> {
        self.checked().clone()?.ok()
    }

    /// Its database, checked against the hash of its files the first time.
    fn database(&self) -> Result<Arc<Sealed>, TileError> {
        let mut checked = self.checked();
        let checked = checked.get_or_insert_with(|| self.shelf.open(&self.info, false));
        checked.clone()
    }

    /// Checks that its files are what was written, the first time.
    pub(super) fn check(&self) -> Result<(), TileError> {
        self.database().map(drop)
    }

    /// Checks that its files are what was written and that its last leaf is that of the log, if the
    /// log still has it: a log that was put back and went on in another way has other events there.
    /// Costs a tile of each level and one frame, the first time; later nothing.
    pub(super) fn trust(&self, log: &dyn CommitLog) -> Result<(), TileError> {
        if self.trusted.load(Ordering::Relaxed) {
            return Ok(());
        }
        let last = *self.shelf.size.positions(self.number).end();
        let leaf = self.leaf(last)?;
        let of_log = match log.frame(last) {
            Ok(Some(frame)) if frame.holds(last) => leaf_at(&frame, last),
            Ok(_) => return Err(TileError::odd("the log does not reach so far")),
            // Whoever reads the log there says so.
            Err(_) => return Ok(()),
        };
        if leaf != of_log {
            let reason = format!("the leaf of position {last} is not that of the log");
            return Err(TileError::odd(reason));
        }
        self.trusted.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The root over the leaves of a part.
    pub(super) fn root(&self, part: u64) -> Result<TreeHash, TileError> {
        let part = usize::try_from(part).unwrap_or(usize::MAX);
        let root = self.info.roots.get(part);
        let missing = || TileError::odd("a root is missing in the manifest");
        root.copied().ok_or_else(missing)
    }

    /// The nodes over 256 leaves each of a part, which lead to its root.
    pub(super) fn nodes(&self, part: u64) -> Result<Vec<TreeHash>, TileError> {
        let nodes = self.kept_nodes(part)?;
        match subtree(nodes.clone(), nodes.len()) == self.root(part)? {
            true => Ok(nodes),
            false => Err(TileError::odd("a tile does not lead to its root")),
        }
    }

    /// The leaves of the tile of a number at level 0 of the log's tree, which lead to their node.
    pub(super) fn leaves(&self, tile: u64) -> Result<Vec<TreeHash>, TileError> {
        let leaves = self.kept_leaves(tile)?;
        let node = tile - self.number * self.nodes_in_all();
        let node_in_part = usize::try_from(node % self.part_nodes()).unwrap_or(usize::MAX);
        let nodes = self.nodes(node / self.part_nodes())?;
        match nodes.get(node_in_part) == Some(&subtree(leaves.clone(), TILE_HASHES)) {
            true => Ok(leaves),
            false => Err(TileError::odd("a tile does not lead to its node")),
        }
    }

    /// The leaf at a position of this block.
    pub(super) fn leaf(&self, position: Position) -> Result<TreeHash, TileError> {
        let number = position.0.saturating_sub(1);
        let leaves = self.leaves(number / TILE_HASHES as u64)?;
        let at = usize::try_from(number % TILE_HASHES as u64).unwrap_or(usize::MAX);
        let missing = || TileError::odd("a tile is too short");
        leaves.get(at).copied().ok_or_else(missing)
    }

    /// What is kept of the nodes of a part, whatever it leads to.
    pub(super) fn kept_nodes(&self, part: u64) -> Result<Vec<TreeHash>, TileError> {
        let count = self.part_nodes();
        let first = self.number * self.nodes_in_all() + part * count;
        let count = usize::try_from(count).unwrap_or(TILE_HASHES);
        hashes(&*self.database()?, 1, first, count)
    }

    /// What is kept of the tile of a number at level 0 of the log's tree, whatever it leads to.
    pub(super) fn kept_leaves(&self, tile: u64) -> Result<Vec<TreeHash>, TileError> {
        let first = tile * TILE_HASHES as u64;
        hashes(&*self.database()?, 0, first, TILE_HASHES)
    }

    fn part_nodes(&self) -> u64 {
        self.shelf.size.part_leaves() / TILE_HASHES as u64
    }

    fn nodes_in_all(&self) -> u64 {
        self.shelf.size.leaves() / TILE_HASHES as u64
    }

    /// Reads all its files and checks them, whatever is known of them.
    pub(super) fn check_files(&self) -> Result<(), TileError> {
        self.shelf.open(&self.info, true).map(drop)
    }

    /// Closes its database if it is open, and notes what its files look like.
    pub(super) fn let_go(&self) {
        let stamps = self.opened().map(|database| database.let_go());
        if let Some(stamps) = stamps.filter(|stamps| !stamps.is_empty()) {
            self.shelf.seen().note(self.info.number, stamps);
        }
    }
}
