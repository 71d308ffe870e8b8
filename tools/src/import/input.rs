//! A source while it is being read: its bytes pass through a running digest.

use crate::error::Failure;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

/// The longest line that is read, in bytes; longer ones are passed over and refused.
pub const LINE_LENGTH_MAX_BYTES: usize = 4 << 20;

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// With a line end.
    Ended,
    /// With the end of the source.
    Source,
    /// It was longer than [`LINE_LENGTH_MAX_BYTES`]; the rest of it was passed over.
    TooLong,
}

/// A source that is being read from its beginning.
pub struct Input {
    /// How it is called in messages.
    pub shown: String,
    /// Its path, where it has one; may hold what must not be printed.
    pub path: Option<PathBuf>,
    reader: BufReader<File>,
    hasher: blake3::Hasher,
    consumed_bytes: u64,
    line: u64,
}

impl Input {
    /// Begins to read a file.
    pub fn new(shown: String, path: Option<PathBuf>, file: File) -> Self {
        Self {
            shown,
            path,
            reader: BufReader::with_capacity(1 << 16, file),
            hasher: blake3::Hasher::new(),
            consumed_bytes: 0,
            line: 0,
        }
    }

    /// The number of the line that was read last; the first is 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// How many bytes were read.
    pub fn consumed_bytes(&self) -> u64 {
        self.consumed_bytes
    }

    /// The BLAKE3 digest of everything that was read so far.
    pub fn digest(&self) -> blake3::Hash {
        self.hasher.finalize()
    }

    /// Reads the next line without its end into a buffer, which is cleared; `None` at the end of the
    /// source.
    pub fn next_line(&mut self, line: &mut Vec<u8>) -> Result<Option<LineEnd>, Failure> {
        line.clear();
        let mut any = false;
        let mut too_long = false;
        loop {
            let chunk = self
                .reader
                .fill_buf()
                .map_err(|e| unreadable(&self.shown, &e))?;
            if chunk.is_empty() {
                break;
            }
            any = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(chunk.len(), |end| end + 1);
            let part = chunk.get(..used).unwrap_or(chunk);
            self.hasher.update(part);
            if line.len() + used > LINE_LENGTH_MAX_BYTES {
                too_long = true;
            } else {
                line.extend_from_slice(part);
            }
            self.reader.consume(used);
            self.consumed_bytes += used as u64;
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.line += 1;
        let ended = line.pop_if(|byte| *byte == b'\n').is_some();
        line.pop_if(|byte| ended && *byte == b'\r');
        Ok(Some(match (too_long, ended) {
            (true, _) => LineEnd::TooLong,
            (false, true) => LineEnd::Ended,
            (false, false) => LineEnd::Source,
        }))
    }

    /// Reads everything that is left; `None` if that is more than `limit` bytes.
    pub fn rest(&mut self, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let mut bytes = Vec::new();
        let mut limited = (&mut self.reader).take(limit + 1);
        let read = limited.read_to_end(&mut bytes);
        read.map_err(|e| unreadable(&self.shown, &e))?;
        self.hasher.update(&bytes);
        self.consumed_bytes += bytes.len() as u64;
        Ok((bytes.len() as u64 <= limit).then_some(bytes))
    }
}

/// A source that the operating system does not let us read.
pub(super) fn unreadable(shown: &str, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind;
    let what = format!("cannot read {shown}");
    match error.kind() {
        ErrorKind::NotFound => {
            let hint = "check the path; `-` reads standard input";
            Failure::new(what, "there is no such file or folder", hint)
        }
        ErrorKind::PermissionDenied => Failure::new(
            what,
            "this user may not read it",
            "ask its owner for the permission to read it",
        ),
        _ => Failure::new(
            what,
            error.to_string(),
            "nothing more was appended; try again",
        ),
    }
}
