//! Making a directory beside its place and moving it there, so that nothing half-made is ever found.

use super::directory::lock;
use super::error::{PathDisplay, StoreError};
use crate::files::{self, FileError};
use crate::id::EventId;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// Makes a directory at a path where nothing is, durably. The directory above has to exist. `make` fills a
/// hidden directory beside it, whose lock is held meanwhile; whenever the process is killed, that is
/// all that it leaves, and the next attempt under the same id removes it.
pub(super) fn make_beside<T>(
    path: &Path,
    store_id: [u8; 16],
    make: impl FnOnce(&Path) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let exists = || StoreError::Exists {
        path: PathDisplay::from(path),
    };
    if fs::symlink_metadata(path).is_ok() {
        return Err(exists());
    }
    let name = path.file_name().ok_or_else(exists)?;
    let above = match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".new-{}", EventId(store_id)));
    let making = above.join(hidden);
    if fs::symlink_metadata(&making).is_ok() {
        // The remains of a process that was killed, unless somebody is at it.
        drop(lock(&making)?);
        fs::remove_dir_all(&making).map_err(|error| FileError::new("clearing", &making, error))?;
    }
    files::make_directory(&making)?;
    let made = lock(&making).and_then(|_lock| {
        let made = make(&making)?;
        fs::rename(&making, path).map_err(|error| match error.kind() {
            std::io::ErrorKind::DirectoryNotEmpty | std::io::ErrorKind::NotADirectory => exists(),
            _ => FileError::new("making", path, error).into(),
        })?;
        Ok(made)
    });
    if made.is_err() {
        // Only what this call made has this name; if it cannot be removed, it is in no way.
        drop(fs::remove_dir_all(&making));
    }
    let made = made?;
    files::sync_directory(above)?;
    Ok(made)
}
