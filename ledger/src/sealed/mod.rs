//! Sled databases that are written once and never again: what a run of the index and a block of tiles
//! are kept in.
//!
//! Once one is written it is closed, synced, and its files are hashed. Sled only ever opens files that
//! are, byte for byte, what it left behind itself, because it panics on damage, in its own threads too;
//! and it is killed without consequence, because it is not writing.

mod seen;

use crate::files::{self, FileError};
use crate::limits::{PASS_READ_MAX_BYTES, SLED_LEAF_KEYS_MAX, SLED_SEALED_CACHE_BYTES};
use crate::log::LogError;
use crate::log::sled_file::SledFile;
pub(crate) use seen::Seen;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

const TREE: &str = "chunks";
const HASH_BUFFER_LENGTH_BYTES: usize = 1 << 18;

/// A key and its value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// The BLAKE3 of the files of a database.
pub(crate) type FilesHash = [u8; 32];

/// Why a database could not be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealedError {
    /// The operating system could not do it.
    #[error(transparent)]
    File(#[from] FileError),
    /// Sled could not do it.
    #[error(transparent)]
    Sled(#[from] LogError),
}

/// Databases that may be open together, and how many bytes sled has read for those that are.
pub(crate) struct Readers {
    read_bytes: AtomicUsize,
    read_max_bytes: usize,
    leaf_length_bytes: usize,
    databases: Mutex<Vec<Weak<Sealed>>>,
}

impl Readers {
    /// Databases of which one is closed once all together have read more than `read_max_bytes`. One
    /// look-up is taken to make sled keep a leaf of `leaf_length_bytes`.
    pub(crate) fn new(read_max_bytes: usize, leaf_length_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            read_bytes: AtomicUsize::new(0),
            read_max_bytes,
            leaf_length_bytes,
            databases: Mutex::default(),
        })
    }

    fn databases(&self) -> MutexGuard<'_, Vec<Weak<Sealed>>> {
        let databases = self.databases.lock();
        databases.unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the database that read most, once all together read too much.
    fn bound(&self) {
        if self.read_bytes.load(Ordering::Relaxed) <= self.read_max_bytes {
            return;
        }
        let databases: Vec<_> = self.databases().iter().filter_map(Weak::upgrade).collect();
        let most = databases
            .iter()
            .max_by_key(|database| database.read_bytes.load(Ordering::Relaxed));
        if let Some(most) = most {
            most.shut(&mut most.lock());
        }
    }
}

/// A database whose files do not change any more.
pub(crate) struct Sealed {
    directory: PathBuf,
    open: Mutex<Option<Arc<SledFile>>>,
    /// What sled has read since it was opened.
    read_bytes: AtomicUsize,
    readers: Arc<Readers>,
    discarded: AtomicBool,
}

impl Sealed {
    /// The database in a directory, whose files have to have been checked.
    pub(crate) fn new(directory: PathBuf, readers: &Arc<Readers>) -> Arc<Self> {
        let sealed = Arc::new(Self {
            directory,
            open: Mutex::new(None),
            read_bytes: AtomicUsize::new(0),
            readers: Arc::clone(readers),
            discarded: AtomicBool::new(false),
        });
        let mut databases = readers.databases();
        databases.retain(|database| database.strong_count() > 0);
        databases.push(Arc::downgrade(&sealed));
        drop(databases);
        sealed
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<SledFile>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> Result<Arc<SledFile>, SealedError> {
        let mut open = self.lock();
        if let Some(file) = &*open {
            return Ok(Arc::clone(file));
        }
        let file = SledFile::open_as_it_is(&self.directory, TREE, SLED_SEALED_CACHE_BYTES)?;
        Ok(Arc::clone(open.insert(Arc::new(file))))
    }

    /// Reads, opening the database if it is closed, and counts what sled now holds in memory.
    fn read<T>(
        &self,
        length_bytes: impl FnOnce(&T) -> usize,
        read: impl FnOnce(&sled::Tree) -> sled::Result<T>,
    ) -> Result<T, SealedError> {
        let file = self.file()?;
        let found = file.with_tree("reading from sled", read)?;
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
            let database = self.directory.display();
            tracing::warn!(%error, %database, "a database was not closed well");
        }
        let read_bytes = self.read_bytes.swap(0, Ordering::Relaxed);
        self.readers
            .read_bytes
            .fetch_sub(read_bytes, Ordering::Relaxed);
        true
    }
}

impl Sealed {
    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, SealedError> {
        self.read(
            |_| self.readers.leaf_length_bytes,
            |tree| Ok(tree.get(key)?.map(|value| value.to_vec())),
        )
    }

    /// The pair of the largest key that is not larger than `key`.
    pub(crate) fn at_or_before(&self, key: &[u8]) -> Result<Option<Pair>, SealedError> {
        self.read(
            |_| self.readers.leaf_length_bytes,
            |tree| {
                let found = tree.range(..=key).next_back().transpose()?;
                Ok(found.map(|(key, value)| (key.to_vec(), value.to_vec())))
            },
        )
    }

    /// The pairs from `key` on, in order, at most so many.
    pub(crate) fn from(&self, key: &[u8], pairs_max: usize) -> Result<Vec<Pair>, SealedError> {
        self.read(
            |pairs: &Vec<Pair>| pairs.iter().map(|(_, value)| value.len()).sum(),
            |tree| {
                let pairs = tree.range(key..).take(pairs_max);
                let owned = pairs.map(|pair| pair.map(|(k, v)| (k.to_vec(), v.to_vec())));
                owned.collect()
            },
        )
    }

    /// [`Sealed::from`] for somebody who passes over everything once: what sled keeps of what was read is
    /// let go as soon as it is much.
    pub(crate) fn pass(&self, key: &[u8], pairs_max: usize) -> Result<Vec<Pair>, SealedError> {
        let pairs = self.from(key, pairs_max)?;
        if self.read_bytes.load(Ordering::Relaxed) >= PASS_READ_MAX_BYTES {
            self.shut(&mut self.lock());
        }
        Ok(pairs)
    }

    /// Opens the database, which the first look-up would do else. Costs some milliseconds.
    pub(crate) fn open(&self) -> Result<(), SealedError> {
        self.file().map(drop)
    }

    /// Removes the database as soon as nobody reads it any more: it is in no list.
    pub(crate) fn discard(&self) {
        self.discarded.store(true, Ordering::Relaxed);
    }

    /// Closes the database, unless somebody is reading from it, and returns what its files look like
    /// then, or nothing.
    pub(crate) fn let_go(&self) -> Vec<String> {
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

/// A database that is being written. Dropping it removes what was written.
pub(crate) struct SealedSink {
    directory: PathBuf,
    file: Option<SledFile>,
    readers: Arc<Readers>,
    /// What has a key in sled and no value yet, oldest first.
    waiting: VecDeque<Pair>,
    sealed: bool,
}

impl SealedSink {
    /// Begins a database in a directory that does not exist.
    pub(crate) fn new(directory: PathBuf, readers: &Arc<Readers>) -> Result<Self, SealedError> {
        files::make_directory(&directory)?;
        let mut sink = Self {
            directory,
            file: None,
            readers: Arc::clone(readers),
            waiting: VecDeque::new(),
            sealed: false,
        };
        let file = SledFile::open(&sink.directory, TREE, SLED_SEALED_CACHE_BYTES)?;
        sink.file = Some(file);
        Ok(sink)
    }

    /// Keeps a value. Keys have to come in order.
    ///
    /// The key goes in at once, and the value only when the key's leaf will not be split any more:
    /// sled writes a leaf anew when it splits it and with every tenth change, and does not give the
    /// room back. So each value is written once, where it would be written three times, and the file
    /// is half as long.
    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), SealedError> {
        self.insert(&key, &[])?;
        self.waiting.push_back((key, value));
        match self.waiting.len() > SLED_LEAF_KEYS_MAX {
            true => self.write_oldest(),
            false => Ok(()),
        }
    }

    fn write_oldest(&mut self) -> Result<(), SealedError> {
        match self.waiting.pop_front() {
            Some((key, value)) => self.insert(&key, &value),
            None => Ok(()),
        }
    }

    fn insert(&self, key: &[u8], value: &[u8]) -> Result<(), SealedError> {
        if let Some(file) = &self.file {
            file.with_tree("writing to sled", |tree| tree.insert(key, value))?;
        }
        Ok(())
    }

    /// Makes everything survive a loss of power. Returns the hash of its files.
    pub(crate) fn seal(mut self) -> Result<(FilesHash, Arc<Sealed>), SealedError> {
        while !self.waiting.is_empty() {
            self.write_oldest()?;
        }
        if let Some(file) = self.file.take() {
            file.sync()?;
            file.close()?;
        }
        // Sled ends its file in another way when it opens it, and writes a snapshot; the second time
        // that it opens it everything stays as it is.
        SledFile::open(&self.directory, TREE, SLED_SEALED_CACHE_BYTES)?.close()?;
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

/// The names of the files of a database, sorted. Anything else than files, but sled's empty folder for
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

/// The BLAKE3 of the names and contents of the files of a database. Costs reading them.
pub(crate) fn hash(directory: &Path) -> Result<FilesHash, SealedError> {
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

/// A line for each file of a database. See [`stamp`].
fn stamps(directory: &Path) -> io::Result<Vec<String>> {
    let names = file_names(directory)?.into_iter();
    names.map(|name| stamp(directory, &name)).collect()
}

/// A line that is another one once somebody wrote to a file of a directory, replaced it or changed its mode.
/// Where the system does not say when that was, no two are equal.
pub(crate) fn stamp(directory: &Path, name: &str) -> io::Result<String> {
    let about = fs::metadata(directory.join(name))?;
    #[cfg(unix)]
    let changed = {
        use std::os::unix::fs::MetadataExt;
        (about.ino(), about.ctime(), about.ctime_nsec())
    };
    #[cfg(not(unix))]
    let changed = ("unknown", directory, std::time::Instant::now());
    Ok(format!("{name} {} {changed:?}", about.len()))
}
