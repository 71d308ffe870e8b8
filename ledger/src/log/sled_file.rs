//! One sled database, made durable by us.
//!
//! Sled's own flush ends in `sync_file_range`, which does not survive a loss of power, so its file
//! is synced here after each flush, and its directories when they are made. Sled panics on many
//! kinds of damage: every call into it is guarded, and a panic becomes an error. (A panic in a
//! thread of sled's own cannot be caught; the calls that wait for it fail.) After an error of its file sled's
//! flush may never come back, and closing it may panic: a flush is waited for so long and no longer, and a
//! database that has failed once is left open until the process ends.

use super::LogError;
use crate::limits::SLED_FLUSH_PATIENCE;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often and how long to wait for sled to let go of its file: its threads may outlive a
/// database that was just closed in this process.
const OPEN_ATTEMPTS_MAX: usize = 100;
const OPEN_RETRY_AFTER: Duration = Duration::from_millis(50);

/// An open database with one tree.
pub(crate) struct SledFile {
    /// `None` once it is closed.
    open: Option<OpenDatabase>,
    /// Sled's file, opened a second time, to sync it.
    file: File,
    flusher: Mutex<Flusher>,
    /// Sled has failed at something: it is not to be closed.
    has_failed: AtomicBool,
}

/// What is closed by dropping it, which may panic.
struct OpenDatabase {
    // Dropped before the database, which is flushed when it is dropped.
    tree: sled::Tree,
    database: sled::Db,
}

/// The thread that waits for sled's flush.
#[derive(Default)]
enum Flusher {
    #[default]
    NotStarted,
    Started {
        requests: SyncSender<()>,
        answers: Receiver<Result<(), LogError>>,
        thread: JoinHandle<()>,
    },
    /// It never came back.
    Stuck,
}

impl Flusher {
    fn start(database: sled::Db) -> Result<Self, LogError> {
        let (requests, asked) = mpsc::sync_channel(1);
        let (to, answers) = mpsc::sync_channel(1);
        let work = move || {
            while asked.recv().is_ok() {
                let flushed = guard(SYNCING, || database.flush().map(drop));
                if to.send(flushed).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("ledger-flush".to_owned());
        let thread = thread.spawn(work).map_err(|error| LogError::Failed {
            doing: SYNCING,
            reason: error.to_string(),
        })?;
        Ok(Self::Started {
            requests,
            answers,
            thread,
        })
    }

    /// Has sled flushed, and waits for it.
    fn flush(&mut self, database: &sled::Db) -> Result<(), LogError> {
        if let Self::NotStarted = self {
            *self = Self::start(database.clone())?;
        }
        if let Self::Started {
            requests, answers, ..
        } = self
            && requests.send(()).is_ok()
            && let Ok(flushed) = answers.recv_timeout(SLED_FLUSH_PATIENCE)
        {
            return flushed;
        }
        *self = Self::Stuck;
        let seconds = SLED_FLUSH_PATIENCE.as_secs();
        Err(LogError::Failed {
            doing: SYNCING,
            reason: format!(
                "sled did not come back within {seconds} s, which it may do after its file could not be written"
            ),
        })
    }

    fn stop(&mut self) {
        if let Self::Started {
            requests, thread, ..
        } = std::mem::take(self)
        {
            drop(requests);
            // Its database is closed with the last that holds it, so it has to be gone first.
            drop(thread.join());
        }
    }
}

const OPENING: &str = "opening sled";
const SYNCING: &str = "syncing sled";

fn failed(error: std::io::Error) -> LogError {
    LogError::Failed {
        doing: OPENING,
        reason: error.to_string(),
    }
}

/// Calls into sled, and makes an error of whatever goes wrong. By its name in a backtrace the fault trials know the
/// panics that are caught here.
pub(crate) fn guard<T>(
    doing: &'static str,
    call: impl FnOnce() -> sled::Result<T>,
) -> Result<T, LogError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(LogError::Failed {
            doing,
            reason: words(&error),
        }),
        Err(_) => Err(LogError::Failed {
            doing,
            reason: "sled gave up, as it does on a damaged file".to_owned(),
        }),
    }
}

/// An error of sled in our words: its own tell of its inside, not of what to do.
fn words(error: &sled::Error) -> String {
    match error {
        sled::Error::Corruption { at: Some(at), .. } => format!(
            "sled's file `db` is damaged, near its byte {}; `actl doctor` says what of the log is missing",
            at.lid()
        ),
        sled::Error::Corruption { at: None, .. } => {
            "sled's file `db` is damaged; `actl doctor` says what of the log is missing".to_owned()
        }
        sled::Error::Io(error) => error.to_string(),
        sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_) => {
            format!("sled cannot go on: {error}; `actl doctor` says what of the log is missing")
        }
    }
}

impl SledFile {
    /// Opens the database in a directory, which has to exist, making it if the directory is empty.
    /// What is in it then survives a loss of power. The cache bound is a wish, in bytes.
    pub(crate) fn open(
        directory: &Path,
        tree: &'static str,
        cache_bytes: u64,
    ) -> Result<Self, LogError> {
        remove_unfinished(directory).map_err(failed)?;
        let opened = Self::open_as_it_is(directory, tree, cache_bytes)?;
        opened.sync()?;
        for made in [directory, &directory.join("blobs")] {
            let synced = File::open(made).and_then(|directory| directory.sync_all());
            synced.map_err(failed)?;
        }
        restrict(directory).map_err(failed)?;
        Ok(opened)
    }

    /// Opens a database that nothing is going to be written to.
    pub(crate) fn open_as_it_is(
        directory: &Path,
        tree: &'static str,
        cache_bytes: u64,
    ) -> Result<Self, LogError> {
        let config = sled::Config::new()
            .path(directory)
            .cache_capacity(cache_bytes)
            .flush_every_ms(None);
        let mut attempts = 1;
        let database = loop {
            match guard(OPENING, || config.open()) {
                Err(LogError::Failed { reason, .. })
                    if reason.contains("could not acquire lock")
                        && attempts < OPEN_ATTEMPTS_MAX =>
                {
                    attempts += 1;
                    std::thread::sleep(OPEN_RETRY_AFTER);
                }
                opened => break opened?,
            }
        };
        let tree = guard(OPENING, || database.open_tree(tree))?;
        // `read` alone is enough to sync a file.
        let file = File::open(directory.join("db")).map_err(failed)?;
        Ok(Self {
            open: Some(OpenDatabase { tree, database }),
            file,
            flusher: Mutex::default(),
            has_failed: AtomicBool::new(false),
        })
    }

    /// Waits until sled's threads have let go of a database that was closed in this process.
    pub(crate) fn wait_until_closed(directory: &Path) -> Result<(), LogError> {
        let file = File::open(directory.join("db")).map_err(failed)?;
        for _ in 0..OPEN_ATTEMPTS_MAX {
            match file.try_lock() {
                Ok(()) => return file.unlock().map_err(failed),
                Err(TryLockError::WouldBlock) => std::thread::sleep(OPEN_RETRY_AFTER),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Err(failed(std::io::Error::other("it is still in use")))
    }

    /// Closes it. What was not synced may be lost.
    pub(crate) fn close(self) -> Result<(), LogError> {
        guard("closing sled", move || {
            drop(self);
            Ok(())
        })
    }

    /// Reads from the tree or writes to it, and makes an error of whatever goes wrong.
    pub(crate) fn with_tree<T>(
        &self,
        doing: &'static str,
        call: impl FnOnce(&sled::Tree) -> sled::Result<T>,
    ) -> Result<T, LogError> {
        let open = self.opened()?;
        self.noted(guard(doing, || call(&open.tree)))
    }

    fn opened(&self) -> Result<&OpenDatabase, LogError> {
        self.open.as_ref().ok_or_else(|| LogError::Failed {
            doing: "using sled",
            reason: "it is closed".to_owned(),
        })
    }

    /// The entries from a key on.
    pub(crate) fn range(&self, from: impl AsRef<[u8]>) -> Result<sled::Iter, LogError> {
        Ok(self.opened()?.tree.range(from.as_ref()..))
    }

    /// Notes that sled has failed, if it has.
    fn noted<T>(&self, result: Result<T, LogError>) -> Result<T, LogError> {
        if result.is_err() {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        result
    }

    fn flusher(&self) -> MutexGuard<'_, Flusher> {
        self.flusher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes everything that was written survive a loss of power.
    pub(crate) fn sync(&self) -> Result<(), LogError> {
        let database = &self.opened()?.database;
        self.noted(self.flusher().flush(database))?;
        let synced = self.file.sync_data();
        self.noted(synced.map_err(|error| LogError::Failed {
            doing: SYNCING,
            reason: error.to_string(),
        }))
    }
}

impl Drop for SledFile {
    /// Sled panics, or waits for ever, if it cannot write or sync its file when it is dropped. If it has failed
    /// before, or if we cannot sync the file either, it is left open instead, until the process ends.
    fn drop(&mut self) {
        let synced = self.file.sync_all();
        if let Err(error) = &synced {
            tracing::error!(%error, "sled's file could not be synced");
        }
        self.flusher().stop();
        let Some(open) = self.open.take() else { return };
        if synced.is_err() || self.has_failed.load(Ordering::Relaxed) {
            return std::mem::forget(open);
        }
        // What fails for the first time here may make sled panic. It was synced: nothing depends on it.
        let closed = guard("closing sled", || {
            drop(open);
            Ok(())
        });
        if let Err(error) = closed {
            tracing::error!(%error, "sled could not be closed well");
        }
    }
}

/// Removes snapshots that sled was writing when it was killed.
///
/// Sled 0.34.7 writes a snapshot to `snap.LSN.generating` and renames it when it is whole, but when it
/// opens it takes such a file for the newest snapshot and refuses the whole database as corrupt. What
/// was not renamed was never used, and a snapshot only saves reading the log again.
fn remove_unfinished(directory: &Path) -> std::io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            tracing::warn!(file = %name, "removing a snapshot that sled had not finished");
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Makes sled's files readable by their owner only. Their directory is already; this is for copies.
/// Sled's own threads may remove an old snapshot meanwhile: what is gone needs no mode.
fn restrict(directory: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    for entry in fs::read_dir(directory)? {
        let restricted = entry.and_then(|entry| {
            let mode = match entry.file_type()?.is_dir() {
                true => 0o700,
                false => 0o600,
            };
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            fs::set_permissions(entry.path(), mode)
        });
        match restricted {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
