//! When each event happened, of millions in little memory.

use crate::audit::reads::{Reads, Source};
use ledger::id::EventId;
use ledger::time::Occurred;
use std::sync::OnceLock;

/// When events happened, by their ids.
#[derive(Debug, Default)]
pub struct Times {
    times: Vec<(EventId, Occurred)>,
    /// The same in the order of the ids, where nobody called [`Times::settle`] and somebody asked.
    sorted: OnceLock<Vec<(EventId, Occurred)>>,
    is_settled: bool,
    reads: Reads,
}

impl Times {
    /// When an event happened. Costs a binary search, after a sort the first time.
    pub fn get(&self, event: &EventId) -> Option<&Occurred> {
        let times = match self.is_settled {
            true => &self.times,
            false => self.sorted.get_or_init(|| {
                let mut times = self.times.clone();
                times.sort_unstable_by_key(|(id, _)| *id);
                times
            }),
        };
        let place = times.binary_search_by_key(event, |(id, _)| *id);
        if place.is_err() {
            self.reads.note(|| Source::Event(*event));
        }
        times.get(place.ok()?).map(|(_, occurred)| occurred)
    }

    /// Adds an event, before anything is asked.
    pub(super) fn add(&mut self, event: EventId, occurred: Occurred) {
        self.times.push((event, occurred));
    }

    pub(super) fn watched(&mut self, reads: &Reads) {
        self.reads = reads.clone();
    }

    /// Sorts what was added, where much will be asked.
    pub(super) fn settle(&mut self) {
        self.times.sort_unstable_by_key(|(id, _)| *id);
        self.is_settled = true;
    }
}
