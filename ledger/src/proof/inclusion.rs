//! Inclusion proofs: that a leaf is at a position of a tree (RFC 9162 2.1.3).

use super::ProofError;
use super::leaf::{TreeHash, TreeSize, node_hash};
use super::tile::{Tiles, range_root};
use crate::id::Position;

/// The nodes that lead from the leaf at a position to the root of the tree of a size, the lowest
/// first. `None` if the tree has no such leaf. Costs at most one tile a level and side.
pub fn prove<T: Tiles>(
    tiles: &T,
    position: Position,
    size: TreeSize,
) -> Result<Option<Vec<TreeHash>>, T::Error> {
    let Some(leaf) = leaf_number(position, size) else {
        return Ok(None);
    };
    let mut nodes = Vec::new();
    let mut subtree = 0..size.0;
    while subtree.end - subtree.start > 1 {
        let middle = subtree.start + split(subtree.end - subtree.start);
        let other = if leaf < middle {
            let right = middle..subtree.end;
            subtree.end = middle;
            right
        } else {
            let left = subtree.start..middle;
            subtree.start = middle;
            left
        };
        nodes.push(range_root(tiles, size, other)?);
    }
    nodes.reverse();
    Ok(Some(nodes))
}

/// Checks that a leaf is at a position of the tree that has this root at this size (RFC 9162 2.1.3.2).
/// Every node has to be used.
///
/// Size and root have to be from the same signed checkpoint: the nodes alone do not fix the size, and
/// one and the same proof can lead to the root under another size as well.
pub fn verify(
    leaf: TreeHash,
    position: Position,
    nodes: &[TreeHash],
    size: TreeSize,
    root: TreeHash,
) -> Result<(), ProofError> {
    let number = leaf_number(position, size);
    let mut left = number.ok_or(ProofError::OutOfRange { position, size })?;
    let mut last = size.0 - 1;
    let mut hash = leaf;
    for node in nodes {
        if last == 0 {
            return Err(ProofError::Surplus);
        }
        if left & 1 == 1 || left == last {
            hash = node_hash(*node, hash);
            (left, last) = skip(left, last);
        } else {
            hash = node_hash(hash, *node);
        }
        left >>= 1;
        last >>= 1;
    }
    match (last, hash == root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::OtherRoot { size }),
        _ => Err(ProofError::TooFew),
    }
}

/// Leaves are counted from 0, positions from 1.
fn leaf_number(position: Position, size: TreeSize) -> Option<u64> {
    let number = position.0.checked_sub(1);
    number.filter(|number| *number < size.0)
}

/// How many leaves are left of the middle of a tree of at least two: the largest power of two that is
/// smaller than their number.
pub(super) fn split(leaves: u64) -> u64 {
    1 << leaves.saturating_sub(1).max(1).ilog2()
}

/// Goes up past the levels at which the last node has no sibling: it is not doubled, it moves up.
pub(super) fn skip(mut left: u64, mut last: u64) -> (u64, u64) {
    while left != 0 && left & 1 == 0 {
        left >>= 1;
        last >>= 1;
    }
    (left, last)
}
