//! Runs on disk: in sled, one directory each, and a manifest beside them that lists those that count.
//!
//! The manifest is written only after the runs that it lists were synced. A run counts only if its
//! files are what they were when it was sealed; what is doubtful is thrown away, with all runs after
//! it, since all of it can be built from the log.

use super::IsRun;
use super::filter::Kept;
use super::keep::{Chunk, Chunks, RunHash, Shelf, Sink};
use super::tend::Core;
use super::{Material, Rebuilt, RunError, RunInfo, RunSize};
use crate::files::{self, FileError, record::Record};
use crate::id::{EventId, Position};
use crate::limits::{RUNS_READ_MAX_BYTES, SLED_LEAF_LENGTH_BYTES};
use crate::sealed::{Readers, Sealed, SealedError, SealedSink, Seen};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What kind of runs a folder has. Runs of any other form are made again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form<'a> {
    /// What they are together, for the log.
    pub(crate) what: &'static str,
    /// The first line of the manifest.
    pub(crate) title: &'static str,
    /// The first line of the file that says what the files looked like.
    pub(crate) seen_title: &'static str,
    /// The version of what is in the runs.
    pub(crate) format: u64,
    /// What else they were made by, if anything: one line.
    pub(crate) made_by: Option<&'a str>,
}

const MANIFEST_FILE: &str = "manifest";

impl From<FileError> for RunError {
    fn from(error: FileError) -> Self {
        Self::Failed {
            doing: "keeping what is derived from the log",
            reason: error.to_string(),
        }
    }
}

impl From<SealedError> for RunError {
    fn from(error: SealedError) -> Self {
        Self::Failed {
            doing: "keeping what is derived from the log",
            reason: error.to_string(),
        }
    }
}

/// Opens the runs in a directory as far as they can be trusted; what is missing has to be added again.
/// Says why, if that is more than what comes after the last run. Costs a look at each file, and reading
/// those that are not as the last clean close left them.
pub(crate) fn open<M: Material>(
    directory: &Path,
    store_id: [u8; 16],
    form: Form<'_>,
    size: RunSize,
) -> Result<(Core<M>, Option<Rebuilt>), RunError> {
    let (listed, mut reason) = match read_manifest(directory, Some(store_id), form) {
        Ok(runs) => (runs, None),
        Err(reason) => (Vec::new(), Some(reason)),
    };
    let shelf = DiskShelf::new(directory, store_id, form);
    let kept = Kept::default();
    let mut runs = Vec::new();
    let seen = Seen::read(directory, form.seen_title);
    let mut next = Position(1);
    for info in listed {
        let trusted = match info.first == next && info.first <= info.last {
            true => shelf.trust(&info, &seen),
            false => Err(RunError::damaged("its runs do not follow each other")),
        };
        match trusted {
            Ok(sealed) => runs.push(Arc::new(M::run(store_id, info, sealed, &kept))),
            Err(error) => {
                reason = Some(error.to_string());
                break;
            }
        }
        next = info.last.next();
    }
    let infos: Vec<_> = runs.iter().map(|run| *run.info()).collect();
    let rebuilt = reason.map(|reason| Rebuilt {
        reason,
        kept: infos.last().map_or(Position(0), |run| run.last),
    });
    if let Some(rebuilt) = &rebuilt {
        tracing::warn!(reason = rebuilt.reason, kept = %rebuilt.kept, "{} is built again", form.what);
        if !directory.is_dir() {
            files::make_directory(directory)?;
        }
        shelf.commit(&infos)?;
    }
    remove_others(directory, &infos)?;
    let core = Core::new(Box::new(shelf), store_id, runs, size, kept);
    Ok((core, rebuilt))
}

/// Removes what is in no list: runs that were being written or that were merged, and what other
/// versions left.
fn remove_others(directory: &Path, runs: &[RunInfo]) -> Result<(), RunError> {
    let failed = |error| FileError::new("clearing", directory, error);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let is_listed = |run: &RunInfo| entry.file_name() == *run_name(run.number);
        let is_ours = entry.file_name() == MANIFEST_FILE || Seen::is_file(&entry.file_name());
        if is_ours || runs.iter().any(is_listed) {
            continue;
        }
        let is_directory = entry.file_type().map_err(failed)?.is_dir();
        let removed = match is_directory {
            true => fs::remove_dir_all(entry.path()),
            false => fs::remove_file(entry.path()),
        };
        removed.map_err(failed)?;
    }
    Ok(())
}

fn run_name(number: u64) -> String {
    format!("run-{number}")
}

/// The runs that are listed in a directory, of a store or of any.
pub(crate) fn read_manifest(
    directory: &Path,
    store_id: Option<[u8; 16]>,
    form: Form<'_>,
) -> Result<Vec<RunInfo>, String> {
    let text =
        fs::read_to_string(directory.join(MANIFEST_FILE)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "there is none".to_owned(),
            _ => error.to_string(),
        });
    let record = Record::read(form.title, &text?)?;
    if record.number("format")? != form.format {
        return Err("it has another format".to_owned());
    }
    if record.all("made-by").next() != form.made_by {
        return Err("it was made by another version".to_owned());
    }
    let is_of = record.get("store")?;
    if store_id.is_some_and(|id| EventId(id).to_string() != is_of) {
        return Err("it belongs to another store".to_owned());
    }
    let runs = record.all("run").map(read_run).collect::<Option<Vec<_>>>();
    runs.ok_or_else(|| "a line of a run of it cannot be read".to_owned())
}

fn read_run(line: &str) -> Option<RunInfo> {
    let mut words = line.split(' ');
    let hash = words.next_back()?;
    let mut number = || words.next()?.parse::<u64>().ok();
    let run = RunInfo {
        number: number()?,
        first: Position(number()?),
        last: Position(number()?),
        subjects: number()?,
        filter_subjects: number()?,
        hash: *blake3::Hash::from_hex(hash).ok()?.as_bytes(),
    };
    words.next().is_none().then_some(run)
}

fn write_run(run: &RunInfo) -> String {
    let RunInfo {
        number,
        first,
        last,
        subjects,
        filter_subjects,
        hash,
    } = run;
    let hash = blake3::Hash::from_bytes(*hash).to_hex();
    format!("{number} {first} {last} {subjects} {filter_subjects} {hash}")
}

/// Runs in directories of their own.
pub(crate) struct DiskShelf {
    directory: PathBuf,
    title: &'static str,
    seen_title: &'static str,
    format: u64,
    made_by: Option<String>,
    store_id: [u8; 16],
    readers: Arc<Readers>,
}

impl DiskShelf {
    pub(crate) fn new(directory: &Path, store_id: [u8; 16], form: Form<'_>) -> Self {
        Self {
            directory: directory.to_owned(),
            title: form.title,
            seen_title: form.seen_title,
            format: form.format,
            made_by: form.made_by.map(str::to_owned),
            store_id,
            readers: Readers::new(RUNS_READ_MAX_BYTES, SLED_LEAF_LENGTH_BYTES),
        }
    }

    /// The run of an entry of the manifest, if its files are what they were.
    fn trust(&self, info: &RunInfo, seen: &Seen) -> Result<Arc<Sealed>, RunError> {
        let name = run_name(info.number);
        let directory = self.directory.join(&name);
        if !directory.is_dir() {
            return Err(RunError::damaged(format!("{name} is missing")));
        }
        if !seen.is_whole(info.number, &directory, &info.hash)? {
            return Err(RunError::damaged(format!("{name} is not what was written")));
        }
        Ok(Sealed::new(directory, &self.readers))
    }
}

impl Shelf for DiskShelf {
    fn create(&self, number: u64) -> Result<Box<dyn Sink>, RunError> {
        let directory = self.directory.join(run_name(number));
        let sink = SealedSink::new(directory, &self.readers)?;
        Ok(Box::new(sink))
    }

    fn commit(&self, runs: &[RunInfo]) -> Result<(), RunError> {
        let mut record = Record::default();
        record.put("format", self.format);
        record.put("store", EventId(self.store_id));
        if let Some(made_by) = &self.made_by {
            record.put("made-by", made_by);
        }
        for run in runs {
            record.put("run", write_run(run));
        }
        let text = record.write(self.title);
        let path = self.directory.join(MANIFEST_FILE);
        Ok(files::replace(&path, text.as_bytes())?)
    }

    fn distrust(&self) {
        // If it cannot be removed, the next opening finds the same damage and comes here again.
        drop(fs::remove_file(self.directory.join(MANIFEST_FILE)));
    }

    fn close(&self, runs: &[(u64, Vec<String>)]) {
        let mut seen = Seen::default();
        for (number, stamps) in runs {
            seen.note(*number, stamps.clone());
        }
        seen.write(&self.directory, self.seen_title);
    }
}

impl Chunks for Sealed {
    fn at_or_before(&self, key: &[u8]) -> Result<Option<Chunk>, RunError> {
        Ok(Self::at_or_before(self, key)?)
    }

    fn from(&self, key: &[u8], chunks_max: usize) -> Result<Vec<Chunk>, RunError> {
        Ok(Self::from(self, key, chunks_max)?)
    }

    fn pass(&self, key: &[u8], chunks_max: usize) -> Result<Vec<Chunk>, RunError> {
        Ok(Self::pass(self, key, chunks_max)?)
    }

    fn open(&self) -> Result<(), RunError> {
        Ok(Self::open(self)?)
    }

    fn discard(&self) {
        Self::discard(self);
    }

    fn let_go(&self) -> Vec<String> {
        Self::let_go(self)
    }
}

impl Sink for SealedSink {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), RunError> {
        Ok(Self::put(self, key, value)?)
    }

    fn seal(self: Box<Self>) -> Result<(RunHash, Arc<dyn Chunks>), RunError> {
        let (hash, sealed) = Self::seal(*self)?;
        Ok((hash, sealed))
    }
}
