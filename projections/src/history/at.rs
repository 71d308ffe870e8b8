//! The histories from a point in both times.

use super::Histories;
use crate::seen::{Point, Seen};
use ledger::event::{Event, KindId};
use ledger::id::{EventId, Position};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

/// The histories as they are seen from a [`Point`]: every event, besides what folds read of them
/// (see [`Seen`], which it can stand for).
#[derive(Debug, Clone)]
pub struct At<'a> {
    pub(super) histories: &'a Histories,
    pub(super) seen: Seen<'a>,
}

impl<'a> Deref for At<'a> {
    type Target = Seen<'a>;

    fn deref(&self) -> &Seen<'a> {
        &self.seen
    }
}

impl<'a> At<'a> {
    /// The point.
    pub fn point(&self) -> Point {
        self.seen.point()
    }

    /// The same histories as of the same position, at another instant.
    #[must_use]
    pub fn valid_at(&self, valid_at: Timestamp) -> Self {
        let as_of = self.point().as_of;
        self.from(Point { as_of, valid_at })
    }

    /// The same histories at the same instant, as of another position.
    #[must_use]
    pub fn as_of(&self, as_of: Position) -> Self {
        let valid_at = self.point().valid_at;
        self.from(Point { as_of, valid_at })
    }

    fn from(&self, point: Point) -> Self {
        Self {
            histories: self.histories,
            seen: self.seen.from(point),
        }
    }

    /// The last position that the point takes in, whether its event is seen or not.
    pub fn end(&self) -> Position {
        self.histories.end().min(self.point().as_of)
    }

    fn shows(&self, index: u32) -> bool {
        self.histories.slot(index).is_some_and(|slot| {
            let replaced_by = self.histories.replaced_by(index);
            self.seen.passes(&slot.order, slot.position, replaced_by)
        })
    }

    fn shown(&self, index: u32) -> Option<&'a Event> {
        self.shows(index).then(|| self.histories.get(index))?
    }

    /// Every event, in fold order.
    pub fn all(&self) -> impl Iterator<Item = &'a Event> + '_ {
        self.all_of(|_| true)
    }

    /// Every event of some kinds, in fold order.
    pub fn all_of(&self, wanted: impl Fn(KindId) -> bool) -> impl Iterator<Item = &'a Event> {
        let indices = (0_u32..).zip(&self.histories.slots);
        let wanted = indices.filter(move |(_, slot)| wanted(slot.kind));
        wanted.filter_map(|(index, _)| self.shown(index))
    }

    /// How many events are seen.
    pub fn count(&self) -> usize {
        let indices = (0_u32..).take(self.histories.slots.len());
        indices.filter(|index| self.shows(*index)).count()
    }

    /// The events that name a subject, in fold order.
    pub fn of(&self, subject: &Subject) -> impl Iterator<Item = &'a Event> + '_ {
        let indices = self.histories.indices(subject);
        indices.iter().filter_map(|index| self.shown(*index))
    }

    /// The events that name any of some subjects, in fold order, each once.
    pub fn of_any<'s>(&self, subjects: impl IntoIterator<Item = &'s Subject>) -> Vec<&'a Event> {
        let mut indices = BTreeSet::new();
        for subject in subjects {
            indices.extend(self.histories.indices(subject));
        }
        indices.into_iter().filter_map(|i| self.shown(i)).collect()
    }

    /// An event by its id.
    pub fn event(&self, id: EventId) -> Option<&'a Event> {
        self.shown(self.histories.index_of(id)?)
    }

    /// Whether any event that is seen names a subject.
    pub fn knows(&self, subject: &Subject) -> bool {
        let indices = self.histories.indices(subject);
        indices.iter().any(|index| self.shows(*index))
    }

    /// Every subject that an event names, in no order, each with the index in fold order of the first event
    /// that does.
    pub fn first_named(&self) -> impl Iterator<Item = (u32, &'a Subject)> + '_ {
        let all = self.histories.by_subject.iter();
        all.filter_map(|(subject, indices)| {
            let first = indices.iter().find(|index| self.shows(**index))?;
            Some((*first, subject))
        })
    }

    /// All subjects of a kind that an event names, sorted, with the number of events.
    pub fn subjects(&self, kind: SubjectKind) -> BTreeMap<&'a str, usize> {
        let of_kind = self.histories.by_subject.iter();
        of_kind
            .filter(|(subject, _)| subject.kind == kind)
            .map(|(subject, indices)| {
                let shown = indices.iter().filter(|index| self.shows(**index));
                (subject.id.as_str(), shown.count())
            })
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}
