//! The store's directory: who may enter it, and how it was left.

use super::error::{PathDisplay, StoreError};
use super::manifest::Manifest;
use crate::files;
use crate::id::Position;
use crate::log::Epoch;
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A store's directory and its manifest, held by this process.
pub(crate) struct Directory {
    pub(crate) path: PathBuf,
    pub(crate) manifest: Manifest,
}

impl Directory {
    /// Where the commit log lives.
    pub(crate) fn log(path: &Path) -> PathBuf {
        path.join("log")
    }

    /// Where the index lives.
    pub(crate) fn index(path: &Path) -> PathBuf {
        path.join("index")
    }

    /// Says on the medium that the store is being written, under the next epoch.
    pub(crate) fn claim(&mut self) -> Result<Epoch, StoreError> {
        let epoch = Epoch(self.manifest.epoch.0 + 1);
        let manifest = Manifest {
            epoch,
            is_open: true,
            ..self.manifest.clone()
        };
        manifest.write(&self.path)?;
        self.manifest = manifest;
        Ok(epoch)
    }

    /// Says on the medium that the log is whole up to a position and nobody is writing.
    pub(crate) fn close(&mut self, end: Position) -> Result<(), StoreError> {
        self.manifest.reached = end;
        self.manifest.is_open = false;
        self.manifest.write(&self.path)
    }

    /// Says on the medium that the log is durable up to a position, if it does not say so yet: from
    /// then on nothing up to there can be taken for a frame that was being written.
    pub(crate) fn mark(&mut self, reached: Position) -> Result<(), StoreError> {
        if self.manifest.reached >= reached {
            return Ok(());
        }
        self.manifest.reached = reached;
        self.manifest.write(&self.path)
    }
}

/// The file that whoever has the store open holds.
const LOCK: &str = "lock";

/// How often and how long to wait for a lock before its holder is reported: a process that is ending,
/// or one that was just forked and has not begun its own program yet, lets go within moments.
const LOCK_ATTEMPTS_MAX: usize = 20;
const LOCK_RETRY_AFTER: Duration = Duration::from_millis(25);

/// Takes the store's lock and leaves this process's number in it. It is let go when the file is
/// closed, however the process ends.
pub(crate) fn lock(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join(LOCK);
    let failed = |error| StoreError::io("locking", &path, error);
    let mut file = files::open_private(&path).map_err(failed)?;
    take(directory, &path, &mut file)?;
    let mut leave = || {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    leave().map_err(failed)?;
    Ok(file)
}

/// Takes the store's lock without leaving anything in it, for those who change nothing. `None` where
/// there is no lock: nobody can have the store open.
pub(crate) fn hold(directory: &Path) -> Result<Option<File>, StoreError> {
    let path = directory.join(LOCK);
    match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("locking", &path, error)),
        Ok(mut file) => take(directory, &path, &mut file).map(|()| Some(file)),
    }
}

fn take(directory: &Path, path: &Path, file: &mut File) -> Result<(), StoreError> {
    let mut attempts = 1;
    let locked = loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if attempts < LOCK_ATTEMPTS_MAX => {
                attempts += 1;
                std::thread::sleep(LOCK_RETRY_AFTER);
            }
            locked => break locked,
        }
    };
    match locked {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = file.read_to_string(&mut text);
            Err(StoreError::InUse {
                path: PathDisplay::from(directory),
                pid: read.ok().and_then(|_| text.trim().parse().ok()),
            })
        }
        Err(TryLockError::Error(error)) => Err(StoreError::io("locking", path, error)),
    }
}
