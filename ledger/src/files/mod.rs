//! Small files and directories that survive a loss of power, readable by their owner only.

pub(crate) mod record;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What the operating system could not do, and to what.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {} failed: {error}", path.display())]
pub(crate) struct FileError {
    pub(crate) doing: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) error: io::Error,
}

impl FileError {
    pub(crate) fn new(doing: &'static str, path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        Self { doing, path, error }
    }
}

/// Makes a directory that only its owner can enter; it must not exist.
pub(crate) fn make_directory(path: &Path) -> Result<(), FileError> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(path);
    made.map_err(|error| FileError::new("making the directory", path, error))
}

/// Opens a file for writing, making it if it is missing, readable by its owner only.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the entries of a directory survive a loss of power.
pub(crate) fn sync_directory(path: &Path) -> Result<(), FileError> {
    let synced = File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(|error| FileError::new("syncing the directory", path, error))
}

/// Makes a directory and everything below it survive a loss of power: for what was just made by
/// somebody who may not have synced all of it.
pub(crate) fn sync_everything(path: &Path) -> Result<(), FileError> {
    let failed = |error| FileError::new("syncing what is in", path, error);
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        match entry.file_type().map_err(failed)?.is_dir() {
            true => sync_everything(&entry.path())?,
            false => File::open(entry.path())
                .and_then(|file| file.sync_all())
                .map_err(failed)?,
        }
    }
    sync_directory(path)
}

/// Replaces a file in one step: after a loss of power it has its old content or its new one.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut file = open_private(&temporary)?;
        file.set_len(0)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|error| FileError::new("writing", path, error))?;
    sync_directory(path.parent().unwrap_or(path))
}
