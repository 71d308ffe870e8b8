//! Exhibits without repetition: an event that shows several things shows them in one line.

use super::finding::Exhibit;
use ledger::id::EventId;
use ledger::time::Occurred;
use std::collections::{BTreeMap, BTreeSet};

/// Events and what each of them shows.
#[derive(Default)]
pub(super) struct Exhibits(BTreeMap<EventId, BTreeSet<String>>);

impl Exhibits {
    /// Adds what an event shows.
    pub(super) fn add(&mut self, event: EventId, why: &str) {
        self.0.entry(event).or_default().insert(why.to_owned());
    }

    /// Adds what several events show.
    pub(super) fn add_all(&mut self, shown: &[(EventId, String)]) {
        shown.iter().for_each(|(event, why)| self.add(*event, why));
    }

    /// One exhibit an event, in the order in which they happened; `when` says when an event did.
    pub(super) fn in_order(self, when: impl Fn(EventId) -> Option<Occurred>) -> Vec<Exhibit> {
        let mut exhibits: Vec<Exhibit> = self
            .0
            .into_iter()
            .filter_map(|(event, why)| {
                let at = when(event)?;
                let why = why.into_iter().collect::<Vec<_>>().join("; ");
                Some(Exhibit { at, event, why })
            })
            .collect();
        exhibits.sort_by_key(|exhibit| (exhibit.at.start, exhibit.event));
        exhibits
    }
}
