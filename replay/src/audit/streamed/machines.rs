//! The events about machines, compressed in memory until their turn comes.

use super::AuditError;
use ledger::event::Event;
use ledger::event::walk::Outline;
use ledger::id::Position;
use std::sync::Arc;

/// Before each event stands how long it is.
const LENGTH_BYTES: usize = 4;

/// Events, in the order in which they were added. Their zeros stay where they are: packed they would give
/// lz4 less to find.
#[derive(Debug, Default)]
pub struct Blocks {
    full: Vec<Vec<u8>>,
    open: Vec<u8>,
}

impl Blocks {
    /// Adds a stored event, whose outline was read, without what is sealed in it; compresses what there is once
    /// it has so many bytes. `None` if it is longer than its length can say.
    pub fn add(&mut self, outline: &Outline, stored: &[u8], block_max_bytes: usize) -> Option<()> {
        let start = self.open.len();
        self.open.extend_from_slice(&[0; LENGTH_BYTES]);
        outline.write_without_sealed(stored, &mut self.open);
        let (_, added) = self.open.split_at_mut_checked(start)?;
        let (length, event) = added.split_first_chunk_mut::<LENGTH_BYTES>()?;
        *length = u32::try_from(event.len()).ok()?.to_le_bytes();
        if self.open.len() >= block_max_bytes {
            self.close();
        }
        Some(())
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
    pub fn events(mut self) -> Result<Vec<Arc<Event>>, AuditError> {
        self.close();
        let unreadable = |position, reason: String| AuditError::Event { position, reason };
        let mut events: Vec<Arc<Event>> = Vec::new();
        for block in self.full {
            // What is in memory was compressed a moment ago.
            let bytes = lz4_flex::decompress_size_prepended(&block);
            let bytes = bytes.map_err(|error| unreadable(last(&events), error.to_string()))?;
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let (stored, after) =
                    split(rest).ok_or_else(|| unreadable(last(&events), "it is cut".to_owned()))?;
                let event = Event::decode(stored);
                let event = event.map_err(|error| unreadable(last(&events), error.to_string()))?;
                events.push(Arc::new(event));
                rest = after;
            }
        }
        Ok(events)
    }
}

/// The first event of some, in its stored form, and the others.
fn split(events: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = events.split_first_chunk::<LENGTH_BYTES>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

/// Where the event before the next one is.
fn last(events: &[Arc<Event>]) -> Position {
    events.last().map_or(Position(0), |event| event.position)
}
