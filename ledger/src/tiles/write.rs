//! Writing the tiles of one block.

use super::block::Block;
use super::manifest::BlockInfo;
use super::shelf::{Shelf, key};
use super::{TileError, leaf_at};
use crate::limits::{TILE_HASHES, TILE_PIECE_HASHES};
use crate::log::{CommitLog, LogError, Place};
use crate::proof::TreeHash;
use crate::proof::tile::subtree;
use crate::sealed::SealedSink;
use std::sync::Arc;

/// Writes the tiles of the block of a number into the database of another number. The log has to be
/// durable up to its end. Costs reading its frames and one hash an event; holds one frame, a tile and a
/// hash for every tile.
pub(super) fn write_block(
    shelf: &Arc<Shelf>,
    log: &dyn CommitLog,
    number: u64,
    database: u64,
) -> Result<Arc<Block>, TileError> {
    let positions = shelf.size.positions(number);
    let mut sink = shelf.create(database)?;
    let mut leaves = Vec::with_capacity(TILE_HASHES);
    let mut nodes = Vec::new();
    let mut position = *positions.start();
    let mut place = Place::default();
    while positions.contains(&position) {
        let frame = log.next_frame(position, &mut place)?;
        let frame = frame.filter(|frame| frame.holds(position));
        let frame = frame.ok_or_else(|| LogError::Damaged {
            position,
            reason: "no frame holds it".to_owned(),
        })?;
        while positions.contains(&position) && frame.holds(position) {
            leaves.push(leaf_at(&frame, position));
            if leaves.len() == TILE_HASHES {
                let first = position.0 - TILE_HASHES as u64;
                put(&mut sink, 0, first, &leaves)?;
                nodes.push(subtree(leaves.clone(), TILE_HASHES));
                leaves.clear();
            }
            position = position.next();
        }
    }
    let first = positions.start().0 / TILE_HASHES as u64;
    put(&mut sink, 1, first, &nodes)?;
    let part_nodes = usize::try_from(shelf.size.part_leaves()).unwrap_or(usize::MAX) / TILE_HASHES;
    let parts = nodes.chunks(part_nodes);
    let roots = parts.map(|part| subtree(part.to_vec(), part.len()));
    let roots = roots.collect();
    let (hash, sealed) = sink.seal()?;
    let info = BlockInfo {
        number: database,
        hash,
        roots,
    };
    Ok(Block::written(number, info, shelf, sealed))
}

/// Keeps the hashes of nodes from a number on, in pieces.
fn put(sink: &mut SealedSink, level: u8, first: u64, hashes: &[TreeHash]) -> Result<(), TileError> {
    let pieces = (first..).step_by(TILE_PIECE_HASHES);
    for (first, piece) in pieces.zip(hashes.chunks(TILE_PIECE_HASHES)) {
        let value = piece.iter().flat_map(|hash| hash.0).collect();
        sink.put(key(level, first), value)?;
    }
    Ok(())
}
