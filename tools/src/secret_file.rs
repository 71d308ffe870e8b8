//! Files that hold secrets: made whole and durable, and for their owner only.

use crate::error::Failure;
use std::fs::{File, Metadata};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::NamedTempFile;

const OTHERS_MODE_BITS: u32 = 0o077;

/// The directory that a file lies in.
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes a file that only its owner can read, durable; refused if one is there. Several processes may
/// try at once: each has a temporary file of its own.
pub fn create(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let directory = directory_of(path);
    // `NamedTempFile` makes its file with mode 0600.
    let mut temporary = NamedTempFile::new_in(directory)?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    let persisted = temporary.persist_noclobber(path);
    persisted.map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

/// Refuses what is no file, and a file that others than its owner may use. `what` is what could not
/// be done, `keys` what is in the file.
pub fn check_private(metadata: &Metadata, what: &str, keys: &str) -> Result<(), Failure> {
    if !metadata.is_file() {
        let hint = "give the path of the file";
        return Err(Failure::new(what, "it is not a file", hint));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & OTHERS_MODE_BITS == 0 {
        return Ok(());
    }
    let why = format!("its mode is {mode:04o}, so others than its owner may use {keys} in it");
    let hint = "take the others' permissions away: chmod 600 on this file";
    Err(Failure::new(what, why, hint))
}

/// Refuses a folder that others than its owner may enter.
pub fn check_private_folder(metadata: &Metadata, what: &str) -> Result<(), Failure> {
    let mode = metadata.permissions().mode() & 0o777;
    if mode & OTHERS_MODE_BITS == 0 {
        return Ok(());
    }
    let why = format!("its mode is {mode:04o}, so others than its owner may enter it");
    let hint = "take the others' permissions away: chmod 700 on this folder";
    Err(Failure::new(what, why, hint))
}
