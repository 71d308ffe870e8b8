//! A buffer over a file, for readers that go forward.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// What a medium fails to read is left out in pieces of this length.
const UNREADABLE_BYTES: usize = 4 << 10;

/// Part of a file in memory.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// Where in the file the buffer begins.
    at: u64,
    buffer: Vec<u8>,
    /// Whether what the medium does not give back counts as zeros.
    patient: bool,
}

impl Window {
    /// A window for which what the medium does not give back counts as zeros.
    pub(crate) fn patient() -> Self {
        Self {
            patient: true,
            ..Self::default()
        }
    }

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
        self.fill_by(&|bytes, at| file.read_at(bytes, at), offset, length)
    }

    fn fill_by(
        &mut self,
        read_at: &dyn Fn(&mut [u8], u64) -> io::Result<usize>,
        offset: u64,
        length: usize,
    ) -> io::Result<()> {
        self.at = offset;
        self.buffer.clear();
        self.buffer.resize(length, 0);
        let mut filled = 0;
        let mut step = length;
        while filled < length {
            let rest = self.buffer.get_mut(filled..).unwrap_or_default();
            let step_length = step.min(rest.len());
            let next = rest.get_mut(..step_length).unwrap_or_default();
            match read_at(next, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Once a read has failed, what follows is read in small pieces.
                Err(_) if self.patient && step_length > UNREADABLE_BYTES => step = UNREADABLE_BYTES,
                Err(_) if self.patient => {
                    next.fill(0);
                    filled += step_length;
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_window_reads_around_what_the_medium_does_not_give_back() {
        let bytes = vec![7; 40_000];
        let bad = 16_384..20_480;
        let read_at = |to: &mut [u8], at: u64| {
            let at = usize::try_from(at).unwrap();
            let end = bytes.len().min(at + to.len());
            if at < bad.end && end > bad.start {
                return Err(io::Error::other("a bad sector"));
            }
            to[..end - at].copy_from_slice(&bytes[at..end]);
            Ok(end - at)
        };
        assert!(Window::default().fill_by(&read_at, 0, 30_000).is_err());
        let mut window = Window::patient();
        window.fill_by(&read_at, 0, 50_000).unwrap();
        let mut wanted = bytes.clone();
        wanted[bad.clone()].fill(0);
        assert_eq!(window.buffer, wanted);
    }
}
