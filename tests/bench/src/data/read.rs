//! Reading prepared events as a stream: a few blocks in memory, whatever the length of the file.

use super::BLOCK_HEADER_BYTES;
use crate::fault::{About, Outcome};
use ledger::event::Event;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How much of the file is read at once.
const READ_BUFFER_BYTES: usize = 1 << 20;

/// Events that belong together in the file, in their stored form.
pub struct Block {
    bytes: Vec<u8>,
    events: Vec<Range<usize>>,
    /// How often the file had been read to its end before.
    pub pass: u32,
}

impl Block {
    /// The stored form of each event. Their positions are those in the file, from 1.
    pub fn stored(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.events.iter().map(|range| &self.bytes[range.clone()])
    }

    /// Each event, decoded.
    pub fn events(&self) -> impl Iterator<Item = Outcome<Event>> {
        self.stored().map(|bytes| Ok(Event::decode(bytes)?))
    }
}

/// A file of events that many clients draw blocks from.
pub struct Feed {
    path: PathBuf,
    source: Mutex<Source>,
    circular: bool,
}

struct Source {
    file: BufReader<File>,
    pass: u32,
}

/// A block as it is in the file.
struct Packed {
    count: usize,
    plain: usize,
    bytes: Vec<u8>,
    pass: u32,
}

impl Feed {
    /// Opens a file of events, which are given once.
    pub fn once(path: &Path) -> Outcome<Self> {
        Self::open(path, false)
    }

    /// Opens a file of events that begins again when it comes to its end. Whoever appends them has to
    /// give them other ids in each pass.
    pub fn circular(path: &Path) -> Outcome<Self> {
        Self::open(path, true)
    }

    fn open(path: &Path, circular: bool) -> Outcome<Self> {
        let file = File::open(path).about(path)?;
        let file = BufReader::with_capacity(READ_BUFFER_BYTES, file);
        Ok(Self {
            path: path.to_owned(),
            source: Mutex::new(Source { file, pass: 0 }),
            circular,
        })
    }

    /// The next block; `None` at the end. Unpacked by whoever asks, outside the lock.
    pub fn block(&self) -> Outcome<Option<Block>> {
        let Some(packed) = self.packed().about(&self.path)? else {
            return Ok(None);
        };
        let Packed { count, pass, .. } = packed;
        let bytes = lz4_flex::block::decompress(&packed.bytes, packed.plain).about(&self.path)?;
        let mut events = Vec::with_capacity(count);
        let mut at = 0;
        while at < bytes.len() {
            let length = u32_at(&bytes, at);
            events.push(at + 4..at + 4 + length);
            at += 4 + length;
        }
        if events.len() != count || at != bytes.len() {
            return Err(format!("{}: a block is damaged", self.path.display()).into());
        }
        Ok(Some(Block {
            bytes,
            events,
            pass,
        }))
    }

    fn packed(&self) -> std::io::Result<Option<Packed>> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let packed = source.packed()?;
        if packed.is_some() || !self.circular {
            return Ok(packed);
        }
        source.file.seek(SeekFrom::Start(0))?;
        source.pass += 1;
        source.packed()
    }
}

impl Source {
    fn packed(&mut self) -> std::io::Result<Option<Packed>> {
        let mut header = [0; BLOCK_HEADER_BYTES];
        match self.file.read_exact(&mut header) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let mut bytes = vec![0; u32_at(&header, 8)];
        self.file.read_exact(&mut bytes)?;
        Ok(Some(Packed {
            count: u32_at(&header, 0),
            plain: u32_at(&header, 4),
            bytes,
            pass: self.pass,
        }))
    }
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    let four = bytes.get(at..).and_then(|rest| rest.first_chunk());
    u32::from_le_bytes(four.copied().unwrap_or([u8::MAX; 4])) as usize
}
