//! Making what is on the disk cold again, for the files under one path only: other work on the
//! machine keeps its cache.

use crate::fault::{About, Outcome};
use rustix::fs::Advice;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The files of a path, opened, so that they can be made cold again and again.
pub struct Files(Vec<(PathBuf, File)>);

impl Files {
    /// Opens every file under a path.
    pub fn under(path: &Path) -> Outcome<Self> {
        let mut files = Vec::new();
        gather(path, &mut files)?;
        Ok(Self(files))
    }

    /// Drops the kernel's cache of them. What is not written yet is written first, or it would stay.
    pub fn drop_cache(&self) -> Outcome<()> {
        for (path, file) in &self.0 {
            file.sync_data().about(path)?;
            rustix::fs::fadvise(file, 0, None, Advice::DontNeed).about(path)?;
        }
        Ok(())
    }
}

fn gather(path: &Path, files: &mut Vec<(PathBuf, File)>) -> Outcome<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path).about(path)? {
            gather(&entry?.path(), files)?;
        }
    } else {
        files.push((path.to_owned(), File::open(path).about(path)?));
    }
    Ok(())
}
