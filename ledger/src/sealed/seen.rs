//! What the files of sealed databases looked like when they were last closed, so that the next opening
//! need not read them.

use super::{FilesHash, SealedError, hash, stamps};
use crate::files::{self, record::Record};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

const SEEN_FILE: &str = "seen";

/// The stamps of files, by the number of their database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen(BTreeMap<u64, Vec<String>>);

impl Seen {
    /// What was noted in a directory; nothing if that cannot be read, which costs time only.
    pub(crate) fn read(directory: &Path, title: &str) -> Self {
        let text = fs::read_to_string(directory.join(SEEN_FILE)).unwrap_or_default();
        let record = Record::read(title, &text).unwrap_or_default();
        let mut seen = Self::default();
        for line in record.all("file") {
            if let Some((number, stamp)) = line.split_once(' ')
                && let Ok(number) = number.parse()
            {
                seen.0.entry(number).or_default().push(stamp.to_owned());
            }
        }
        seen
    }

    /// Whether a name in the directory is that of the file.
    pub(crate) fn is_file(name: &std::ffi::OsStr) -> bool {
        name == SEEN_FILE
    }

    /// Notes the stamps of a database, in place of what was noted of it.
    pub(crate) fn note(&mut self, number: u64, stamps: Vec<String>) {
        self.0.insert(number, stamps);
    }

    /// Forgets the databases of other numbers.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(u64) -> bool) {
        self.0.retain(|number, _| is_kept(*number));
    }

    /// Whether the files of a database are those that had this hash. Costs a look at each, and reading
    /// them if they are not as they were seen.
    pub(crate) fn is_whole(
        &self,
        number: u64,
        database: &Path,
        written: &FilesHash,
    ) -> Result<bool, SealedError> {
        let now = stamps(database).ok();
        let is_as_seen = now.is_some() && now.as_ref() == self.0.get(&number);
        Ok(is_as_seen || hash(database)? == *written)
    }

    /// Leaves it in a directory. It only saves reading the databases again, and has a check: it need not
    /// survive anything.
    pub(crate) fn write(&self, directory: &Path, title: &str) {
        let mut record = Record::default();
        for (number, stamps) in &self.0 {
            for stamp in stamps {
                record.put("file", format_args!("{number} {stamp}"));
            }
        }
        let text = record.write(title);
        let path = directory.join(SEEN_FILE);
        if fs::read_to_string(&path).is_ok_and(|before| before == text) {
            return;
        }
        let written = files::open_private(&path).and_then(|mut file| {
            file.set_len(0)?;
            file.write_all(text.as_bytes())
        });
        if let Err(error) = written {
            let path = path.display();
            tracing::warn!(%error, %path, "the next opening reads more than it need");
        }
    }
}
