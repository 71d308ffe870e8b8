//! Runs in sled databases of their own, one a run, that are written once and never again.
//!
//! Once a run is written its database is closed, synced, and its files are hashed. Sled only ever
//! opens files that are, byte for byte, what it left behind itself, because it panics on damage, in
//! its own threads too; and it is killed without consequence, because it is not writing.

use super::IndexError;
use super::chunk::Chunk;
use super::keep::{Chunks, RunHash, Sink};
use crate::files::{self, FileError};
use crate::limits::{
    RUN_READ_MIN_BYTES, RUNS_READ_MAX_BYTES, SLED_LEAF_LENGTH_BYTES, SLED_RUN_CACHE_BYTES,
};
use crate::log::sled_file::{SledFile, guard};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const TREE: &str = "chunks";
const HASH_BUFFER_LENGTH_BYTES: usize = 1 << 18;

/// How many bytes sled has read for all runs of an index, as far as their databases are open.
pub(crate) type ReadBytes = Arc<AtomicUsize>;

/// A run whose files do not change any more.
pub(crate) struct Sealed {
    directory: PathBuf,
    open: Mutex<Option<Open>>,
    read_bytes: ReadBytes,
    discarded: AtomicBool,
}

struct Open {
    file: Arc<SledFile>,
    read_bytes: usize,
}

impl Sealed {
    /// The run in a directory, whose files have to have been checked.
    pub(crate) fn new(directory: PathBuf, read_bytes: ReadBytes) -> Self {
        Self {
            directory,
            open: Mutex::new(None),
            read_bytes,
            discarded: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads, opening the database if it is closed, and counts what sled now holds in memory.
    fn read<T>(
        &self,
        length_bytes: impl FnOnce(&T) -> usize,
        read: impl FnOnce(&sled::Tree) -> sled::Result<T>,
    ) -> Result<T, IndexError> {
        let mut open = self.lock();
        let file = match &*open {
            Some(open) => Arc::clone(&open.file),
            None => {
                let opened = SledFile::open_as_it_is(&self.directory, TREE, SLED_RUN_CACHE_BYTES)?;
                let file = Arc::new(opened);
                *open = Some(Open {
                    file: Arc::clone(&file),
                    read_bytes: 0,
                });
                file
            }
        };
        drop(open);
        let found = guard("reading a run", || read(file.tree()))?;
        drop(file);
        let length_bytes = length_bytes(&found);
        let total = self.read_bytes.fetch_add(length_bytes, Ordering::Relaxed) + length_bytes;
        let mut open = self.lock();
        let Some(own) = &mut *open else {
            self.read_bytes.fetch_sub(length_bytes, Ordering::Relaxed);
            return Ok(found);
        };
        own.read_bytes += length_bytes;
        let is_large = total > RUNS_READ_MAX_BYTES && own.read_bytes >= RUN_READ_MIN_BYTES;
        // While others read from it, it cannot be closed; the last of them does it.
        if is_large && Arc::strong_count(&own.file) == 1 {
            self.shut(&mut open);
        }
        Ok(found)
    }

    fn shut(&self, open: &mut Option<Open>) {
        if let Some(open) = open.take() {
            self.read_bytes
                .fetch_sub(open.read_bytes, Ordering::Relaxed);
        }
    }
}

impl Chunks for Sealed {
    fn at_or_before(&self, key: &[u8]) -> Result<Option<Chunk>, IndexError> {
        self.read(
            |_| SLED_LEAF_LENGTH_BYTES,
            |tree| {
                let found = tree.range(..=key).next_back().transpose()?;
                Ok(found.map(|(key, value)| (key.to_vec(), value.to_vec())))
            },
        )
    }

    fn from(&self, key: &[u8], chunks_max: usize) -> Result<Vec<Chunk>, IndexError> {
        self.read(
            |chunks: &Vec<Chunk>| chunks.iter().map(|(_, value)| value.len()).sum(),
            |tree| {
                let chunks = tree.range(key..).take(chunks_max);
                let owned = chunks.map(|chunk| chunk.map(|(k, v)| (k.to_vec(), v.to_vec())));
                owned.collect()
            },
        )
    }

    fn discard(&self) {
        self.discarded.store(true, Ordering::Relaxed);
    }

    fn let_go(&self) -> Vec<String> {
        let mut open = self.lock();
        if open
            .as_ref()
            .is_some_and(|open| Arc::strong_count(&open.file) > 1)
        {
            return Vec::new();
        }
        let was_open = open.is_some();
        self.shut(&mut open);
        let closed = match was_open {
            true => SledFile::wait_until_closed(&self.directory),
            false => Ok(()),
        };
        let stamps = closed.ok().and_then(|()| stamps(&self.directory).ok());
        stamps.unwrap_or_default()
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        self.shut(&mut self.lock());
        if self.discarded.load(Ordering::Relaxed) {
            // What is in no list is removed at the next opening, if not now.
            drop(fs::remove_dir_all(&self.directory));
        }
    }
}

/// A run that is being written.
pub(crate) struct SealedSink {
    directory: PathBuf,
    file: Option<SledFile>,
    read_bytes: ReadBytes,
    sealed: bool,
}

impl SealedSink {
    /// Begins a run in a directory that does not exist.
    pub(crate) fn new(directory: PathBuf, read_bytes: ReadBytes) -> Result<Self, IndexError> {
        files::make_directory(&directory)?;
        let mut sink = Self {
            directory,
            file: None,
            read_bytes,
            sealed: false,
        };
        let file = SledFile::open(&sink.directory, TREE, SLED_RUN_CACHE_BYTES)?;
        sink.file = Some(file);
        Ok(sink)
    }
}

impl Sink for SealedSink {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), IndexError> {
        if let Some(file) = &self.file {
            guard("writing a run", || file.tree().insert(key, value))?;
        }
        Ok(())
    }

    fn seal(mut self: Box<Self>) -> Result<(RunHash, Arc<dyn Chunks>), IndexError> {
        if let Some(file) = self.file.take() {
            file.sync()?;
        }
        // Sled ends its file in another way when it opens it, and writes a snapshot; the second time
        // that it opens it everything stays as it is.
        drop(SledFile::open(&self.directory, TREE, SLED_RUN_CACHE_BYTES)?);
        SledFile::wait_until_closed(&self.directory)?;
        let failed = |error| FileError::new("syncing", &self.directory, error);
        for name in file_names(&self.directory).map_err(failed)? {
            let file = File::open(self.directory.join(name)).map_err(failed)?;
            file.sync_all().map_err(failed)?;
        }
        files::sync_directory(&self.directory)?;
        let hash = hash(&self.directory)?;
        self.sealed = true;
        let directory = self.directory.clone();
        let sealed = Sealed::new(directory, Arc::clone(&self.read_bytes));
        Ok((hash, Arc::new(sealed)))
    }
}

impl Drop for SealedSink {
    fn drop(&mut self) {
        if !self.sealed {
            self.file = None;
            drop(fs::remove_dir_all(&self.directory));
        }
    }
}

/// The names of the files of a run, sorted. Anything else than files, but sled's empty folder for
/// large values, is an error.
fn file_names(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() {
            names.push(name);
        } else if name != "blobs" || fs::read_dir(entry.path())?.next().is_some() {
            return Err(io::Error::other("there is more in it than belongs there"));
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The BLAKE3 of the names and contents of the files of a run. Costs reading them.
pub(crate) fn hash(directory: &Path) -> Result<RunHash, IndexError> {
    let failed = |error| FileError::new("reading", directory, error);
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; HASH_BUFFER_LENGTH_BYTES];
    for name in file_names(directory).map_err(failed)? {
        let mut file = File::open(directory.join(&name)).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(&length.to_le_bytes());
        loop {
            match file.read(&mut buffer).map_err(failed)? {
                0 => break,
                read => hasher.update(buffer.get(..read).unwrap_or_default()),
            };
        }
    }
    Ok(*hasher.finalize().as_bytes())
}

/// A line for each file of a run that is another one once somebody wrote to the file, replaced it or
/// changed its mode. Where the system does not say when that was, no two are equal.
pub(crate) fn stamps(directory: &Path) -> io::Result<Vec<String>> {
    let stamp = |name: String| {
        let about = fs::metadata(directory.join(&name))?;
        #[cfg(unix)]
        let changed = {
            use std::os::unix::fs::MetadataExt;
            (about.ino(), about.ctime(), about.ctime_nsec())
        };
        #[cfg(not(unix))]
        let changed = ("unknown", directory, std::time::Instant::now());
        Ok(format!("{name} {} {changed:?}", about.len()))
    };
    file_names(directory)?.into_iter().map(stamp).collect()
}
