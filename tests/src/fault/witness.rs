//! What was acknowledged, noted outside the store.

use ledger::id::Position;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a victim saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The store was opened and showed events up to a position: they count as acknowledged.
    Served {
        /// The position.
        end: Position,
    },
    /// An append was acknowledged.
    Acknowledged {
        /// Its number.
        append: usize,
        /// The digest of its events.
        digest: String,
    },
    /// Something was refused because of a fault.
    Refused {
        /// What was said.
        what: String,
    },
    /// An answer that no fault allows.
    Wrong {
        /// What.
        what: String,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Served { end } => write!(f, "served {end}"),
            Self::Acknowledged { append, digest } => write!(f, "acknowledged {append} {digest}"),
            Self::Refused { what } => write!(f, "refused {}", what.replace('\n', " ")),
            Self::Wrong { what } => write!(f, "wrong {}", what.replace('\n', " ")),
        }
    }
}

impl Note {
    fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once(' ')?;
        let what = rest.to_owned();
        Some(match name {
            "served" => Self::Served {
                end: Position(rest.parse().ok()?),
            },
            "acknowledged" => {
                let (append, digest) = rest.split_once(' ')?;
                Self::Acknowledged {
                    append: append.parse().ok()?,
                    digest: digest.to_owned(),
                }
            }
            "refused" => Self::Refused { what },
            "wrong" => Self::Wrong { what },
            _ => return None,
        })
    }
}

/// Writes notes, each synced before the next thing happens.
pub struct Witness {
    file: File,
    /// The trace whose length says when something was noted.
    trace: Option<PathBuf>,
}

impl Witness {
    /// Goes on with a witness, or begins one.
    pub fn open(path: &Path, trace: Option<PathBuf>) -> Self {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.expect("the witness can be written");
        Self { file, trace }
    }

    /// How long the trace is now: to be asked as soon as there is something to note.
    pub fn now(&self) -> u64 {
        let trace = self.trace.as_ref().map(fs::metadata);
        trace.and_then(Result::ok).map_or(0, |trace| trace.len())
    }

    /// Notes what happened when the trace was so long.
    pub fn note(&mut self, at: u64, note: &Note) {
        let line = format!("{at} {note}\n");
        let written = self.file.write_all(line.as_bytes());
        written.expect("the witness can be written");
        self.file.sync_data().expect("the witness can be synced");
    }
}

/// The notes of a witness that were made while its trace was no longer than `until`.
pub fn read(path: &Path, until: u64) -> Vec<Note> {
    let text = fs::read_to_string(path).unwrap_or_default();
    // A line that a kill cut was not made.
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let noted = whole.lines().map(|line| {
        let (at, note) = line.split_once(' ').expect("a note begins with a length");
        let note = Note::parse(note).expect("a note is one that was written");
        (at.parse::<u64>().expect("a length is a number"), note)
    });
    noted
        .filter(|(at, _)| *at <= until)
        .map(|(_, note)| note)
        .collect()
}

/// The lengths of the trace at which something was noted.
pub fn moments(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lengths = text
        .lines()
        .filter_map(|line| line.split_once(' ')?.0.parse().ok());
    lengths.collect()
}
