//! When each event happened, of millions in little memory.

use ledger::id::EventId;
use ledger::time::Occurred;

/// When events happened, by their ids.
#[derive(Debug, Default)]
pub struct Times(Vec<(EventId, Occurred)>);

impl Times {
    /// When an event happened. Costs a binary search.
    pub fn get(&self, event: &EventId) -> Option<&Occurred> {
        let place = self.0.binary_search_by_key(event, |(id, _)| *id).ok()?;
        self.0.get(place).map(|(_, occurred)| occurred)
    }

    /// Adds an event; [`Times::get`] finds it after [`Times::settle`].
    pub(super) fn add(&mut self, event: EventId, occurred: Occurred) {
        self.0.push((event, occurred));
    }

    /// Sorts what was added.
    pub(super) fn settle(&mut self) {
        self.0.sort_unstable_by_key(|(id, _)| *id);
    }
}
