//! Chunks: the pieces in which the lists of a run are kept. The layout is in `FORMAT.md`.
//!
//! The values of a list make one stream of bytes, which is cut into segments wherever that is convenient;
//! segments of successive lists fill a chunk.

use super::{ListsError, Table};
use crate::limits::{CHUNK_LENGTH_MAX_BYTES, LIST_NAME_MAX_BYTES, LIST_SEGMENT_MAX_BYTES};
use crate::runs::keep::Chunk;
use crate::runs::place::{Place, SEAL_LENGTH_BYTES, chunk_key};
use crate::runs::varint;
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use std::sync::Arc;

const OFFSET_LENGTH_BYTES: usize = 8;
/// What the check, the bound and the lengths of a chunk take at most.
const OVERHEAD_MAX_BYTES: usize = SEAL_LENGTH_BYTES + LIST_NAME_MAX_BYTES + OFFSET_LENGTH_BYTES + 8;
/// What the segments of a chunk may take as they are stored.
const BODY_MAX_BYTES: usize = CHUNK_LENGTH_MAX_BYTES - OVERHEAD_MAX_BYTES;
/// How many bytes of segments to gather for a chunk before it is packed, at least and at most.
const TARGET_MIN_BYTES: usize = BODY_MAX_BYTES;
const TARGET_MAX_BYTES: usize = 8 * BODY_MAX_BYTES;

// A segment fits into a chunk even where it cannot be packed.
const _: () = assert!(LIST_SEGMENT_MAX_BYTES + LIST_NAME_MAX_BYTES + 8 <= BODY_MAX_BYTES);

/// The key of a segment: the name of its list, and how much of the list's stream is before it.
pub(super) fn segment_key(name: &[u8], offset: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + OFFSET_LENGTH_BYTES);
    key.extend_from_slice(name);
    key.extend_from_slice(&offset.to_be_bytes());
    key
}

/// The name in the key of a segment; `None` if it is no such key.
pub(super) fn name_of(key: &[u8]) -> Option<&[u8]> {
    key.get(..key.len().checked_sub(OFFSET_LENGTH_BYTES)?)
}

/// Groups the segments of one table into chunks.
pub(super) struct ChunkWriter {
    table: Table,
    place: Place,
    /// The key of the first chunk of the table is empty, so that it is found for every name.
    is_first: bool,
    /// Segments as they are stored.
    plain: Vec<u8>,
    /// Where each starts, and the offset in its key.
    starts: Vec<(usize, u64)>,
    /// How many bytes to gather: what was found to fit before.
    target: usize,
    full: Vec<Chunk>,
    packer: Packer,
}

/// Compresses one chunk after the other, with the same memory.
#[derive(Default)]
struct Packer {
    table: CompressTable,
    packed: Vec<u8>,
}

impl Packer {
    /// The compressed form of some bytes, if it is shorter.
    fn pack(&mut self, plain: &[u8]) -> Option<&[u8]> {
        self.packed.resize(get_maximum_output_size(plain.len()), 0);
        let packed = compress_into_with_table(plain, &mut self.packed, &mut self.table);
        let length = packed.ok().filter(|length| *length < plain.len())?;
        self.packed.get(..length)
    }
}

impl ChunkWriter {
    pub(super) fn new(table: Table, place: Place) -> Self {
        Self {
            table,
            place,
            is_first: true,
            plain: Vec::new(),
            starts: Vec::new(),
            target: TARGET_MIN_BYTES * 2,
            full: Vec::new(),
            packer: Packer::default(),
        }
    }

    /// Adds a segment, of at most [`LIST_SEGMENT_MAX_BYTES`], whose key is after all others, in some parts
    /// that have a length together. Returns the chunks that are full now.
    pub(super) fn push<'b>(
        &mut self,
        name: &[u8],
        offset: u64,
        length: usize,
        parts: impl IntoIterator<Item = &'b [u8]>,
    ) -> impl Iterator<Item = Chunk> {
        self.starts.push((self.plain.len(), offset));
        varint::write(name.len() as u64, &mut self.plain);
        self.plain.extend_from_slice(name);
        varint::write(length as u64, &mut self.plain);
        for part in parts {
            self.plain.extend_from_slice(part);
        }
        // The last segment stays: its key is the bound of the chunk before it.
        if self.plain.len() >= self.target && self.starts.len() > 1 {
            self.pack(self.starts.len() - 1);
        }
        self.full.drain(..)
    }

    /// The last chunks of the table.
    pub(super) fn finish(mut self) -> Vec<Chunk> {
        if self.starts.is_empty() && self.is_first {
            self.pack(0);
        }
        while !self.starts.is_empty() {
            self.pack(self.starts.len());
        }
        self.full
    }

    /// Makes a chunk of the first segments: of so many, or of as many of them as fit.
    fn pack(&mut self, segments: usize) {
        let mut packer = std::mem::take(&mut self.packer);
        self.pack_with(&mut packer, segments);
        self.packer = packer;
    }

    fn pack_with(&mut self, packer: &mut Packer, segments: usize) {
        let mut segments = segments;
        loop {
            let end = self.starts.get(segments).map(|(start, _)| *start);
            let plain = self.plain.get(..end.unwrap_or(self.plain.len()));
            let plain = plain.unwrap_or_default();
            let packed = packer.pack(plain);
            let is_packed = packed.is_some();
            let body = packed.unwrap_or(plain);
            if body.len() > BODY_MAX_BYTES && segments > 1 {
                let fitting = segments * BODY_MAX_BYTES / body.len();
                segments = fitting.clamp(1, segments - 1);
                continue;
            }
            let learned = plain.len() * (BODY_MAX_BYTES - BODY_MAX_BYTES / 16) / body.len().max(1);
            self.target = learned.clamp(TARGET_MIN_BYTES, TARGET_MAX_BYTES);
            let bound = self.key(segments);
            let first = match self.is_first {
                true => Vec::new(),
                false => self.key(0),
            };
            let key = chunk_key(self.table, &first);
            let plain_length = if is_packed { plain.len() } else { 0 };
            let value = self.place.seal_with(&key, |value| {
                value.reserve(body.len() + OVERHEAD_MAX_BYTES);
                varint::write(bound.len() as u64, value);
                value.extend_from_slice(&bound);
                varint::write(plain_length as u64, value);
                value.extend_from_slice(body);
            });
            self.full.push((key, value));
            self.is_first = false;
            let taken = plain.len();
            self.plain.drain(..taken);
            self.starts.drain(..segments);
            for (start, _) in &mut self.starts {
                *start -= taken;
            }
            return;
        }
    }

    /// The key of a segment that waits; empty if there is none.
    fn key(&self, number: usize) -> Vec<u8> {
        let Some((start, offset)) = self.starts.get(number) else {
            return Vec::new();
        };
        let mut rest = self.plain.get(*start..).unwrap_or_default();
        segment_key(varint::read_bytes(&mut rest).unwrap_or_default(), *offset)
    }
}

/// A chunk that was read and unpacked.
#[derive(Debug, Default)]
pub(super) struct Plain {
    /// The key of its first segment; empty for the first chunk of a table.
    first: Vec<u8>,
    /// The key of the first segment of the next chunk; empty if there is none.
    bound: Vec<u8>,
    bytes: Vec<u8>,
}

impl Plain {
    /// Reads a chunk of a place and checks it.
    pub(super) fn read(place: &Place, key: &[u8], value: &[u8]) -> Result<Self, ListsError> {
        let mut body = place.unseal(key, value)?;
        let bound = varint::read_bytes(&mut body).ok_or_else(cut)?.to_vec();
        let plain_length = varint::read(&mut body).ok_or_else(cut)?;
        let plain_length = usize::try_from(plain_length).ok();
        let plain_length = plain_length.filter(|length| *length <= 2 * TARGET_MAX_BYTES);
        let bytes = match plain_length.ok_or_else(cut)? {
            0 => body.to_vec(),
            length => {
                let plain = lz4_flex::block::decompress(body, length).map_err(|_| cut())?;
                match plain.len() == length {
                    true => plain,
                    false => return Err(cut()),
                }
            }
        };
        Ok(Self {
            first: key.get(1..).unwrap_or_default().to_vec(),
            bound,
            bytes,
        })
    }

    /// Whether a key of its table falls into it.
    pub(super) fn may_hold(&self, key: &[u8]) -> bool {
        *self.first <= *key && (self.bound.is_empty() || *key < *self.bound)
    }

    /// Whether it begins with a key.
    pub(super) fn begins_with(&self, key: &[u8]) -> bool {
        self.first == key
    }
}

/// The name of a list, and some bytes of its stream.
pub(super) type Segment<'a> = (&'a [u8], &'a [u8]);

/// The segments of a chunk, one after the other.
#[derive(Debug)]
pub(super) struct Segments {
    chunk: Arc<Plain>,
    used: usize,
}

impl Segments {
    /// All segments of a chunk.
    pub(super) fn of(chunk: Arc<Plain>) -> Self {
        Self { chunk, used: 0 }
    }

    /// The key of the first segment of the next chunk; empty if there is none.
    pub(super) fn bound(&self) -> &[u8] {
        &self.chunk.bound
    }

    /// Whether a segment comes next.
    pub(super) fn has_more(&self) -> bool {
        self.used < self.chunk.bytes.len()
    }

    /// The name of the list of the next segment.
    pub(super) fn head(&self) -> Option<&[u8]> {
        let mut rest = self.chunk.bytes.get(self.used..)?;
        varint::read_bytes(&mut rest)
    }

    /// The next segment: the name of its list, and its bytes.
    pub(super) fn next(&mut self) -> Result<Option<Segment<'_>>, ListsError> {
        let mut rest = self.chunk.bytes.get(self.used..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let name = varint::read_bytes(&mut rest).ok_or_else(cut)?;
        let bytes = varint::read_bytes(&mut rest).ok_or_else(cut)?;
        self.used = self.chunk.bytes.len() - rest.len();
        Ok(Some((name, bytes)))
    }

    /// The name of the list that the next chunk begins with, if there is a next chunk.
    pub(super) fn next_name(&self) -> Option<&[u8]> {
        name_of(self.bound())
    }
}

fn cut() -> ListsError {
    ListsError::damaged("a chunk of a list is cut")
}
