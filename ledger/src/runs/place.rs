//! What every chunk of a run is bound to: its store, its run and its key.

use super::RunError;
use super::RunInfo;
use crate::id::Position;

const CHECK_LENGTH_BYTES: usize = 8;

/// How much longer a chunk is that has its check.
pub(crate) const SEAL_LENGTH_BYTES: usize = CHECK_LENGTH_BYTES;

/// Which run of which store a chunk belongs to, and where the run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) store_id: [u8; 16],
    pub(crate) number: u64,
    pub(crate) first: Position,
    pub(crate) last: Position,
}

impl Place {
    /// The place of a run of a store.
    pub(crate) fn of(store_id: [u8; 16], info: &RunInfo) -> Self {
        Self {
            store_id,
            number: info.number,
            first: info.first,
            last: info.last,
        }
    }

    fn check(&self, key: &[u8], body: &[u8]) -> [u8; CHECK_LENGTH_BYTES] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.store_id);
        hasher.update(&self.number.to_le_bytes());
        hasher.update(&(key.len() as u64).to_le_bytes());
        hasher.update(key).update(body);
        let mut check = [0; CHECK_LENGTH_BYTES];
        hasher.finalize_xof().fill(&mut check);
        check
    }

    /// A value with its check before it.
    pub(crate) fn seal(&self, key: &[u8], body: &[u8]) -> Vec<u8> {
        self.seal_with(key, |value| value.extend_from_slice(body))
    }

    /// A value that is appended to what it is given, with its check before it.
    pub(crate) fn seal_with(&self, key: &[u8], append: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut value = vec![0; CHECK_LENGTH_BYTES];
        append(&mut value);
        if let Some((check, body)) = value.split_first_chunk_mut::<CHECK_LENGTH_BYTES>() {
            *check = self.check(key, body);
        }
        value
    }

    /// What was sealed, if nothing of it or of its key was changed.
    pub(crate) fn unseal<'a>(&self, key: &[u8], value: &'a [u8]) -> Result<&'a [u8], RunError> {
        let parts = value.split_first_chunk::<CHECK_LENGTH_BYTES>();
        match parts {
            Some((check, body)) if *check == self.check(key, body) => Ok(body),
            _ => Err(RunError::damaged("the check of a chunk does not match it")),
        }
    }

    /// A position that an entry may hold.
    pub(crate) fn within(&self, position: Option<u64>) -> Result<Position, RunError> {
        let Self { first, last, .. } = self;
        match position.map(Position) {
            Some(position) if (*first..=*last).contains(&position) => Ok(position),
            _ => Err(RunError::damaged(format!(
                "a position is cut or outside its run, from {first} to {last}"
            ))),
        }
    }
}

/// The key under which a chunk is kept that begins with a key of its table.
pub(crate) fn chunk_key(table: impl Into<u8>, key: &[u8]) -> Vec<u8> {
    let mut chunk_key = Vec::with_capacity(1 + key.len());
    chunk_key.push(table.into());
    chunk_key.extend_from_slice(key);
    chunk_key
}
