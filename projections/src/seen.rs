//! What is seen from a point in both times: the one thing that folds read.

use crate::every::{AnyState, Known};
use crate::policy::Policies;
use crate::source::{Change, Order, Replacer, SUBJECTS_PAGE, Source, Unread, Within};
use crate::view::Fold;
use ledger::event::Event;
use ledger::id::{EventId, Position};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
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
    known: Arc<Known>,
    trouble: Arc<OnceLock<Unread>>,
}

type Remembered = Option<AnyState>;

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
            known: Arc::default(),
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

    fn shows(&self) -> impl Fn(&Order, Position, &[Replacer]) -> bool {
        |order, position, replaced_by| self.passes(order, position, replaced_by)
    }

    /// Where it reads from.
    pub(crate) fn source(&self) -> &'a dyn Source {
        self.source
    }

    /// The same, where states and views are known already.
    pub(crate) fn knowing(&self, known: &Arc<Known>) -> Self {
        Self {
            known: Arc::clone(known),
            ..self.clone()
        }
    }

    /// The ids of all subjects of a kind, in order. Some may have no view at this point.
    pub(crate) fn all_subjects(&self, kind: SubjectKind) -> Vec<Subject> {
        let mut subjects: Vec<Subject> = Vec::new();
        loop {
            let after = subjects.last().map(|subject| subject.id.as_str());
            let page = self.subjects(kind, after, SUBJECTS_PAGE);
            if page.is_empty() {
                return subjects;
            }
            subjects.extend(page.into_iter().map(|id| Subject { kind, id }));
        }
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
        let known = self.known.state(subject);
        let known = known.or_else(|| self.states.borrow().get(subject).cloned());
        let remembered = known.unwrap_or_else(|| {
            let mut state: Option<F::State> = None;
            self.read(self.source.events(subject, &self.shows(), &mut |event| {
                if F::TAKES.contains(&event.kind().id) {
                    F::evolve(state.get_or_insert_default(), subject, event);
                }
            }));
            let state = state.map(|state| Arc::new(state) as _);
            remember(&self.states, subject, &state);
            state
        });
        remembered?.downcast().ok()
    }

    /// Visits the states of some successive subjects, in the order of their ids.
    pub(crate) fn each_state<F: Fold>(
        &self,
        within: &Within,
        visit: &mut dyn FnMut(Subject, F::State),
    ) {
        let mut open: Option<(Subject, F::State)> = None;
        let mut evolve = |subject: &Subject, event: &Event| {
            if !F::TAKES.contains(&event.kind().id) {
                return;
            }
            if let Some((of, state)) = open.as_mut().filter(|(of, _)| of == subject) {
                return F::evolve(state, of, event);
            }
            let mut state = F::State::default();
            F::evolve(&mut state, subject, event);
            if let Some((subject, state)) = open.replace((subject.clone(), state)) {
                visit(subject, state);
            }
        };
        let passed = self
            .source
            .pass(F::KIND, within, &self.shows(), &mut evolve);
        self.read(passed);
        if let Some((subject, state)) = open {
            visit(subject, state);
        }
    }

    /// The view of a subject at this point; `None` if no event that is seen names it.
    pub fn view<F: Fold>(&self, subject: &Subject) -> Option<Arc<F::View>> {
        let known = self.known.view(subject);
        let known = known.map(|view| view.map(|view| view as AnyState));
        let known = known.or_else(|| self.views.borrow().get(subject).cloned());
        let remembered = known.unwrap_or_else(|| {
            let view = self.fold::<F>(subject);
            let view = view.map(|view| Arc::new(view) as _);
            remember(&self.views, subject, &view);
            view
        });
        remembered?.downcast().ok()
    }

    /// [`Seen::view`], folded anew; what it follows is remembered.
    pub(crate) fn fold<F: Fold>(&self, subject: &Subject) -> Option<F::View> {
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
            known: Arc::default(),
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
