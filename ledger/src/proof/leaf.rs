//! Hashes of the tree: of a leaf, of a node, and of nothing.

use super::text;
use crate::id::Position;
use std::fmt;

/// Stands before the stored bytes of every event, so that no leaf of another tree, and no other
/// data hashed in the same way, can pass for an event. Format of the tree.
const LEAF_DOMAIN: &[u8] = b"activation-ledger/event/1\n";

/// Stands in place of an event that is lost and whose hash is not known either.
const LOST_DOMAIN: &[u8] = b"activation-ledger/lost/1\n";

/// RFC 9162 2.1.1: leaves and nodes are hashed apart, so that no node can pass for a leaf.
const LEAF_PREFIX: u8 = 0x00;
const NODE_PREFIX: u8 = 0x01;

/// The BLAKE3 hash of a leaf, a node or a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeHash(pub [u8; 32]);

/// How many leaves a tree has: the events at the positions from 1 to this number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeSize(pub u64);

impl TreeHash {
    /// Reads the base64 form; `None` unless it is the one form of 32 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        text::bytes(text)?.try_into().ok().map(Self)
    }
}

/// In base64, as it stands in checkpoints.
impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::base64(&self.0))
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Positions are dense and begin at 1, so the position of the last event is the number of events.
impl From<Position> for TreeSize {
    fn from(end: Position) -> Self {
        Self(end.0)
    }
}

/// What is hashed for an event, after the prefix of a leaf: the domain and the stored bytes.
pub fn leaf_data(stored: &[u8]) -> Vec<u8> {
    [LEAF_DOMAIN, stored].concat()
}

/// The hash of the leaf of an event, from its stored bytes.
pub fn leaf_hash(stored: &[u8]) -> TreeHash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[LEAF_PREFIX]);
    hasher.update(LEAF_DOMAIN);
    hasher.update(stored);
    TreeHash(hasher.finalize().into())
}

/// The hash of the leaf of a lost event whose own hash is lost as well. A tree with such a leaf never
/// continues a checkpoint that was signed over the event.
pub fn lost_leaf_hash(position: Position) -> TreeHash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[LEAF_PREFIX]);
    hasher.update(LOST_DOMAIN);
    hasher.update(&position.0.to_le_bytes());
    TreeHash(hasher.finalize().into())
}

/// The hash of a node, from those of its two children.
pub fn node_hash(left: TreeHash, right: TreeHash) -> TreeHash {
    let mut bytes = [NODE_PREFIX; 65];
    let (_, children) = bytes.split_at_mut(1);
    let (first, second) = children.split_at_mut(32);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    TreeHash(blake3::hash(&bytes).into())
}

/// The root of a tree without leaves: the hash of nothing (RFC 9162 2.1.1).
pub fn empty_root() -> TreeHash {
    TreeHash(blake3::hash(b"").into())
}
