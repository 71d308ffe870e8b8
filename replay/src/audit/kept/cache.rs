//! Lists of events that were looked at before: the same machines, users and tenants are named again and again,
//! and reading a history of disk costs more than judging it.

use super::held::Held;
use super::unit::Named;
use crate::audit::reads::Source;
use ledger::event::Event;
use ledger::id::Position;
use ledger::secret::Sealed;
use ledger::subject::Subject;
use projections::source::{Input, Replacer};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// So many events are in the lists that are held, at most; one that is in several counts for each. Some
/// hundred bytes each.
const HELD_MAX: usize = 1 << 19;

/// A list of events, in fold order.
pub(super) type List = Arc<Vec<Input>>;

/// So many subjects of entitlements are held at most.
const MEMBERS_HELD_MAX: usize = 1 << 17;

/// The subjects of an entitlement, and the name that it goes by: that of the first of them.
pub(super) type Entitlement = Arc<(Named, BTreeSet<Subject>)>;

/// The lists of sources, as of the last event that was taken in, and which subjects belong together by them.
pub(super) struct Cache {
    lists: Held<Source, List>,
    /// By each subject. All of one go together, so that no subject stays that belongs to more by now.
    entitlements: HashMap<Subject, Entitlement>,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            lists: Held::new(HELD_MAX),
            entitlements: HashMap::new(),
        }
    }
}

impl Cache {
    /// The events of a source, if they are held.
    pub fn get(&mut self, source: &Source) -> Option<List> {
        self.lists.get(source, |list| list.len())
    }

    /// Holds the events of a source.
    pub fn put(&mut self, source: &Source, events: &List) {
        let list = Arc::clone(events);
        self.lists.put(source.clone(), list, events.len());
    }

    /// The entitlement of a subject, if it is held.
    pub fn entitlement(&self, of: &Subject) -> Option<Entitlement> {
        self.entitlements.get(of).cloned()
    }

    /// Holds an entitlement.
    pub fn put_entitlement(&mut self, entitlement: &Entitlement) {
        if self.entitlements.len() >= MEMBERS_HELD_MAX {
            self.entitlements.clear();
        }
        for member in &entitlement.1 {
            let entitlement = Arc::clone(entitlement);
            self.entitlements.insert(member.clone(), entitlement);
        }
    }

    /// Adds an event that was recorded to the lists that are held; others have it already.
    pub fn add(&mut self, event: &Event, lists: &BTreeSet<Source>, is_hidden: bool) {
        for subject in event.subjects() {
            if let Some(entitlement) = self.entitlements.remove(&subject) {
                for member in &entitlement.1 {
                    self.entitlements.remove(member);
                }
            }
        }
        let mut input: Option<Input> = None;
        let order = event.order();
        for source in lists {
            let Some(held) = self.lists.get_mut(source) else {
                continue;
            };
            let place = held.partition_point(|input| input.event.order() < order);
            if held
                .get(place)
                .is_some_and(|held| held.event.id == event.id)
            {
                continue;
            }
            let input = input.get_or_insert_with(|| input_of(event, is_hidden));
            Arc::make_mut(held).insert(place, input.clone());
        }
    }

    /// Lets go of the lists that an event is in: something else is known of it now.
    pub fn forget(&mut self, lists: &BTreeSet<Source>) {
        for source in lists {
            self.lists.remove(source);
        }
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        self.lists.clear();
        self.entitlements.clear();
    }
}

/// An event as histories have it: without ciphertext.
fn input_of(event: &Event, is_hidden: bool) -> Input {
    let mut event = event.clone();
    event
        .fact
        .visit_sealed(&mut |_, sealed| *sealed = Sealed::empty([0; 16]));
    // That anything stands instead of it is all that matters here.
    let hidden = Replacer {
        position: Position(0),
        id: event.id,
    };
    Input {
        event: Arc::new(event),
        replaced_by: if is_hidden { vec![hidden] } else { Vec::new() },
    }
}
