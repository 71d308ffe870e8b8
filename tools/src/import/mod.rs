//! Importers: what reads the records of one kind of source.
//!
//! An importer is one file and one line in [`IMPORTERS`]; the contract tests run over that list. It
//! turns a source into facts and appends nothing: [`passes`] reads every source twice, and only the
//! second time are facts handed on.

pub mod input;
pub mod jsonl;
pub mod locate;
pub mod ospp;
pub mod passes;
pub mod source;
pub mod translate;

use crate::error::Failure;
use crate::privacy::shown_path;
use input::Input;
use ledger::event::Fact;
use ledger::event::field::FieldError;
use ledger::secret::Keyring;
use ledger::time::Occurred;
use std::path::Path;

/// Every importer.
pub const IMPORTERS: &[&dyn Importer] = &[&jsonl::Jsonl, &ospp::Ospp];

/// What is known of an importer.
#[derive(Debug, Clone, Copy)]
pub struct Info {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it reads.
    pub about: &'static str,
    /// The endings of the files that it takes from a folder, without the dot.
    pub extensions: &'static [&'static str],
    /// Whether it takes what the source itself does not say, see [`Given`].
    pub takes_given: bool,
}

/// What a source does not say itself and the caller knows.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// What turns an export of another ledger back into what was said.
    pub translator: Option<std::sync::Arc<translate::Translator>>,
    /// The machine's name.
    pub machine: Option<String>,
    /// The address of the user who was signed in.
    pub user: Option<String>,
    /// When the source was observed.
    pub observed_at: Option<Occurred>,
}

impl Given {
    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        self.machine.is_none() && self.user.is_none() && self.observed_at.is_none()
    }
}

/// One record of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line that it stands on, or begins on; the first is 1.
    pub line: u64,
    /// What it says.
    pub fact: Fact,
}

/// Why a record, or a whole source, cannot be read. Never holds the refused text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line; absent if it is about the whole source.
    pub line: Option<u64>,
    /// The byte of the line, the first being 1.
    pub column: Option<u64>,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub hint: String,
}

impl Refusal {
    /// The whole source is refused.
    pub fn whole(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            line: None,
            column: None,
            reason: reason.into(),
            hint: hint.into(),
        }
    }

    /// A place in a source is refused.
    pub fn at(line: u64, column: u64, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            column: Some(column),
            reason: reason.into(),
            hint: hint.into(),
        }
    }

    /// A field is refused. Names that are no field names of the ledger's kind are not repeated: they
    /// come from the source, so they could be anything.
    pub fn field(line: u64, column: u64, error: &FieldError) -> Self {
        let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let names = error.path.iter().map(|name| match plain(name) {
            true => name.as_str(),
            false => "(a name that is not shown)",
        });
        let reason = match error.path.is_empty() {
            true => format!("the record {}", error.reason),
            false => format!("{} {}", names.collect::<Vec<_>>().join("."), error.reason),
        };
        let hint = error.hint.as_deref();
        let hint = hint.unwrap_or("`actl schema events` describes every field");
        Self::at(line, column, reason, hint)
    }

    /// The place, as people write it: `line 3, column 17`, or nothing.
    pub fn place(&self) -> String {
        match (self.line, self.column) {
            (Some(line), Some(column)) => format!(", line {line}, column {column}"),
            (Some(line), None) => format!(", line {line}"),
            _ => String::new(),
        }
    }
}

/// Takes records and refusals in the order of the source. An error stops the reading.
pub type Sink<'s> = dyn FnMut(Result<Record, Refusal>, &Input) -> Result<(), Failure> + 's;

/// Reads the records of one kind of source.
pub trait Importer: Sync {
    /// What is known of it.
    fn info(&self) -> Info;

    /// How a file's path is printed; an importer whose file names hold secrets hides them.
    fn shown(&self, path: &Path) -> String {
        shown_path(path)
    }

    /// Whether file names may be stored, sealed; not where they say whose the source is.
    fn names_are_clear(&self) -> bool {
        true
    }

    /// Reads a source once, from its beginning to its end, handing every record to the sink. The same
    /// bytes, given and pepper make the same facts, whatever was read before. Memory does not depend
    /// on the length of the source. An error is one of reading, or the sink's.
    fn read(
        &self,
        input: &mut Input,
        given: &Given,
        keyring: &mut dyn Keyring,
        sink: &mut Sink<'_>,
    ) -> Result<(), Failure>;
}

/// The importer of a name.
pub fn named(name: &str) -> Result<&'static dyn Importer, Failure> {
    let found = IMPORTERS.iter().find(|one| one.info().name == name);
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = IMPORTERS.iter().map(|one| one.info().name).collect();
        Failure::new(
            "cannot choose the importer",
            "there is no importer of this name",
            format!("one of: {}", names.join(", ")),
        )
    })
}

#[cfg(test)]
mod contract;
