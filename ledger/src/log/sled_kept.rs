//! Keeps sled's files as they are until sled has opened them.
//!
//! When sled opens its files it takes what its newest snapshot and the end of its file say for all there ever
//! was, and writes over the rest: damage to a few bytes then costs frames that were whole. So the files of a log
//! that was closed are copied before sled sees them, unless they are as we left them; if the log then ends too
//! early, or cannot be opened, the copy takes their place again, and a salvage finds what the damage has left.
//! As with the index, what the system does not know to have changed is not read to find out.

use super::{LogError, sled_file::SledFile};
use crate::files;
use crate::sealed::{Seen, stamp};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The folder with the copy, in the log's directory.
const KEPT: &str = "kept";

const SEEN_TITLE: &str = "activation-ledger sled log files";

/// Whether a name is that of a file of sled's.
fn is_of_sled(name: &str) -> bool {
    name == "db" || name == "conf" || name.starts_with("snap.")
}

/// The names of sled's files in a directory; none if it does not exist.
fn names(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if is_of_sled(&name) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// What sled's files look like at this moment.
fn look(directory: &Path) -> io::Result<Seen> {
    let stamps = names(directory)?
        .into_iter()
        .map(|name| stamp(directory, &name));
    let mut seen = Seen::default();
    seen.note(0, stamps.collect::<io::Result<_>>()?);
    Ok(seen)
}

fn is_as_left(directory: &Path) -> bool {
    look(directory).is_ok_and(|now| now == Seen::read(directory, SEEN_TITLE))
}

/// Notes what sled's files look like once it has been closed: dropped after the database.
pub(super) struct NoteWhenClosed {
    directory: PathBuf,
    /// Whether the log was opened, and nothing has failed since.
    is_well: AtomicBool,
}

impl NoteWhenClosed {
    pub(super) fn of(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            is_well: AtomicBool::new(false),
        }
    }

    pub(super) fn set_well(&self, is_well: bool) {
        self.is_well.store(is_well, Ordering::Relaxed);
    }
}

impl Drop for NoteWhenClosed {
    fn drop(&mut self) {
        if !self.is_well.load(Ordering::Relaxed) {
            return;
        }
        let closed = SledFile::wait_until_closed(&self.directory);
        if let Some(seen) = closed.ok().and_then(|()| look(&self.directory).ok()) {
            seen.write(&self.directory, SEEN_TITLE);
        }
    }
}

/// Opens a log that was closed cleanly. `open` may change sled's files; if it fails, and they were not as they
/// were left, they are what they were before. Costs a look at each file, and copying those that are not as they
/// were left.
pub(super) fn guarded<T>(
    directory: &Path,
    open: impl FnOnce() -> Result<T, LogError>,
) -> Result<T, LogError> {
    if is_as_left(directory) || names(directory).map_err(failed)?.is_empty() {
        return open();
    }
    tracing::warn!(
        "sled's files are not as they were left: they are copied before sled opens them"
    );
    keep(directory).map_err(failed)?;
    let opened = open();
    match &opened {
        Ok(_) => let_go(directory).map_err(failed)?,
        Err(_) => put_back(directory)?,
    }
    opened
}

/// Undoes an opening that was interrupted.
pub(super) fn put_back(directory: &Path) -> Result<(), LogError> {
    let put = || {
        let kept = directory.join(KEPT);
        let kept_names = names(&kept)?;
        if kept_names.is_empty() {
            return Ok(());
        }
        for name in names(directory)? {
            if !kept_names.contains(&name) {
                fs::remove_file(directory.join(name))?;
            }
        }
        // Other files in their places: sled's threads may still have those that it opened.
        for name in kept_names {
            let temporary = directory.join("kept.file");
            copy(&kept.join(&name), &temporary)?;
            fs::rename(temporary, directory.join(name))?;
        }
        File::open(directory)?.sync_all()?;
        let_go(directory)
    };
    put().map_err(failed)
}

/// Removes the copy. It is gone for ever before this returns, and all of it at once: if it came back after
/// something was appended, that would be undone.
fn let_go(directory: &Path) -> io::Result<()> {
    let going = directory.join("kept.old");
    remove(&going)?;
    fs::rename(directory.join(KEPT), &going)?;
    File::open(directory)?.sync_all()?;
    remove(&going)
}

/// Removes a folder, if it is there.
fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Where sled's files are as they were before an opening that was interrupted, or else as they are.
pub(super) fn as_they_were(directory: &Path) -> PathBuf {
    let kept = directory.join(KEPT);
    match kept.is_dir() {
        true => kept,
        false => directory.to_owned(),
    }
}

/// Copies sled's files into a folder, which is there with all of them or not at all.
fn keep(directory: &Path) -> io::Result<()> {
    let making = directory.join("kept.new");
    remove(&making)?;
    files::make_directory(&making).map_err(|error| error.error)?;
    for name in names(directory)? {
        copy(&directory.join(&name), &making.join(&name))?;
    }
    File::open(&making)?.sync_all()?;
    fs::rename(&making, directory.join(KEPT))?;
    File::open(directory)?.sync_all()
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut copy = files::open_private(to)?;
    copy.set_len(0)?;
    io::copy(&mut File::open(from)?, &mut copy)?;
    copy.sync_all()
}

fn failed(error: io::Error) -> LogError {
    LogError::Failed {
        doing: "keeping sled's files as they are",
        reason: error.to_string(),
    }
}
