//! The bound that the disk sets: the bytes of a batch in one write, and one `fdatasync`.

use super::committer::{Committer, Engine, Request};
use super::{Contender, Verdict};
use crate::fault::{About, Outcome};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// How much is written with zeros beforehand. Larger than any cache of a disk that a guest sees, and
/// small enough that preparing it disturbs nothing.
const FILE_BYTES: u64 = 256 << 20;

struct Raw {
    file: File,
    at: u64,
    events: u64,
    buffer: Vec<u8>,
}

/// Opens the file, writing it with zeros the first time.
pub fn open(_: &str, path: &Path) -> Outcome<Box<dyn Contender>> {
    let made = path.exists();
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    let file = options.open(path).about(path)?;
    if !made {
        let zeros = vec![0; 1 << 20];
        for at in (0..FILE_BYTES).step_by(zeros.len()) {
            file.write_all_at(&zeros, at).about(path)?;
        }
        file.sync_all().about(path)?;
    }
    Committer::start(Raw {
        file,
        at: 0,
        events: 0,
        buffer: Vec::new(),
    })
}

impl Engine for Raw {
    const INDEXED: bool = false;

    fn end(&mut self) -> Outcome<u64> {
        Ok(self.events)
    }

    fn commit(&mut self, _: u64, batch: &[Request]) -> Outcome<Vec<Verdict>> {
        self.buffer.clear();
        for record in batch.iter().flat_map(|request| &request.records) {
            self.buffer.extend_from_slice(&record.stored);
            self.events += 1;
        }
        let length = self.buffer.len() as u64;
        if self.at + length > FILE_BYTES {
            self.at = 0;
        }
        self.file.write_all_at(&self.buffer, self.at)?;
        self.file.sync_data()?;
        self.at += length;
        Ok(vec![Verdict::Appended; batch.len()])
    }
}
