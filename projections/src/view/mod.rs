//! Views: what each entity looked like at a point in both times. One file each.
//!
//! Every view is a pure fold over the histories that it declares to follow; see each file's head.

pub mod activation;
pub mod agreement;
pub mod case;
pub mod credit;
pub mod customer;
pub mod email;
pub mod finding;
pub mod key;
pub mod lag;
pub mod link;
pub mod order;
pub mod partner;
pub mod pcn;
pub mod person;
pub mod redemption;
pub mod seat;
pub mod session;
pub mod subscription;
pub mod tenant;

use crate::every::{AnyState, every};
use crate::seen::Seen;
use crate::source::{Change, Step, Unread, Within};
use ledger::event::{Event, KindId};
use ledger::subject::{Subject, SubjectKind};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::any::Any;
use std::fmt::Display;
use std::sync::Arc;

/// The numbers of some event kinds.
macro_rules! kind_ids {
    ($($kind:ident)*) => {
        &[$(<ledger::event::kinds::$kind as ledger::event::Kind>::INFO.id),*]
    };
}
pub(crate) use kind_ids;

/// A projection: what the events that name one kind of subject add up to. Stateless code; what it
/// reads is its *fold inputs*, the events of the kinds that it takes.
///
/// `evolve` and `view` are pure and total: whatever the history holds, they neither fail nor panic.
pub trait Fold {
    /// What its events add up to. It does not depend on when one looks.
    type State: Default + Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static;
    /// What it looked like at a point.
    type View: Serialize + Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static;

    /// The subjects that it has a view of.
    const KIND: SubjectKind;
    /// What the view shows.
    const DOC: &'static str;
    /// The kinds of subjects whose views it follows. No kind follows itself, however far around.
    const FOLLOWS: &'static [SubjectKind];
    /// The kinds of subjects whose states it reads. A state follows nothing, so anybody may read it.
    const READS: &'static [SubjectKind];
    /// Raised when the same inputs give another view than before.
    const VERSION: u16;
    /// The event kinds that `evolve` reads. Any other one never changes the state, and does not make a
    /// subject known that nothing else names.
    const TAKES: &'static [KindId];
    /// The fields of the view that tell what happened rather than how things stand: where two histories
    /// amount to the same, they may still differ in these.
    const TRACES: &'static [&'static str] = &[];
    /// The event kinds that come as [`Change`]s of counters; none of them is in `TAKES`.
    const SERIES: &'static [KindId] = &[];

    /// Takes one event in. Called in fold order with the events that name the subject.
    fn evolve(state: &mut Self::State, subject: &Subject, event: &Event);

    /// What an event of a kind in `SERIES` changes of the subject's counters.
    fn steps(_event: &Event, _subject: &Subject, _emit: &mut dyn FnMut(Step)) {}

    /// Takes one change of a counter in. Called in fold order, after all events, for the subject's own
    /// view only: a state that is read through a link has no counters, which can be long.
    fn tally(_state: &mut Self::State, _change: &Change) {}

    /// What the state amounts to at a point: applies the passing of time, and follows links. `None`
    /// only where the subject's id is none of its kind.
    fn view(state: &Self::State, subject: &Subject, seen: &Seen<'_>) -> Option<Self::View>;
}

/// A view, whatever its type.
pub trait AnyView: Any + Send + Sync {
    /// The view as JSON.
    fn json(&self) -> Option<Value>;
}

impl<V: Serialize + Send + Sync + 'static> AnyView for V {
    fn json(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }
}

/// What is done with every view.
pub(crate) type VisitView<'v> = dyn FnMut(&Subject, &dyn AnyView) + 'v;

/// One projection, whatever its types: an entry of the registry.
#[derive(Debug)]
pub struct Projection {
    /// The subjects that it has a view of.
    pub kind: SubjectKind,
    /// What the view shows.
    pub doc: &'static str,
    /// See [`Fold::FOLLOWS`].
    pub follows: &'static [SubjectKind],
    /// See [`Fold::READS`].
    pub reads: &'static [SubjectKind],
    /// See [`Fold::VERSION`].
    pub version: u16,
    /// See [`Fold::TRACES`].
    pub traces: &'static [&'static str],
    /// See [`Fold::TAKES`].
    pub takes: &'static [KindId],
    /// See [`Fold::SERIES`].
    pub series: &'static [KindId],
    /// See [`Fold::steps`].
    pub steps: fn(&Event, &Subject, &mut dyn FnMut(Step)),
    /// Folds the view of a subject; `None` if no event that is seen names it.
    pub view: fn(&Seen<'_>, &Subject) -> Option<Arc<dyn AnyView>>,
    /// Folds the states of some successive subjects.
    pub(crate) states: fn(&Seen<'_>, &Within) -> Vec<(Subject, AnyState)>,
    /// Folds the views of some successive subjects, which have no counters, and visits them.
    pub(crate) pass: fn(&Seen<'_>, &Within, &mut VisitView<'_>),
}

impl Projection {
    /// The entry of a projection.
    pub const fn of<F: Fold>() -> Self {
        Self {
            kind: F::KIND,
            doc: F::DOC,
            follows: F::FOLLOWS,
            reads: F::READS,
            version: F::VERSION,
            traces: F::TRACES,
            takes: F::TAKES,
            series: F::SERIES,
            steps: F::steps,
            view: |seen, subject| Some(Arc::new(seen.fold::<F>(subject)?)),
            states: |seen, within| {
                let mut states: Vec<(Subject, AnyState)> = Vec::new();
                seen.each_state::<F>(within, &mut |subject, state| {
                    states.push((subject, Arc::new(state)));
                });
                states
            },
            pass: |seen, within, visit| {
                seen.each_state::<F>(within, &mut |subject, state| {
                    if let Some(view) = F::view(&state, &subject, seen) {
                        visit(&subject, &view);
                    }
                });
            },
        }
    }

    /// Folds the view of a subject, as JSON; `None` if no event that is seen names it.
    pub fn fold(&self, seen: &Seen<'_>, subject: &Subject) -> Option<Value> {
        (self.view)(seen, subject)?.json()
    }

    /// Whether events of a kind are inputs of it.
    pub fn takes(&self, kind: KindId) -> bool {
        self.takes.contains(&kind)
    }

    /// Whether events of a kind change counters of it.
    pub fn counts(&self, kind: KindId) -> bool {
        self.series.contains(&kind)
    }
}

/// Every projection.
pub const PROJECTIONS: &[Projection] = &[
    Projection::of::<customer::Customer>(),
    Projection::of::<partner::Partner>(),
    Projection::of::<agreement::Agreement>(),
    Projection::of::<pcn::Pcn>(),
    Projection::of::<order::Order>(),
    Projection::of::<key::Key>(),
    Projection::of::<email::Email>(),
    Projection::of::<link::Link>(),
    Projection::of::<activation::Activation>(),
    Projection::of::<session::Session>(),
    Projection::of::<person::Person>(),
    Projection::of::<tenant::Tenant>(),
    Projection::of::<subscription::Subscription>(),
    Projection::of::<redemption::Redemption>(),
    Projection::of::<credit::Credit>(),
    Projection::of::<seat::Seat>(),
    Projection::of::<case::Case>(),
    Projection::of::<finding::Finding>(),
];

/// The projection of a kind of subject, if there is one.
pub fn projection(kind: SubjectKind) -> Option<&'static Projection> {
    PROJECTIONS
        .iter()
        .find(|projection| projection.kind == kind)
}

/// The view of a subject, as JSON; `None` if there is no projection of its kind, or no event that is
/// seen and that it takes names it. Costs by the histories that it follows.
pub fn view(seen: &Seen<'_>, subject: &Subject) -> Option<Value> {
    projection(subject.kind)?.fold(seen, subject)
}

/// Visits the subjects of a kind that have a view, in order of their ids.
pub fn each_view(seen: &Seen<'_>, projection: &Projection, visit: &mut dyn FnMut(Subject, Value)) {
    let mut after: Option<String> = None;
    loop {
        let page = seen.subjects(
            projection.kind,
            after.as_deref(),
            crate::source::SUBJECTS_PAGE,
        );
        for id in &page {
            let subject = Subject::new(projection.kind, id);
            if let Some(view) = projection.fold(seen, &subject) {
                visit(subject, view);
            }
        }
        after = match page.into_iter().next_back() {
            Some(last) => Some(last),
            None => return,
        };
    }
}

/// The BLAKE3 of the digests of the views of all subjects of every projection, as JSON, in a fixed order: equal
/// for equal events, whatever order they were imported in. No view holds a position, a revision or a recorded
/// time. Costs as [`every`].
pub fn state_hash(seen: &Seen<'_>) -> Result<String, Unread> {
    let digests = every(seen, 1, |digests: &mut Vec<u8>, subject, view| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(subject.to_string().as_bytes());
        hasher.update(b"\n");
        if let Some(view) = view.json() {
            hasher.update(view.to_string().as_bytes());
        }
        digests.extend_from_slice(hasher.finalize().as_bytes());
    })?;
    let mut hasher = blake3::Hasher::new();
    digests.iter().for_each(|digests| {
        hasher.update(digests);
    });
    Ok(hasher.finalize().to_hex().to_string())
}

/// Serializes a value as its text, for types whose own serde form is the stored one.
pub(crate) fn shown<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// [`shown`] for a value that may be absent.
pub(crate) fn shown_option<T: Display, S: Serializer>(
    value: &Option<T>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}

/// [`shown`] for several values.
pub(crate) fn shown_each<'v, C, T, S>(values: &'v C, to: S) -> Result<S::Ok, S::Error>
where
    &'v C: IntoIterator<Item = &'v T>,
    T: Display + 'v,
    S: Serializer,
{
    to.collect_seq(values.into_iter().map(ToString::to_string))
}

/// [`shown`] for the values of a map.
pub(crate) fn shown_values<K: Serialize, T: Display, S: Serializer>(
    values: &std::collections::BTreeMap<K, T>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_map(values.iter().map(|(key, value)| (key, value.to_string())))
}
