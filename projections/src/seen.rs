//! What is seen from a point in both times: the one thing that folds read.

use crate::policy::Policies;
use crate::source::{Change, Input, Order, Replacer, Source, Unread};
use crate::view::{Fold, projection};
use ledger::event::Event;
use ledger::id::{EventId, Position};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A point in both times: what was recorded up to `as_of`, of what had happened up to `valid_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The last position that counts.
    pub as_of: Position,
    /// The last instant that counts.
    pub valid_at: Timestamp,
}

impl Point {
    /// Everything that was ever recorded, up to an instant.
    pub fn valid(valid_at: Timestamp) -> Self {
        Self {
            as_of: Position(u64::MAX),
            valid_at,
        }
    }
}

/// Folds that one [`Seen`] remembers, of each sort; past that it forgets all of them.
const REMEMBERED_FOLDS: usize = 4096;

/// A source as it is seen from a [`Point`], perhaps without some events, or only up to a place in
/// the order of folds. States and views that links lead to are remembered.
///
/// Reading can fail where the source is a disk: folds then go on without what could not be read,
/// and [`Seen::trouble`] says so. Whoever shows what was folded asks it first.
pub struct Seen<'a> {
    source: &'a dyn Source,
    point: Point,
    policies: Policies,
    without: BTreeSet<EventId>,
    until: Option<Order>,
    states: RefCell<HashMap<Subject, Remembered>>,
    views: RefCell<HashMap<Subject, Remembered>>,
    trouble: Arc<OnceLock<Unread>>,
}

type Remembered = Option<Arc<dyn Any + Send + Sync>>;

impl<'a> Seen<'a> {
    /// A source as it is seen from a point, under the default policies.
    pub fn new(source: &'a dyn Source, point: Point) -> Self {
        Self {
            source,
            point,
            policies: Policies::default(),
            without: BTreeSet::new(),
            until: None,
            states: RefCell::default(),
            views: RefCell::default(),
            trouble: Arc::default(),
        }
    }

    /// The same from another point.
    #[must_use]
    pub fn from(&self, point: Point) -> Self {
        Self {
            point,
            ..self.clone()
        }
    }

    /// The same under other policies, where events name none.
    #[must_use]
    pub fn under(&self, policies: Policies) -> Self {
        Self {
            policies,
            ..self.clone()
        }
    }

    /// The same without some events: as if they had never been recorded.
    #[must_use]
    pub fn without(&self, events: impl IntoIterator<Item = EventId>) -> Self {
        let mut other = self.clone();
        other.without.extend(events);
        other
    }

    /// The same with nothing that comes after a place in the order of folds. The point, and with it
    /// what the passing of time does, stays.
    #[must_use]
    pub fn until(&self, order: Order) -> Self {
        Self {
            until: Some(order),
            ..self.clone()
        }
    }

    /// The point.
    pub fn point(&self) -> Point {
        self.point
    }

    /// The UTC day of the point.
    pub fn today(&self) -> Date {
        self.point.valid_at.date()
    }

    /// The instant of the point.
    pub fn now(&self) -> Timestamp {
        self.point.valid_at
    }

    /// The policies that decide where events name none.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The first read that failed, here or in anything that was made of this or that this was made
    /// of: what was folded then lacks something.
    pub fn trouble(&self) -> Option<Unread> {
        self.trouble.get().cloned()
    }

    fn read<T: Default>(&self, read: Result<T, Unread>) -> T {
        read.unwrap_or_else(|unread| {
            self.trouble.get_or_init(|| unread);
            T::default()
        })
    }

    /// Whether an event at a place in the order of folds is seen.
    pub(crate) fn passes(
        &self,
        order: &Order,
        position: Position,
        replaced_by: &[Replacer],
    ) -> bool {
        let left_out = |id: &EventId| !self.without.is_empty() && self.without.contains(id);
        let (start, _, id) = order;
        position <= self.point.as_of
            && *start <= self.point.valid_at
            && self.until.as_ref().is_none_or(|last| order <= last)
            && !left_out(id)
            && !replaced_by
                .iter()
                .any(|by| by.position <= self.point.as_of && !left_out(&by.id))
    }

    /// Whether an event is seen.
    pub fn shows(&self, input: &Input) -> bool {
        let event = &input.event;
        self.passes(&event.order(), event.position, &input.replaced_by)
    }

    /// The events that a subject's projection takes and that are seen, in fold order.
    pub fn inputs(&self, subject: &Subject) -> Vec<Arc<Event>> {
        let Some(projection) = projection(subject.kind) else {
            return Vec::new();
        };
        let inputs = self.read(self.source.inputs(subject));
        inputs
            .into_iter()
            .filter(|input| projection.takes(input.event.kind().id) && self.shows(input))
            .map(|input| input.event)
            .collect()
    }

    /// The changes of a subject's counters that are seen, in fold order.
    pub fn changes(&self, subject: &Subject, visit: &mut dyn FnMut(&Change)) {
        let mut seen = |change: &Change| {
            if self.passes(&change.order, change.position, &change.replaced_by) {
                visit(change);
            }
        };
        self.read(self.source.changes(subject, &mut seen));
    }

    /// The ids of a kind's subjects, in order, a page at a time. Some may have no view at this point.
    pub fn subjects(&self, kind: SubjectKind, after: Option<&str>, limit: usize) -> Vec<String> {
        self.read(self.source.subjects(kind, after, limit))
    }

    /// The fold of a subject's own inputs, without its counters; `None` if no event that is seen
    /// names it.
    pub fn state<F: Fold>(&self, subject: &Subject) -> Option<Arc<F::State>> {
        let known = self.states.borrow().get(subject).cloned();
        let remembered = known.unwrap_or_else(|| {
            let mut state = None;
            for event in self.inputs(subject) {
                F::evolve(state.get_or_insert_default(), subject, &event);
            }
            let state = state.map(|state: F::State| Arc::new(state) as _);
            remember(&self.states, subject, &state);
            state
        });
        remembered?.downcast().ok()
    }

    /// The view of a subject at this point; `None` if no event that is seen names it.
    pub fn view<F: Fold>(&self, subject: &Subject) -> Option<Arc<F::View>> {
        let known = self.views.borrow().get(subject).cloned();
        let remembered = known.unwrap_or_else(|| {
            let view = self.fold::<F>(subject);
            let view = view.map(|view| Arc::new(view) as _);
            remember(&self.views, subject, &view);
            view
        });
        remembered?.downcast().ok()
    }

    fn fold<F: Fold>(&self, subject: &Subject) -> Option<F::View> {
        let state = self.state::<F>(subject);
        if F::SERIES.is_empty() {
            return F::view(&*state?, subject, self);
        }
        let mut counted = state.map(|state| F::State::clone(&state));
        self.changes(subject, &mut |change| {
            F::tally(counted.get_or_insert_default(), change);
        });
        F::view(&counted?, subject, self)
    }
}

fn remember(folds: &RefCell<HashMap<Subject, Remembered>>, subject: &Subject, fold: &Remembered) {
    let mut folds = folds.borrow_mut();
    if folds.len() >= REMEMBERED_FOLDS {
        folds.clear();
    }
    folds.insert(subject.clone(), fold.clone());
}

impl Clone for Seen<'_> {
    /// The same view of the same source; what was remembered is not taken along.
    fn clone(&self) -> Self {
        Self {
            source: self.source,
            point: self.point,
            policies: self.policies,
            without: self.without.clone(),
            until: self.until,
            states: RefCell::default(),
            views: RefCell::default(),
            trouble: Arc::clone(&self.trouble),
        }
    }
}

impl fmt::Debug for Seen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen")
            .field("point", &self.point)
            .field("without", &self.without)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
