//! The checkpoints of a store in its copies. They cannot be derived, so they go along.
//!
//! A new incarnation signs under another name, so the checkpoints of the one before, and the key that checks
//! them, are kept in a folder of their own.

use super::error::StoreError;
use crate::files::{self, FileError};
use crate::id::Position;
use crate::proof::CheckpointFolder;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const FOLDER: &str = "checkpoints";

/// How far the checkpoints of a store say that it had reached.
pub(super) fn reached(store: &Path) -> Result<Position, FileError> {
    Ok(Position(CheckpointFolder::of(store).reached()?.0))
}

/// Copies what is not there yet: the key, the checkpoints of at most `until` events, and those of earlier
/// incarnations.
pub(super) fn copy(from: &Path, to: &Path, until: Position) -> Result<(), StoreError> {
    copy_folder(&from.join(FOLDER), &to.join(FOLDER), until)
}

/// Copies the checkpoints of an incarnation into the one that follows it.
pub(super) fn hand_down(
    from: &Path,
    to: &Path,
    incarnation: u32,
    until: Position,
) -> Result<(), StoreError> {
    copy(from, to, until)?;
    set_aside(to, incarnation)
}

/// Moves the checkpoints of an incarnation and their key into a folder of their own.
pub(super) fn set_aside(store: &Path, incarnation: u32) -> Result<(), StoreError> {
    let folder = store.join(FOLDER);
    let files = files_in(&folder)?;
    if files.is_empty() {
        return Ok(());
    }
    let aside = folder.join(format!("incarnation-{incarnation}"));
    make(&aside)?;
    for file in files {
        let moved = aside.join(file.file_name().unwrap_or_default());
        fs::rename(&file, &moved).map_err(|error| FileError::new("moving", &file, error))?;
    }
    files::sync_directory(&aside)?;
    Ok(files::sync_directory(&folder)?)
}

fn make(folder: &Path) -> Result<(), StoreError> {
    if !folder.is_dir() {
        files::make_directory(folder)?;
        files::sync_directory(folder.parent().unwrap_or(folder))?;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path, until: Position) -> Result<(), StoreError> {
    for path in entries(from)? {
        make(to)?;
        let copied = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &copied, until)?;
        } else if !copied.exists() {
            let bytes = fs::read(&path).map_err(|error| FileError::new("reading", &path, error))?;
            if size(&bytes).is_none_or(|size| size <= until.0) {
                files::replace(&copied, &bytes)?;
            }
        }
    }
    Ok(())
}

/// How many events a checkpoint states: the second line of its note. `None` for the key.
fn size(bytes: &[u8]) -> Option<u64> {
    let line = bytes.split(|byte| *byte == b'\n').nth(1)?;
    str::from_utf8(line).ok()?.parse().ok()
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = entries(folder)?;
    files.retain(|path| path.is_file());
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |error| FileError::new("listing", folder, error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let paths = entries.map(|entry| Ok(entry.map_err(failed)?.path()));
    paths.collect()
}
