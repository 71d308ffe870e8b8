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
    MERGE_READ_MAX_BYTES, RUNS_READ_MAX_BYTES, SLED_LEAF_LENGTH_BYTES, SLED_RUN_CACHE_BYTES,
};
use crate::log::sled_file::{SledFile, guard};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

const TREE: &str = "chunks";
const HASH_BUFFER_LENGTH_BYTES: usize = 1 << 18;

/// The runs of an index that may be open, and how many bytes sled has read for those that are.
#[derive(Default)]
pub(crate) struct Readers {
    read_bytes: AtomicUsize,
    runs: Mutex<Vec<Weak<Sealed>>>,
}

impl Readers {
    fn runs(&self) -> MutexGuard<'_, Vec<Weak<Sealed>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the run that read most, once all together read too much.
    fn bound(&self) {
        if self.read_bytes.load(Ordering::Relaxed) <= RUNS_READ_MAX_BYTES {
            return;
        }
        let runs: Vec<_> = self.runs().iter().filter_map(Weak::upgrade).collect();
        let most = runs
            .iter()
            .max_by_key(|run| run.read_bytes.load(Ordering::Relaxed));
        if let Some(most) = most {
            most.shut(&mut most.lock());
        }
    }
}

/// A run whose files do not change any more.
pub(crate) struct Sealed {
    directory: PathBuf,
    open: Mutex<Option<Arc<SledFile>>>,
    /// What sled has read since it was opened.
    read_bytes: AtomicUsize,
    readers: Arc<Readers>,
    discarded: AtomicBool,
}

impl Sealed {
    /// The run in a directory, whose files have to have been checked.
    pub(crate) fn new(directory: PathBuf, readers: &Arc<Readers>) -> Arc<Self> {
        let sealed = Arc::new(Self {
            directory,
            open: Mutex::new(None),
            read_bytes: AtomicUsize::new(0),
            readers: Arc::clone(readers),
            discarded: AtomicBool::new(false),
        });
        let mut runs = readers.runs();
        runs.retain(|run| run.strong_count() > 0);
        runs.push(Arc::downgrade(&sealed));
        drop(runs);
        sealed
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<SledFile>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> Result<Arc<SledFile>, IndexError> {
        let mut open = self.lock();
        if let Some(file) = &*open {
            return Ok(Arc::clone(file));
        }
        let file = SledFile::open_as_it_is(&self.directory, TREE, SLED_RUN_CACHE_BYTES)?;
        Ok(Arc::clone(open.insert(Arc::new(file))))
    }

    /// Reads, opening the database if it is closed, and counts what sled now holds in memory.
    fn read<T>(
        &self,
        length_bytes: impl FnOnce(&T) -> usize,
        read: impl FnOnce(&sled::Tree) -> sled::Result<T>,
    ) -> Result<T, IndexError> {
        let file = self.file()?;
        let found = guard("reading a run", || read(file.tree()))?;
        let length_bytes = length_bytes(&found);
        self.read_bytes.fetch_add(length_bytes, Ordering::Relaxed);
        self.readers
            .read_bytes
            .fetch_add(length_bytes, Ordering::Relaxed);
        drop(file);
        self.readers.bound();
        Ok(found)
    }

    /// Closes the database, unless somebody is reading from it.
    fn shut(&self, open: &mut Option<Arc<SledFile>>) -> bool {
        if open
            .as_ref()
            .is_some_and(|file| Arc::strong_count(file) > 1)
        {
            return false;
        }
        if let Some(Err(error)) = open.take().and_then(Arc::into_inner).map(SledFile::close) {
            tracing::warn!(%error, "a run of the index was not closed well");
        }
        let read_bytes = self.read_bytes.swap(0, Ordering::Relaxed);
        self.readers
            .read_bytes
            .fetch_sub(read_bytes, Ordering::Relaxed);
        true
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

    fn pass(&self, key: &[u8], chunks_max: usize) -> Result<Vec<Chunk>, IndexError> {
        let chunks = self.from(key, chunks_max)?;
        if self.read_bytes.load(Ordering::Relaxed) >= MERGE_READ_MAX_BYTES {
            self.shut(&mut self.lock());
        }
        Ok(chunks)
    }

    fn discard(&self) {
        self.discarded.store(true, Ordering::Relaxed);
    }

    fn let_go(&self) -> Vec<String> {
        let mut open = self.lock();
        let was_open = open.is_some();
        if !self.shut(&mut open) {
            return Vec::new();
        }
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
    readers: Arc<Readers>,
    sealed: bool,
}

impl SealedSink {
    /// Begins a run in a directory that does not exist.
    pub(crate) fn new(directory: PathBuf, readers: &Arc<Readers>) -> Result<Self, IndexError> {
        files::make_directory(&directory)?;
        let mut sink = Self {
            directory,
            file: None,
            readers: Arc::clone(readers),
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
            file.close()?;
        }
        // Sled ends its file in another way when it opens it, and writes a snapshot; the second time
        // that it opens it everything stays as it is.
        SledFile::open(&self.directory, TREE, SLED_RUN_CACHE_BYTES)?.close()?;
        SledFile::wait_until_closed(&self.directory)?;
        let failed = |error| FileError::new("syncing", &self.directory, error);
        for name in file_names(&self.directory).map_err(failed)? {
            let file = File::open(self.directory.join(name)).map_err(failed)?;
            file.sync_all().map_err(failed)?;
        }
        files::sync_directory(&self.directory)?;
        let hash = hash(&self.directory)?;
        self.sealed = true;
        Ok((hash, Sealed::new(self.directory.clone(), &self.readers)))
    }
}

impl Drop for SealedSink {
    fn drop(&mut self) {
        if !self.sealed {
            if let Some(Err(error)) = self.file.take().map(SledFile::close) {
                tracing::warn!(%error, "a run that was being written was not closed well");
            }
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
