//! The index on disk. Its layout is in `FORMAT.md`.

use super::{Index, IndexError, Postings, RunSize};
use crate::id::Position;
pub use crate::runs::Rebuilt;
use crate::runs::disk::{self, Form};
use std::path::Path;

const FORM: Form<'static> = Form {
    what: "the index",
    title: "activation-ledger index",
    seen_title: "activation-ledger index files",
    format: 2,
    made_by: None,
};

/// Up to where the index in a directory says that its log was durable; 0 if it says nothing.
pub(crate) fn watermark(directory: &Path, store_id: [u8; 16]) -> Position {
    let runs = disk::read_manifest(directory, Some(store_id), FORM).unwrap_or_default();
    runs.last().map_or(Position(0), |run| run.last)
}

/// Why what the index says of itself does not hold; `None` if it does. Looks at its manifest only.
pub(crate) fn doubt(directory: &Path, store_id: [u8; 16]) -> Option<String> {
    disk::read_manifest(directory, Some(store_id), FORM).err()
}

/// Opens the index in a directory as far as it can be trusted: see [`disk::open`].
pub(crate) fn open(
    directory: &Path,
    store_id: [u8; 16],
    size: RunSize,
) -> Result<(Index, Option<Rebuilt>), IndexError> {
    let (core, rebuilt) = disk::open::<Postings>(directory, store_id, FORM, size)?;
    Ok((Index::over(core), rebuilt))
}

/// Where the runs of an index are kept.
#[cfg(test)]
pub(crate) fn shelf(directory: &Path, store_id: [u8; 16]) -> disk::DiskShelf {
    disk::DiskShelf::new(directory, store_id, FORM)
}
