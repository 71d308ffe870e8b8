//! The manifest: what a store is, and how it was left.

use super::FORMAT_VERSION;
use super::error::{PathDisplay, StoreError};
use crate::files::{self, record::Record};
use crate::id::{EventId, Position};
use crate::log::Epoch;
use crate::secret::PepperId;
use crate::time::Timestamp;
use std::fs;
use std::io;
use std::path::Path;

/// The name of the file, in the store's directory.
pub(crate) const FILE: &str = "manifest";

/// What a directory with a manifest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A store.
    Store,
    /// A backup of one.
    Backup,
}

impl Form {
    fn title(self) -> &'static str {
        match self {
            Self::Store => "activation-ledger store",
            Self::Backup => "activation-ledger backup",
        }
    }
}

/// The content of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) form: Form,
    pub(crate) store_id: [u8; 16],
    /// Counts how often the store was made anew from a backup or from what was left of it; 1 at first.
    pub(crate) incarnation: u32,
    pub(crate) engine: String,
    pub(crate) pepper: PepperId,
    pub(crate) created_at: Timestamp,
    /// The epoch of whoever wrote last.
    pub(crate) epoch: Epoch,
    /// How far the log is durable for certain; where it ends, after a clean close.
    pub(crate) reached: Position,
    /// Whether somebody has been writing since then.
    pub(crate) is_open: bool,
    /// The positions whose events are lost: first and last of each range, in order.
    pub(crate) lost: Vec<(Position, Position)>,
}

impl Manifest {
    fn text(&self) -> String {
        let mut record = Record::default();
        record.put("format", FORMAT_VERSION);
        record.put("store", EventId(self.store_id));
        record.put("incarnation", self.incarnation);
        record.put("engine", &self.engine);
        record.put("pepper", self.pepper);
        record.put("created-at-micros", self.created_at.as_micros());
        record.put("epoch", self.epoch);
        record.put("reached-position", self.reached);
        record.put("open", self.is_open);
        for (first, last) in &self.lost {
            record.put("lost", format_args!("{first} {last}"));
        }
        record.write(self.form.title())
    }

    /// Writes it so that it survives a loss of power.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), StoreError> {
        Ok(files::replace(
            &directory.join(FILE),
            self.text().as_bytes(),
        )?)
    }

    /// Reads that of a store, telling apart what is no store, another version and damage.
    pub(crate) fn read(directory: &Path) -> Result<Self, StoreError> {
        Self::read_form(directory, Form::Store)
    }

    /// Reads that of a store or of a backup.
    pub(crate) fn read_form(directory: &Path, form: Form) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if is_missing(&error) => return Err(missing(directory)),
            Err(error) => return Err(StoreError::io("reading", &path, error)),
        };
        let mut lines = text.lines();
        let path = PathDisplay(path);
        match lines.next() {
            Some(title) if title == form.title() => {}
            Some(title) if title == Form::Backup.title() => {
                let path = PathDisplay::from(directory);
                return Err(StoreError::IsBackup { path });
            }
            Some(title) if title == Form::Store.title() => {
                let path = PathDisplay::from(directory);
                return Err(StoreError::NotABackup { path });
            }
            _ => {
                let reason = "it is not the manifest of a store".to_owned();
                return Err(StoreError::DamagedManifest { path, reason });
            }
        }
        // A later version may check itself otherwise, so its number is looked at first.
        let format = lines.next().and_then(|line| line.strip_prefix("format "));
        match format {
            Some(found) if found != FORMAT_VERSION.to_string() && is_number(found) => {
                Err(StoreError::OtherVersion {
                    path: PathDisplay::from(directory),
                    found: found.to_owned(),
                    known: FORMAT_VERSION,
                })
            }
            _ => Self::parse(&text, form)
                .map_err(|reason| StoreError::DamagedManifest { path, reason }),
        }
    }

    fn parse(text: &str, form: Form) -> Result<Self, String> {
        let record = Record::read(form.title(), text)?;
        let store_id = EventId::parse(record.get("store")?).ok_or("`store` is no id")?;
        let created_at = record.get("created-at-micros")?.parse();
        let created_at = created_at.map_err(|_| "`created-at-micros` is no number")?;
        let incarnation = record.get("incarnation")?.parse();
        let lost = record.all("lost").map(|range| {
            let (first, last) = range.split_once(' ')?;
            Some((Position(first.parse().ok()?), Position(last.parse().ok()?)))
        });
        Ok(Self {
            form,
            store_id: store_id.0,
            incarnation: incarnation.map_err(|_| "`incarnation` is no number")?,
            engine: record.get("engine")?.to_owned(),
            pepper: PepperId::parse(record.get("pepper")?).ok_or("`pepper` is no pepper")?,
            created_at: Timestamp::from_micros(created_at),
            epoch: Epoch(record.number("epoch")?),
            reached: Position(record.number("reached-position")?),
            is_open: record.get("open")? == "true",
            lost: lost
                .collect::<Option<_>>()
                .ok_or("a `lost` line has no bounds")?,
        })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether nothing is there, or what is there is a file.
fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// Why there is no manifest.
fn missing(directory: &Path) -> StoreError {
    let path = PathDisplay::from(directory);
    match fs::metadata(directory) {
        Err(error) => StoreError::io("opening", directory, error),
        Ok(metadata) if metadata.is_file() => StoreError::IsFile { path },
        // The store's own directories without a manifest: it was there once.
        Ok(_) if directory.join("log").is_dir() && directory.join("lock").is_file() => {
            StoreError::DamagedManifest {
                path: PathDisplay(directory.join(FILE)),
                reason: "it is missing".to_owned(),
            }
        }
        Ok(_) => StoreError::NotAStore { path },
    }
}
