//! Generations of lists: a new one is made beside the one that is in use, and takes its place in one step.

use super::{Lists, ListsError, Rebuilt, RunSize};
use crate::files::{self, FileError, record::Record};
use crate::id::Position;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const TITLE: &str = "activation-ledger lists in use";
const FILE: &str = "current";

/// The lists of one log in a directory of their own: one generation in use, perhaps one that is being
/// made. Only one process has them open.
#[derive(Debug)]
pub struct Generations {
    directory: PathBuf,
    store_id: [u8; 16],
    made_by: String,
    size: RunSize,
    /// The number of the one in use.
    current: AtomicU64,
}

/// A generation that is being made.
pub struct Next {
    number: u64,
    /// Its lists.
    pub lists: Arc<Lists>,
}

impl Generations {
    /// Opens the generation in use, as [`Lists::open`] does, and removes what else was left there. What
    /// cannot be read counts as not being there: everything can be made again.
    pub fn open(
        directory: &Path,
        store_id: [u8; 16],
        made_by: &str,
        size: RunSize,
    ) -> Result<(Self, Lists, Option<Rebuilt>), ListsError> {
        if !directory.is_dir() {
            files::make_directory(directory)?;
            files::sync_directory(directory.parent().unwrap_or(directory))?;
        }
        let current = current(directory);
        let generations = Self {
            directory: directory.to_owned(),
            store_id,
            made_by: made_by.to_owned(),
            size,
            current: AtomicU64::new(current),
        };
        generations.remove_others()?;
        let (lists, rebuilt) = generations.lists(current)?;
        Ok((generations, lists, rebuilt))
    }

    /// Up to where the generation in use in a directory is kept, without opening it; or why it will be made
    /// again. Looks at its manifest only.
    pub fn kept_until(directory: &Path, made_by: &str) -> Result<Position, String> {
        let number = current(directory);
        super::kept_until(&directory.join(number.to_string()), made_by)
    }

    fn lists(&self, number: u64) -> Result<(Lists, Option<Rebuilt>), ListsError> {
        let directory = self.directory.join(number.to_string());
        Lists::open(&directory, self.store_id, &self.made_by, self.size)
    }

    /// Removes all but the generation in use.
    fn remove_others(&self) -> Result<(), ListsError> {
        let failed = |error| FileError::new("clearing", &self.directory, error);
        let in_use = self.current.load(Ordering::SeqCst).to_string();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if name == FILE || name == *in_use {
                continue;
            }
            let removed = match entry.file_type().map_err(failed)?.is_dir() {
                true => fs::remove_dir_all(entry.path()),
                false => fs::remove_file(entry.path()),
            };
            removed.map_err(failed)?;
        }
        Ok(())
    }

    /// Begins the next generation, empty. One at a time: what was made of another one is removed.
    pub fn begin(&self) -> Result<Next, ListsError> {
        self.remove_others()?;
        let number = self.current.load(Ordering::SeqCst).saturating_add(1);
        let (lists, _) = self.lists(number)?;
        let lists = Arc::new(lists);
        Ok(Next { number, lists })
    }

    /// Makes a generation the one that the next opening finds. `old` is the one that was in use: it can
    /// still be read, and its files go when nobody reads it any more.
    pub fn switch(&self, to: &Next, old: &Lists) -> Result<(), ListsError> {
        let mut record = Record::default();
        record.put("generation", to.number);
        let text = record.write(TITLE);
        files::replace(&self.directory.join(FILE), text.as_bytes())?;
        self.current.store(to.number, Ordering::SeqCst);
        old.discard();
        Ok(())
    }
}

/// The number of the generation in use.
fn current(directory: &Path) -> u64 {
    let text = fs::read_to_string(directory.join(FILE)).unwrap_or_default();
    let record = Record::read(TITLE, &text).ok();
    let number = record.and_then(|record| record.number("generation").ok());
    number.unwrap_or(1)
}
