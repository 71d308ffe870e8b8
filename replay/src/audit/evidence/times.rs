//! When each event happened, of millions in little memory.

use crate::audit::reads::{Reads, Source};
use ledger::id::EventId;
use ledger::time::Occurred;

/// When events happened, by their ids.
#[derive(Debug, Default)]
pub struct Times {
    times: Vec<(EventId, Occurred)>,
    reads: Reads,
}

impl Times {
    /// When an event happened. Costs a binary search.
    pub fn get(&self, event: &EventId) -> Option<&Occurred> {
        let place = self.times.binary_search_by_key(event, |(id, _)| *id);
        if place.is_err() {
            self.reads.note(|| Source::Event(*event));
        }
        self.times.get(place.ok()?).map(|(_, occurred)| occurred)
    }

    /// Adds an event; [`Times::get`] finds it after [`Times::settle`].
    pub(super) fn add(&mut self, event: EventId, occurred: Occurred) {
        self.times.push((event, occurred));
    }

    pub(super) fn watched(&mut self, reads: &Reads) {
        self.reads = reads.clone();
    }

    /// Sorts what was added.
    pub(super) fn settle(&mut self) {
        self.times.sort_unstable_by_key(|(id, _)| *id);
    }
}
