//! Consistency proofs: that a tree is the beginning of a later one (RFC 9162 2.1.4).

use super::ProofError;
use super::inclusion::{skip, split};
use super::leaf::{TreeHash, TreeSize, empty_root, node_hash};
use super::tile::{Tiles, range_root};

/// The nodes that lead from the tree of one size to that of a later one. `None` if the first is the
/// larger one. Nothing is needed from a tree without leaves, nor from a tree to itself. Costs at most
/// one tile a level and side.
pub fn prove<T: Tiles>(
    tiles: &T,
    from: TreeSize,
    to: TreeSize,
) -> Result<Option<Vec<TreeHash>>, T::Error> {
    if from > to {
        return Ok(None);
    }
    let mut nodes = Vec::new();
    if from.0 == 0 || from == to {
        return Ok(Some(nodes));
    }
    // Down to the subtree that ends where the earlier tree ends and is whole in both.
    let mut subtree = 0..to.0;
    while subtree.end != from.0 {
        let middle = subtree.start + split(subtree.end - subtree.start);
        let other = if from.0 <= middle {
            let right = middle..subtree.end;
            subtree.end = middle;
            right
        } else {
            let left = subtree.start..middle;
            subtree.start = middle;
            left
        };
        nodes.push(range_root(tiles, to, other)?);
    }
    // It is the earlier tree itself if it begins at the first leaf; then the verifier has its root.
    if subtree.start != 0 {
        nodes.push(range_root(tiles, to, subtree)?);
    }
    nodes.reverse();
    Ok(Some(nodes))
}

/// Checks that the tree with one root at one size is the beginning of that with another root at
/// another size (RFC 9162 2.1.4.2). Every node has to be used.
///
/// Each size and root have to be from the same signed checkpoint: the nodes alone do not fix the
/// sizes.
pub fn verify(
    nodes: &[TreeHash],
    (from, from_root): (TreeSize, TreeHash),
    (to, to_root): (TreeSize, TreeHash),
) -> Result<(), ProofError> {
    if from > to {
        return Err(ProofError::Backwards { from, to });
    }
    let is_root = |found, root, size| match found == root {
        true => Ok(()),
        false => Err(ProofError::OtherRoot { size }),
    };
    if from.0 == 0 || from == to {
        if !nodes.is_empty() {
            return Err(ProofError::Surplus);
        }
        let found = if from.0 == 0 { empty_root() } else { to_root };
        return is_root(found, from_root, from);
    }
    let mut left = from.0 - 1;
    let mut last = to.0 - 1;
    // The earlier tree's last whole subtree; its height is that of the ones at the end of `left`.
    last >>= left.trailing_ones();
    left >>= left.trailing_ones();
    let (begin, path) = match from.0.is_power_of_two() {
        true => (from_root, nodes),
        false => {
            let (begin, path) = nodes.split_first().ok_or(ProofError::TooFew)?;
            (*begin, path)
        }
    };
    let (mut from_hash, mut to_hash) = (begin, begin);
    for node in path {
        if last == 0 {
            return Err(ProofError::Surplus);
        }
        if left & 1 == 1 || left == last {
            from_hash = node_hash(*node, from_hash);
            to_hash = node_hash(*node, to_hash);
            (left, last) = skip(left, last);
        } else {
            to_hash = node_hash(to_hash, *node);
        }
        left >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::TooFew);
    }
    is_root(from_hash, from_root, from)?;
    is_root(to_hash, to_root, to)
}
