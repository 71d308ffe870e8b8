//! The checkpoints that a store keeps: files of their own, because nothing else could say again what
//! was once signed.

use super::checkpoint::{CheckpointError, SignedCheckpoint};
use super::key::{KeyError, VerifierKey};
use super::leaf::TreeSize;
use super::text;
use crate::files::{self, FileError};
use crate::limits::NOTE_LENGTH_MAX_BYTES;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

const FOLDER: &str = "checkpoints";
const KEY_FILE: &str = "key";
const SIZE_MARK: &str = "size-";

/// The folder of a store's checkpoints and of the key that checks them. Only whoever has the store
/// open may write here.
#[derive(Debug, Clone)]
pub struct CheckpointFolder {
    path: PathBuf,
}

/// Why checkpoints cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The operating system could not do it.
    #[error("{doing} {} failed: {error}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// A file is no checkpoint.
    #[error("{} does not hold: {error}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: CheckpointError,
    },
    /// A file has the name of another size than its checkpoint.
    #[error("{} is a checkpoint of {found} events", path.display())]
    OtherSize {
        /// The file.
        path: PathBuf,
        /// The size in it.
        found: TreeSize,
    },
    /// The file of the key holds none.
    #[error("{} holds no verifier key: {error}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: KeyError,
    },
    /// Another key is kept already.
    #[error("{} is the key of another signing key", path.display())]
    OtherKey {
        /// The file.
        path: PathBuf,
    },
    /// Another root is signed for that size: the log has two histories.
    #[error("another root was signed for {size} events before")]
    OtherRoot {
        /// The size.
        size: TreeSize,
    },
}

impl From<FileError> for FolderError {
    fn from(FileError { doing, path, error }: FileError) -> Self {
        Self::Io { doing, path, error }
    }
}

impl FolderError {
    /// Whether what is stored is not what was written.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Io { .. } => false,
            Self::Checkpoint { .. }
            | Self::OtherSize { .. }
            | Self::Key { .. }
            | Self::OtherKey { .. }
            | Self::OtherRoot { .. } => true,
        }
    }
}

impl CheckpointFolder {
    /// The folder in a store's directory. It need not be there.
    pub fn of(store: &Path) -> Self {
        let path = store.join(FOLDER);
        Self { path }
    }

    /// The verifier key that was left here when the store was made. Whoever can write to the store
    /// can change it: to find out whether the whole store was replaced, a copy from elsewhere is needed.
    pub fn key(&self) -> Result<Option<VerifierKey>, FolderError> {
        let path = self.path.join(KEY_FILE);
        let Some(text) = read(&path)? else {
            return Ok(None);
        };
        let key = VerifierKey::parse(text.trim_end_matches('\n'));
        key.map(Some)
            .map_err(|error| FolderError::Key { path, error })
    }

    /// Leaves the verifier key, durably. Refused if another one is there.
    pub fn put_key(&self, key: &VerifierKey) -> Result<(), FolderError> {
        match self.key()? {
            Some(kept) if kept == *key => Ok(()),
            Some(_) => Err(FolderError::OtherKey {
                path: self.path.join(KEY_FILE),
            }),
            None => self.write(KEY_FILE, &format!("{key}\n")),
        }
    }

    /// Every checkpoint, the smallest first; their signatures are not checked. Costs a file each.
    pub fn checkpoints(&self) -> Result<Vec<SignedCheckpoint>, FolderError> {
        let mut sizes = self.sizes()?;
        sizes.sort_unstable();
        let checkpoints = sizes.into_iter().map(|size| self.checkpoint(size));
        checkpoints.filter_map(Result::transpose).collect()
    }

    /// The file of the checkpoint of a size.
    pub fn path_of(&self, size: TreeSize) -> PathBuf {
        self.path.join(file_name(size))
    }

    /// The checkpoint of a size, if one was kept; its signature is not checked.
    pub fn checkpoint(&self, size: TreeSize) -> Result<Option<SignedCheckpoint>, FolderError> {
        let path = self.path_of(size);
        let Some(text) = read(&path)? else {
            return Ok(None);
        };
        let found = match SignedCheckpoint::parse(&text) {
            Ok(found) => found,
            Err(error) => return Err(FolderError::Checkpoint { path, error }),
        };
        match found.checkpoint().size {
            said if said == size => Ok(Some(found)),
            found => Err(FolderError::OtherSize { path, found }),
        }
    }

    /// Keeps a checkpoint, durably. One that says the same is left as it is; if there is one of the
    /// same size with another root, this is refused.
    pub fn put(&self, signed: &SignedCheckpoint) -> Result<(), FolderError> {
        let new = signed.checkpoint();
        match self.checkpoint(new.size)? {
            Some(kept) if kept.checkpoint() == new => Ok(()),
            Some(_) => Err(FolderError::OtherRoot { size: new.size }),
            None => self.write(&file_name(new.size), &signed.to_string()),
        }
    }

    /// How far the log had reached when the last checkpoint was signed, 0 if there is none. By the
    /// names of the files alone, so that a store can ask this whenever it is opened.
    pub(crate) fn reached(&self) -> Result<TreeSize, FileError> {
        Ok(self.sizes()?.into_iter().max().unwrap_or_default())
    }

    /// In no order. What else lies in the folder is passed over: remains of a write that was killed.
    fn sizes(&self) -> Result<Vec<TreeSize>, FileError> {
        let failed = |error| FileError::new("listing", &self.path, error);
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut sizes = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(SIZE_MARK));
            sizes.extend(number.and_then(text::number).map(TreeSize));
        }
        Ok(sizes)
    }

    fn write(&self, name: &str, content: &str) -> Result<(), FolderError> {
        if !self.path.is_dir() {
            files::make_directory(&self.path)?;
            if let Some(store) = self.path.parent() {
                files::sync_directory(store)?;
            }
        }
        Ok(files::replace(&self.path.join(name), content.as_bytes())?)
    }
}

fn file_name(size: TreeSize) -> String {
    format!("{SIZE_MARK}{size}")
}

/// The text of a file; `None` if there is none. Reads no more than a note may have, and what is no
/// text becomes none of the forms.
fn read(path: &Path) -> Result<Option<String>, FolderError> {
    let failed = |error| FolderError::from(FileError::new("reading", path, error));
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(failed)?,
    };
    let mut bytes = Vec::new();
    let mut file = file.take(NOTE_LENGTH_MAX_BYTES as u64 + 1);
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
