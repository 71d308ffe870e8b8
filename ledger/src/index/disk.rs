//! The index on disk: chunks in sled, and a manifest beside it that says up to where they hold.
//!
//! The manifest is written only after the chunks that it covers were synced. Whatever is doubtful is
//! thrown away: all of it can be built from the log.

use super::chunks::{Chunk, ChunkStore};
use super::run::Run;
use super::{Index, IndexError, RunSize};
use crate::files::{self, FileError, record::Record};
use crate::id::{EventId, Position};
use crate::log::LogError;
use crate::log::sled_file::{SledFile, guard};
use std::fs;
use std::path::{Path, PathBuf};

const TITLE: &str = "activation-ledger index";
const FORMAT_VERSION: u64 = 1;
const MANIFEST_FILE: &str = "manifest";

impl From<FileError> for IndexError {
    fn from(error: FileError) -> Self {
        Self::Failed {
            doing: "keeping the index",
            reason: error.to_string(),
        }
    }
}

impl From<LogError> for IndexError {
    fn from(error: LogError) -> Self {
        Self::Failed {
            doing: "keeping the index",
            reason: error.to_string(),
        }
    }
}

/// Up to where the index in a directory says that its log was durable; 0 if it says nothing.
pub(crate) fn watermark(directory: &Path, store_id: [u8; 16]) -> Position {
    let runs = read_manifest(directory, store_id).unwrap_or_default();
    runs.last().map_or(Position(0), |run| run.last)
}

/// Why what the index says of itself does not hold; `None` if it does. Looks at its manifest only.
pub(crate) fn doubt(directory: &Path, store_id: [u8; 16]) -> Option<String> {
    read_manifest(directory, store_id).err()
}

/// Opens the index in a directory, or an empty one if there is none or it is doubtful.
pub(crate) fn open(
    directory: &Path,
    store_id: [u8; 16],
    size: RunSize,
) -> Result<Index, IndexError> {
    match open_present(directory, store_id) {
        Ok(Some((chunks, runs))) => return Ok(Index::over(Box::new(chunks), runs, size)),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "the index is built again"),
    }
    let removed = match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    removed.map_err(|error| FileError::new("removing", directory, error))?;
    files::make_directory(directory)?;
    files::make_directory(&directory.join("sled"))?;
    let chunks = SledChunks::open(directory, store_id)?;
    files::sync_directory(directory)?;
    chunks.commit(&[])?;
    Ok(Index::over(Box::new(chunks), Vec::new(), size))
}

/// The index that is there, if it holds as far as can be told without reading all of it.
fn open_present(
    directory: &Path,
    store_id: [u8; 16],
) -> Result<Option<(SledChunks, Vec<Run>)>, IndexError> {
    if !directory.exists() {
        return Ok(None);
    }
    let runs = read_manifest(directory, store_id).map_err(IndexError::damaged)?;
    let mut next = Position(1);
    for run in &runs {
        if run.first != next || run.last < run.first {
            return Err(IndexError::damaged("its runs do not follow each other"));
        }
        next = run.last.next();
    }
    let chunks = SledChunks::open(directory, store_id)?;
    chunks.discard_from(next)?;
    for run in &runs {
        run.check(&chunks)?;
    }
    Ok(Some((chunks, runs)))
}

fn read_manifest(directory: &Path, store_id: [u8; 16]) -> Result<Vec<Run>, String> {
    let text = fs::read_to_string(directory.join(MANIFEST_FILE));
    let record = Record::read(TITLE, &text.map_err(|error| error.to_string())?)?;
    if record.number("format")? != FORMAT_VERSION {
        return Err("it has another format".to_owned());
    }
    if record.get("store")? != EventId(store_id).to_string() {
        return Err("it belongs to another store".to_owned());
    }
    let runs = record.all("run").map(|run| {
        let (first, last) = run.split_once(' ')?;
        Some(Run {
            first: Position(first.parse().ok()?),
            last: Position(last.parse().ok()?),
        })
    });
    let runs = runs.collect::<Option<Vec<_>>>();
    runs.ok_or_else(|| "a run of it has no bounds".to_owned())
}

/// Chunks in sled.
struct SledChunks {
    file: SledFile,
    directory: PathBuf,
    store_id: [u8; 16],
}

impl SledChunks {
    fn open(directory: &Path, store_id: [u8; 16]) -> Result<Self, IndexError> {
        Ok(Self {
            file: SledFile::open(&directory.join("sled"), "chunks")?,
            directory: directory.to_owned(),
            store_id,
        })
    }

    /// Removes the chunks of a run that was being written when the process was stopped.
    fn discard_from(&self, first: Position) -> Result<(), IndexError> {
        let tree = self.file.tree();
        Ok(guard("discarding", || {
            for key in tree.range(first.0.to_be_bytes()..).keys() {
                tree.remove(key?)?;
            }
            Ok(())
        })?)
    }
}

impl ChunkStore for SledChunks {
    fn at_or_before(&self, key: &[u8]) -> Result<Option<Chunk>, IndexError> {
        let tree = self.file.tree();
        let found = guard("reading", || tree.range(..=key).next_back().transpose())?;
        Ok(found.map(|(key, value)| (key.to_vec(), value.to_vec())))
    }

    fn put(&self, chunks: Vec<Chunk>) -> Result<(), IndexError> {
        let tree = self.file.tree();
        Ok(guard("writing", || {
            for (key, value) in chunks {
                tree.insert(key, value)?;
            }
            Ok(())
        })?)
    }

    fn commit(&self, runs: &[Run]) -> Result<(), IndexError> {
        self.file.sync()?;
        let mut record = Record::default();
        record.put("format", FORMAT_VERSION);
        record.put("store", EventId(self.store_id));
        for run in runs {
            record.put("run", format_args!("{} {}", run.first, run.last));
        }
        let text = record.write(TITLE);
        Ok(files::replace(
            &self.directory.join(MANIFEST_FILE),
            text.as_bytes(),
        )?)
    }

    fn distrust(&self) {
        // If it cannot be removed, the next opening finds the same damage and comes here again.
        drop(fs::remove_file(self.directory.join(MANIFEST_FILE)));
    }
}
