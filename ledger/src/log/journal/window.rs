//! A buffer over a file, for readers that go forward.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Part of a file in memory.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// Where in the file the buffer begins.
    at: u64,
    buffer: Vec<u8>,
}

impl Window {
    /// Up to `length` bytes of a file from `offset` on, fewer only if `limit`, the end of what may
    /// be read, comes first. What is not in the buffer is read together with what follows it,
    /// `ahead` bytes at least.
    pub(crate) fn get(
        &mut self,
        file: &File,
        offset: u64,
        length: usize,
        limit: u64,
        ahead: usize,
    ) -> io::Result<&[u8]> {
        let left = usize::try_from(limit.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = length.min(left);
        let start = offset
            .checked_sub(self.at)
            .and_then(|at| usize::try_from(at).ok());
        let held = start.and_then(|start| self.buffer.len().checked_sub(start));
        let start = match start {
            Some(start) if held.is_some_and(|held| held >= length) => start,
            _ => {
                self.fill(file, offset, length.max(ahead).min(left))?;
                0
            }
        };
        let held = self.buffer.get(start..).unwrap_or_default();
        Ok(held.get(..length).unwrap_or(held))
    }

    /// Forgets what it holds: it belongs to another file.
    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
    }

    fn fill(&mut self, file: &File, offset: u64, length: usize) -> io::Result<()> {
        self.at = offset;
        self.buffer.clear();
        self.buffer.resize(length, 0);
        let mut filled = 0;
        while filled < length {
            let rest = self.buffer.get_mut(filled..).unwrap_or_default();
            match file.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.clear();
                    return Err(error);
                }
            }
        }
        self.buffer.truncate(filled);
        Ok(())
    }
}
