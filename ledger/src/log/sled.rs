//! The sled engine: frames in pieces in one tree.
//!
//! A piece's key is the position of the last event of its frame and the number of the piece, both
//! big-endian, so that the first key at or after a position leads to the frame that holds it. The
//! pieces of a frame go in as one batch. A piece also says by itself what it is a piece of, for those who
//! have to find it without sled.

use super::sled_file::SledFile;
use super::sled_kept::{self, NoteWhenClosed};
use super::sled_piece::Piece;
use super::sled_salvage;
use super::{CommitLog, Engine, Epoch, Frame, LogError, Opened, Opening, Stop, StoredFrame, Torn};
use super::{check_append, frame::FrameError};
use crate::files;
use crate::id::Position;
use crate::limits::SLED_CACHE_BYTES;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The line of this engine in the registry.
pub const ENGINE: Engine = Engine {
    name: "sled",
    persistent: true,
    open: SledLog::open,
    salvage: sled_salvage::salvage,
};

const KEY_LENGTH_BYTES: usize = 10;

/// A file beside sled's own that says that a sync failed: what sled's file holds may be in memory
/// only, and no later sync would write it.
const UNSYNCED: &str = "unsynced";

/// How much of sled's file is read and written again at once.
const COPY_LENGTH_BYTES: usize = 1 << 20;

/// Frames in sled.
struct SledLog {
    directory: PathBuf,
    file: SledFile,
    // Dropped after sled.
    note: NoteWhenClosed,
    tail: Mutex<(Position, Epoch)>,
}

impl Drop for SledLog {
    fn drop(&mut self) {
        // Sled's file is synced once more when it is closed; if that is going to fail, it is noted.
        if let Err(error) = self.sync_file() {
            tracing::warn!(%error, "the log was closed, but not synced");
            self.note.set_well(false);
        }
    }
}

/// After a sync that failed, writes sled's file once more where it stands and syncs it. Costs reading
/// and writing all of it.
fn write_again(directory: &Path) -> io::Result<()> {
    let note = directory.join(UNSYNCED);
    if !note.exists() {
        return Ok(());
    }
    tracing::warn!("a sync had failed: sled's file is written again");
    let file = File::options()
        .read(true)
        .write(true)
        .open(directory.join("db"))?;
    let mut buffer = vec![0; COPY_LENGTH_BYTES];
    let mut offset = 0;
    loop {
        let read = file.read_at(&mut buffer, offset)?;
        let Some(content) = buffer.get(..read).filter(|content| !content.is_empty()) else {
            break;
        };
        file.write_all_at(content, offset)?;
        offset += read as u64;
    }
    file.sync_all()?;
    fs::remove_file(note)?;
    File::open(directory)?.sync_all()
}

fn key(last: Position, piece: u16) -> [u8; KEY_LENGTH_BYTES] {
    let mut key = [0; KEY_LENGTH_BYTES];
    let bytes = last.0.to_be_bytes().into_iter().chain(piece.to_be_bytes());
    key.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    key
}

fn read_key(key: &[u8]) -> Result<(Position, u16), LogError> {
    let parts = key.split_first_chunk::<8>().and_then(|(last, piece)| {
        let piece = u16::from_be_bytes(*piece.first_chunk()?);
        Some((Position(u64::from_be_bytes(*last)), piece))
    });
    parts
        .filter(|_| key.len() == KEY_LENGTH_BYTES)
        .ok_or_else(|| LogError::Damaged {
            position: Position(0),
            reason: "a key of the log has not ten bytes".to_owned(),
        })
}

/// The pieces that sled has of a frame.
type Pieces = Vec<(u16, sled::IVec)>;

impl SledLog {
    fn open(directory: &Path, opening: Opening) -> Result<Opened, LogError> {
        sled_kept::put_back(directory)?;
        let open = || Self::open_as_it_is(directory, opening);
        match opening.stop {
            Stop::Clean => sled_kept::guarded(directory, open),
            Stop::Unclean => open(),
        }
    }

    fn open_as_it_is(directory: &Path, opening: Opening) -> Result<Opened, LogError> {
        write_again(directory).map_err(|error| LogError::Failed {
            doing: "writing sled's file again",
            reason: error.to_string(),
        })?;
        let log = Self {
            directory: directory.to_owned(),
            file: SledFile::open(directory, "frames", SLED_CACHE_BYTES)?,
            note: NoteWhenClosed::of(directory),
            tail: Mutex::new((Position(0), Epoch(0))),
        };
        let torn = log.recover(opening)?;
        let (end, reached) = (log.end(), opening.reached);
        if opening.stop == Stop::Clean && end < reached {
            let reason = format!("the log ends before it, and it had reached position {reached}");
            return Err(LogError::Damaged {
                position: end.next(),
                reason,
            });
        }
        log.note.set_well(true);
        let log = Box::new(log);
        Ok(Opened { log, torn })
    }

    /// Finds the end. After an unclean stop, cuts a last frame of which pieces are missing, and
    /// writes and syncs the one that then is the last once more: it may never have been synced, or
    /// in vain. What has all its pieces is never cut, whatever is wrong with it.
    fn recover(&self, opening: Opening) -> Result<Option<Torn>, LogError> {
        let stop = opening.stop;
        let Some((last, pieces)) = self.last_pieces()? else {
            return Ok(None);
        };
        if join(last, &pieces)?.is_some() {
            self.accept(last, &pieces, stop)?;
            return Ok(None);
        }
        if stop == Stop::Clean || last <= opening.reached {
            return Err(missing_piece(last));
        }
        self.write(|batch| {
            pieces
                .iter()
                .for_each(|(n, _)| batch.remove(&key(last, *n)))
        })?;
        let mut first = Position(1);
        if let Some((before, pieces)) = self.last_pieces()? {
            self.accept(before, &pieces, stop)?;
            first = before.next();
        }
        self.sync_file()?;
        let mut bytes = Vec::new();
        for (_, piece) in pieces {
            bytes.extend_from_slice(&piece);
        }
        Ok(Some(Torn { first, bytes }))
    }

    fn accept(&self, last: Position, pieces: &Pieces, stop: Stop) -> Result<(), LogError> {
        let bytes = join(last, pieces)?.ok_or_else(|| missing_piece(last))?;
        let frame = read(last, bytes)?;
        *self.tail() = (last, frame.epoch());
        if stop == Stop::Clean {
            return Ok(());
        }
        self.write(|batch| {
            for (number, piece) in pieces {
                batch.insert(&key(last, *number), piece);
            }
        })?;
        self.sync_file()
    }

    fn sync_file(&self) -> Result<(), LogError> {
        let synced = self.file.sync();
        if synced.is_err() {
            self.note_unsynced();
        }
        synced
    }

    /// Leaves a note for the next opening, as well as it can be left on a medium that fails.
    fn note_unsynced(&self) {
        let path = self.directory.join(UNSYNCED);
        let noted = files::open_private(&path).and_then(|file| file.sync_all());
        if let Err(error) = noted {
            tracing::error!(%error, "that a sync failed could not be noted");
        }
    }

    fn last_pieces(&self) -> Result<Option<(Position, Pieces)>, LogError> {
        let doing = "reading the end of the log";
        let found = self.file.with_tree(doing, |tree| {
            let Some((at, _)) = tree.last()? else {
                return Ok(None);
            };
            let prefix = at.get(..8).unwrap_or_default();
            let entries = tree.scan_prefix(prefix).collect::<Result<Vec<_>, _>>()?;
            Ok(Some((at, entries)))
        })?;
        let Some((at, entries)) = found else {
            return Ok(None);
        };
        let (last, _) = read_key(&at)?;
        let pieces = entries.into_iter().map(|(key, piece)| {
            let (_, number) = read_key(&key)?;
            Ok((number, piece))
        });
        Ok(Some((last, pieces.collect::<Result<_, LogError>>()?)))
    }

    fn write(&self, fill: impl FnOnce(&mut sled::Batch)) -> Result<(), LogError> {
        let mut batch = sled::Batch::default();
        fill(&mut batch);
        let doing = "writing to sled";
        self.file.with_tree(doing, |tree| tree.apply_batch(batch))
    }

    fn tail(&self) -> std::sync::MutexGuard<'_, (Position, Epoch)> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn missing_piece(last: Position) -> LogError {
    LogError::Damaged {
        position: last,
        reason: "a piece of the frame that ends there is missing".to_owned(),
    }
}

fn read(last: Position, bytes: Vec<u8>) -> Result<Frame, LogError> {
    let damaged = |error| LogError::Frame {
        position: last,
        error,
    };
    let frame = Frame::read(bytes).map_err(damaged)?;
    if frame.last() != last {
        let what = "last position";
        return Err(damaged(FrameError::Impossible { what }));
    }
    Ok(frame)
}

/// The bytes of a frame, or `None` if pieces of it are missing.
fn join(last: Position, pieces: &Pieces) -> Result<Option<Vec<u8>>, LogError> {
    let mut bytes = Vec::new();
    let mut missing = 0..0;
    for (number, stored) in pieces {
        let (piece, content) = open_piece(last, *number, stored)?;
        if missing.is_empty() && *number == 0 {
            missing = 0..piece.count;
        }
        if missing.next() != Some(*number) {
            return Ok(None);
        }
        bytes.extend_from_slice(content);
    }
    Ok(missing.is_empty().then_some(bytes))
}

/// What a piece of the frame that ends at a position says and holds.
fn open_piece(last: Position, number: u16, stored: &[u8]) -> Result<(Piece, &[u8]), LogError> {
    let read = Piece::read(stored).filter(|(piece, _)| piece.number == number);
    read.ok_or_else(|| LogError::Damaged {
        position: last,
        reason: "a piece of the frame that ends there is none".to_owned(),
    })
}

impl CommitLog for SledLog {
    fn end(&self) -> Position {
        self.tail().0
    }

    fn append(&self, frame: &Frame) -> Result<(), LogError> {
        let mut tail = self.tail();
        let (end, epoch) = *tail;
        check_append(frame, end, epoch)?;
        self.write(|batch| {
            for (number, piece) in Piece::cut(frame) {
                batch.insert(&key(frame.last(), number), piece);
            }
        })?;
        *tail = (frame.last(), frame.epoch());
        Ok(())
    }

    fn sync(&self) -> Result<(), LogError> {
        self.sync_file()
    }

    fn frame(&self, position: Position) -> Result<Option<StoredFrame>, LogError> {
        if position.0 == 0 || position > self.end() {
            return Ok(None);
        }
        let mut entries = self.file.range(key(position, 0))?;
        let doing = "reading from sled";
        let mut next = || self.file.with_tree(doing, |_| entries.next().transpose());
        let Some((at, piece)) = next()? else {
            return Ok(None);
        };
        let (last, number) = read_key(&at)?;
        let count = usize::from(open_piece(last, number, &piece)?.0.count);
        let mut pieces = vec![(number, piece)];
        while pieces.len() < count {
            let (at, piece) = next()?.ok_or_else(|| missing_piece(last))?;
            let (of, number) = read_key(&at)?;
            if of != last {
                return Err(missing_piece(last));
            }
            pieces.push((number, piece));
        }
        let bytes = join(last, &pieces)?.ok_or_else(|| missing_piece(last))?;
        let frame = read(last, bytes)?;
        if frame.first() > position {
            let reason = format!("no frame holds it; the next begins at {}", frame.first());
            return Err(LogError::Damaged { position, reason });
        }
        Ok(Some(Arc::new(frame)))
    }
}
