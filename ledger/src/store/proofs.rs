//! What a store can prove of itself, and what it signs.
//!
//! Until the index keeps tiles, each of these reads the log once, from the beginning to the size that
//! is asked about: [`Store::roots`] and [`Store::tiles`] are the two places that do so.

use super::integrity::IntegrityError;
use super::{Store, StoreError};
use crate::id::Position;
use crate::proof::tile::Asked;
use crate::proof::{
    Checkpoint, CheckpointFolder, MemoryTiles, Origin, ProofFile, SignedCheckpoint, SignerKey,
    TileId, Tree, TreeHash, TreeSize, consistency, inclusion,
};
use std::collections::BTreeSet;
use std::convert::Infallible;

impl Store {
    /// What the checkpoints of this store begin with, and the name of the key that signs them.
    pub fn origin(&self) -> Origin {
        let description = self.description();
        Origin {
            store_id: description.store_id,
            // The first one is not named: there is none that it could be taken for.
            incarnation: match description.incarnation {
                1 => 0,
                number => u64::from(number),
            },
        }
    }

    /// How many events are durable.
    pub fn size(&self) -> TreeSize {
        self.end().into()
    }

    /// The roots of the tree over the log at these sizes, in the order given; none may be beyond the
    /// end. Costs one pass over the log and a hash an event.
    pub fn roots(&self, sizes: &[TreeSize]) -> Result<Vec<TreeHash>, IntegrityError> {
        let wanted: BTreeSet<TreeSize> = sizes.iter().copied().collect();
        let last = wanted.last().copied().unwrap_or_default();
        self.check_reaches(last)?;
        let mut tree = Tree::default();
        let mut roots = vec![TreeHash([0; 32]); sizes.len()];
        let mut note = |tree: &Tree| {
            if wanted.contains(&tree.size()) {
                let root = tree.root();
                let here = roots.iter_mut().zip(sizes);
                let here = here.filter(|(_, size)| **size == tree.size());
                here.for_each(|(slot, _)| *slot = root);
            }
        };
        note(&tree);
        for stored in self.up_to(last) {
            tree.push(stored?.leaf(), |_, _| {});
            note(&tree);
        }
        Ok(roots)
    }

    /// The tiles of the tree of a size that are wanted. Costs one pass over the log.
    fn tiles(&self, size: TreeSize, wanted: &BTreeSet<TileId>) -> Result<MemoryTiles, StoreError> {
        let mut tiles = MemoryTiles::default();
        let mut tree = Tree::default();
        for stored in self.up_to(size) {
            tree.push(stored?.leaf(), |id, hashes| {
                if wanted.contains(&id) {
                    tiles.put(id, hashes);
                }
            });
        }
        for (id, hashes) in tree.unfinished() {
            tiles.put(id, hashes);
        }
        Ok(tiles)
    }

    fn up_to(
        &self,
        size: TreeSize,
    ) -> impl Iterator<Item = Result<super::StoredEvent, StoreError>> {
        let count = usize::try_from(size.0).unwrap_or(usize::MAX);
        self.stored(Position(0)).take(count)
    }

    pub(super) fn check_reaches(&self, size: TreeSize) -> Result<(), IntegrityError> {
        let end = self.size();
        match size <= end {
            true => Ok(()),
            false => Err(IntegrityError::Shorter { end, size }),
        }
    }

    /// Checks that a checkpoint is of this log, whoever signed it.
    pub(super) fn check_origin(&self, checkpoint: &Checkpoint) -> Result<(), IntegrityError> {
        let (found, origin) = (checkpoint.origin, self.origin());
        match found == origin {
            true => Ok(()),
            false => Err(IntegrityError::OtherLog { found, origin }),
        }
    }

    /// Signs the present size and root, keeps the checkpoint, durably, and returns it. If nothing was
    /// appended since the last one, that is returned. Refused if the log does not continue every
    /// checkpoint that was signed before: two histories are never signed. Costs one pass over the log.
    pub fn checkpoint(
        &self,
        folder: &CheckpointFolder,
        key: &SignerKey,
    ) -> Result<SignedCheckpoint, IntegrityError> {
        let before = folder.checkpoints()?;
        let mut sizes = Vec::new();
        for signed in &before {
            signed.verify(&key.verifier())?;
            self.check_origin(signed.checkpoint())?;
            sizes.push(signed.checkpoint().size);
        }
        let size = self.size();
        sizes.push(size);
        let roots = self.roots(&sizes)?;
        let mut agreed = TreeSize(0);
        for (signed, root) in before.iter().zip(&roots) {
            let size = signed.checkpoint().size;
            if signed.checkpoint().root != *root {
                return Err(IntegrityError::OtherRoot { agreed, size });
            }
            agreed = size;
        }
        if let Some(last) = before.last().filter(|last| last.checkpoint().size == size) {
            return Ok(last.clone());
        }
        let checkpoint = Checkpoint {
            origin: self.origin(),
            size,
            root: roots.last().copied().unwrap_or(TreeHash([0; 32])),
            extensions: Vec::new(),
        };
        let signed = SignedCheckpoint::sign(checkpoint, key)?;
        folder.put(&signed)?;
        Ok(signed)
    }

    /// The proof that the event at a position is in the log of a checkpoint. It is checked before it
    /// is returned: if the log is not the one that was signed, this is refused. Costs one pass over
    /// the log up to that size.
    pub fn prove_inclusion(
        &self,
        position: Position,
        checkpoint: &SignedCheckpoint,
    ) -> Result<ProofFile, IntegrityError> {
        self.check_origin(checkpoint.checkpoint())?;
        let size = checkpoint.checkpoint().size;
        self.check_reaches(size)?;
        let absent = || IntegrityError::NotIncluded { position, size };
        let before = Position(position.0.checked_sub(1).ok_or_else(absent)?);
        let asked = Asked::default();
        let Ok::<_, Infallible>(nodes) = inclusion::prove(&asked, position, size);
        nodes.ok_or_else(absent)?;
        let stored = self.stored(before).next().ok_or_else(absent)??;
        let stored = stored.bytes().ok_or(IntegrityError::Lost { position })?;
        let tiles = self.tiles(size, &asked.into_ids())?;
        let Ok(nodes) = inclusion::prove(&tiles, position, size);
        checked(ProofFile::Inclusion {
            position,
            stored: stored.to_vec(),
            nodes: nodes.unwrap_or_default(),
            checkpoint: checkpoint.clone(),
        })
    }

    /// The proof that the log of one checkpoint is the beginning of that of another. It is checked
    /// before it is returned, as in [`Store::prove_inclusion`], and costs the same.
    pub fn prove_consistency(
        &self,
        from: &SignedCheckpoint,
        to: &SignedCheckpoint,
    ) -> Result<ProofFile, IntegrityError> {
        self.check_origin(from.checkpoint())?;
        self.check_origin(to.checkpoint())?;
        let (first, last) = (from.checkpoint().size, to.checkpoint().size);
        self.check_reaches(last)?;
        let asked = Asked::default();
        let Ok::<_, Infallible>(_) = consistency::prove(&asked, first, last);
        let tiles = self.tiles(last, &asked.into_ids())?;
        let Ok(nodes) = consistency::prove(&tiles, first, last);
        checked(ProofFile::Consistency {
            nodes: nodes.unwrap_or_default(),
            from: from.clone(),
            to: to.clone(),
        })
    }
}

fn checked(proof: ProofFile) -> Result<ProofFile, IntegrityError> {
    match proof.check_arithmetic() {
        Ok(()) => Ok(proof),
        Err(error) => Err(IntegrityError::NotProved { error }),
    }
}
