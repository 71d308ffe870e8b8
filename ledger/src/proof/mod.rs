//! Proofs: that an event is in the log, and that the log only ever grew.
//!
//! The stored bytes of the events are the leaves of a Merkle tree (RFC 9162 section 2.1, with
//! BLAKE3). A *checkpoint* is the signed statement of the tree's size and root. An *inclusion proof*
//! leads from an event to the root of a checkpoint, a *consistency proof* from the root of one
//! checkpoint to that of a later one. Whoever has the verifier key and a proof file needs no store.
//!
//! The tree takes hashes of leaves, not events: an event that was lost can still stand in it by its
//! hash. Nothing here reads a file but [`folder`], and nothing makes randomness: signing keys come in
//! as bytes. The text forms are in `FORMAT.md`.

pub mod checkpoint;
pub mod consistency;
pub mod file;
pub mod folder;
pub mod inclusion;
mod key;
mod leaf;
pub mod note;
mod text;
pub mod tile;
mod tree;

pub use checkpoint::{Checkpoint, Origin, SignedCheckpoint};
pub use file::ProofFile;
pub use folder::CheckpointFolder;
pub use key::{KeyName, SignerKey, VerifierKey};
pub use leaf::{TreeHash, TreeSize, empty_root, leaf_data, leaf_hash, lost_leaf_hash, node_hash};
pub use note::Note;
pub use tile::{MemoryTiles, TileId, Tiles};
pub use tree::Tree;

/// Why a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// There is no such leaf in a tree of that size.
    #[error("position {position} is not in a log of {size} events")]
    OutOfRange {
        /// The position of the event.
        position: crate::id::Position,
        /// How many events there are.
        size: TreeSize,
    },
    /// The earlier tree is larger than the later one.
    #[error("a log of {from} events cannot have grown into one of {to}")]
    Backwards {
        /// How many events there were.
        from: TreeSize,
        /// How many there are.
        to: TreeSize,
    },
    /// Nodes are missing.
    #[error("the proof has too few nodes")]
    TooFew,
    /// Nodes are left over.
    #[error("the proof has too many nodes")]
    Surplus,
    /// What the nodes lead to is not the root.
    #[error("the proof does not lead to the root of the checkpoint of {size} events")]
    OtherRoot {
        /// The size of the tree whose root it is not.
        size: TreeSize,
    },
}
