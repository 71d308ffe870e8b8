//! Cutting a journal that is a copy: what was being copied when the process was stopped goes.

use super::failed;
use super::open::list;
use super::segment::{FRAMES_OFFSET, Seal};
use super::window::Window;
use crate::files;
use crate::id::Position;
use crate::log::LogError;
use crate::log::frame::{HEADER_LENGTH_BYTES, Header};
use std::fs::{self, OpenOptions};
use std::path::Path;

/// How much is read at once to find where a frame ends.
const AHEAD_BYTES: usize = 64 << 10;

/// Removes from the journal in a directory whatever follows a position, which is the last one of a frame, or 0.
/// Nothing is written over what stays, and a sealed last segment that ends there is left as it is. Durable.
pub(crate) fn cut_after(directory: &Path, last: Position) -> Result<(), LogError> {
    let cutting = failed("cutting what was not copied as a whole");
    let mut segments = list(directory)?;
    while let Some((_, path)) = segments.pop_if(|(first, _)| *first > last) {
        fs::remove_file(path).map_err(&cutting)?;
    }
    if let Some((first, path)) = segments.last() {
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.map_err(&cutting)?;
        let length = file.metadata().map_err(&cutting)?.len();
        let sealed = Seal::read(&file, length)?;
        if sealed.is_none_or(|seal| seal.last != last) {
            let mut window = Window::default();
            let (mut next, mut offset) = (*first, FRAMES_OFFSET);
            while next <= last {
                let bytes = window.get(&file, offset, HEADER_LENGTH_BYTES, length, AHEAD_BYTES);
                let position = next;
                let header = Header::read(bytes.map_err(&cutting)?);
                let header = header.map_err(|error| LogError::Frame { position, error })?;
                next = header.last().next();
                offset += header.whole_length() as u64;
            }
            file.set_len(offset)
                .and_then(|()| file.sync_all())
                .map_err(&cutting)?;
        }
    }
    let synced = files::sync_directory(directory);
    synced.map_err(|error| cutting(error.error))
}
