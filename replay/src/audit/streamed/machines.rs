//! The events about machines, compressed in memory until their turn comes.

use ledger::event::Event;
use projections::packed::{pack, unpack};
use std::sync::Arc;

/// Events, in the order in which they were added.
#[derive(Debug, Default)]
pub struct Blocks {
    full: Vec<Vec<u8>>,
    open: Vec<u8>,
}

impl Blocks {
    /// Adds an event, whose ciphertext is left out; compresses what there is once it has so many bytes.
    pub fn add(&mut self, event: &mut Event, block_max_bytes: usize) {
        let start = self.open.len();
        self.open.extend_from_slice(&[0; LENGTH_BYTES]);
        let packed = pack(event, &mut self.open);
        debug_assert!(packed.is_some(), "what was decoded can be encoded");
        let length = self.open.len() - start - LENGTH_BYTES;
        let length = u32::try_from(length).unwrap_or(0).to_le_bytes();
        if let Some(place) = self.open.get_mut(start..start + LENGTH_BYTES) {
            place.copy_from_slice(&length);
        }
        if self.open.len() >= block_max_bytes {
            self.close();
        }
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            let block = lz4_flex::compress_prepend_size(&self.open);
            self.full.push(block);
            self.open.clear();
        }
    }

    /// Takes in what somebody else added.
    pub fn join(&mut self, mut other: Self) {
        other.close();
        self.full.append(&mut other.full);
    }

    /// The events, in the order in which they were added.
    pub fn events(mut self) -> Vec<Arc<Event>> {
        self.close();
        let mut scratch = Vec::new();
        let mut events = Vec::new();
        for block in self.full {
            // What is in memory was compressed a moment ago: it can be decompressed.
            let bytes = lz4_flex::decompress_size_prepended(&block).unwrap_or_default();
            let mut rest = bytes.as_slice();
            while let Some((length, after)) = rest.split_first_chunk::<LENGTH_BYTES>() {
                let length = usize::try_from(u32::from_le_bytes(*length));
                let (packed, after) = after.split_at(length.unwrap_or(0).min(after.len()));
                events.extend(unpack(packed, &mut scratch).map(Arc::new));
                rest = after;
            }
        }
        events
    }
}

/// Before each packed event is its length.
const LENGTH_BYTES: usize = 4;
