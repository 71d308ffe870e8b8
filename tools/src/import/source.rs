//! Which sources an import reads: files, folders of files, and standard input.
//!
//! Every source is read twice, so standard input and everything else that cannot be read again, such
//! as a pipe, is first copied to a private temporary file that disappears with the process.

use super::Importer;
use super::input::{Input, unreadable};
use crate::error::Failure;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Seek, copy};
use std::path::{Path, PathBuf};

/// How deep folders may lie in each other.
const FOLDER_DEPTH_MAX: usize = 32;

/// A source that can be read again and again.
pub struct Source {
    /// How it is called in messages.
    pub shown: String,
    /// Its path, where it has one; may hold what must not be printed.
    pub path: Option<PathBuf>,
    /// How long it was when it was found.
    pub length_bytes: u64,
    spooled: Option<File>,
}

impl Source {
    /// Opens it at its beginning.
    pub fn open(&self) -> Result<Input, Failure> {
        let fail = |error: std::io::Error| unreadable(&self.shown, &error);
        let file = match (&self.spooled, &self.path) {
            (Some(file), _) => {
                let mut again = file.try_clone().map_err(fail)?;
                again.rewind().map_err(fail)?;
                again
            }
            (None, Some(path)) => File::open(path).map_err(fail)?,
            (None, None) => {
                let hint = "this is a mistake in the program; please report it";
                return Err(Failure::new(
                    "cannot read a source",
                    "it has no content",
                    hint,
                ));
            }
        };
        Ok(Input::new(self.shown.clone(), self.path.clone(), file))
    }

    fn spool(shown: String, path: Option<PathBuf>, from: &mut dyn Read) -> Result<Self, Failure> {
        let fail = |error: std::io::Error| unreadable(&shown, &error);
        let mut file = tempfile::tempfile().map_err(fail)?;
        let length_bytes = copy(from, &mut file).map_err(fail)?;
        Ok(Self {
            shown,
            path,
            length_bytes,
            spooled: Some(file),
        })
    }
}

/// Finds the sources that some paths name, in a fixed order: `-` is `stdin`, a folder is all files in
/// it with one of the importer's endings, sorted by path.
pub fn find(
    paths: &[PathBuf],
    importer: &dyn Importer,
    stdin: &mut dyn Read,
) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            sources.push(Source::spool("(standard input)".to_owned(), None, stdin)?);
            continue;
        }
        let shown = importer.shown(path);
        let metadata = fs::metadata(path).map_err(|error| unreadable(&shown, &error))?;
        if metadata.is_dir() {
            let files = files_in(path, importer)?;
            for file in files {
                sources.push(of_file(&file, importer, sources.len() + 1)?);
            }
        } else {
            sources.push(of_file(path, importer, sources.len() + 1)?);
        }
    }
    Ok(sources)
}

/// A file is known by its number as well where its name is not shown.
fn of_file(path: &Path, importer: &dyn Importer, number: usize) -> Result<Source, Failure> {
    let shown = match importer.names_are_clear() {
        true => importer.shown(path),
        false => format!("{} (file {number})", importer.shown(path)),
    };
    let fail = |error: std::io::Error| unreadable(&shown, &error);
    let mut file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if !metadata.is_file() {
        return Source::spool(shown, Some(path.to_owned()), &mut file);
    }
    Ok(Source {
        length_bytes: metadata.len(),
        shown,
        path: Some(path.to_owned()),
        spooled: None,
    })
}

fn files_in(folder: &Path, importer: &dyn Importer) -> Result<Vec<PathBuf>, Failure> {
    let info = importer.info();
    let mut files = Vec::new();
    collect(folder, importer, FOLDER_DEPTH_MAX, &mut files)?;
    files.sort();
    if files.is_empty() {
        return Err(Failure::new(
            format!("cannot import from the folder {}", importer.shown(folder)),
            format!(
                "it holds no file with the ending .{}",
                info.extensions.join(" or .")
            ),
            "name the files one by one, or choose another importer with --from",
        ));
    }
    Ok(files)
}

/// Links to folders are not followed, so that a circle of links ends.
fn collect(
    folder: &Path,
    importer: &dyn Importer,
    depth: usize,
    files: &mut Vec<PathBuf>,
) -> Result<(), Failure> {
    let fail = |error: std::io::Error| unreadable(&importer.shown(folder), &error);
    for entry in fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let path = entry.path();
        let kind = entry.file_type().map_err(fail)?;
        if kind.is_dir() && depth > 0 {
            collect(&path, importer, depth - 1, files)?;
        } else if !kind.is_dir() && has_ending(&path, importer) && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn has_ending(path: &Path, importer: &dyn Importer) -> bool {
    let ending = path.extension().and_then(OsStr::to_str);
    ending.is_some_and(|ending| {
        let endings = importer.info().extensions.iter();
        endings.copied().any(|one| one.eq_ignore_ascii_case(ending))
    })
}
