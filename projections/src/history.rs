//! Histories: the events of a log by subject, in the order in which they are folded.

use crate::seen::{Point, Seen};
use crate::source::{Change, Input, Replacer, Source, Unread};
use crate::view::projection;
use ledger::event::{Event, EventRef, KindId};
use ledger::id::{EventId, Name, Position};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::{Bound, Deref};
use std::sync::{Arc, OnceLock};

/// All events of a log, by subject, in memory. Costs memory in proportion to the log.
#[derive(Debug, Default)]
pub struct Histories {
    /// In fold order.
    events: Vec<Input>,
    by_subject: HashMap<Subject, Vec<u32>>,
    by_id: HashMap<EventId, u32>,
    /// Sorted when somebody asks for it.
    subjects: OnceLock<BTreeSet<Subject>>,
}

impl Histories {
    /// Gathers events, in whatever order they come. An id that comes twice counts once.
    pub fn gather(events: impl IntoIterator<Item = Event>) -> Self {
        let mut events: Vec<Event> = events.into_iter().collect();
        events.sort_by_cached_key(|event| (event.order(), event.position));
        events.dedup_by_key(|event| event.id);
        let input = |event| Input {
            event: Arc::new(event),
            replaced_by: Vec::new(),
        };
        let mut histories = Self {
            events: events.into_iter().map(input).collect(),
            ..Self::default()
        };
        for (index, input) in (0_u32..).zip(&histories.events) {
            histories.by_id.insert(input.event.id, index);
            for subject in input.event.subjects() {
                histories.by_subject.entry(subject).or_default().push(index);
            }
        }
        histories.find_replacements();
        histories
    }

    /// A correction stands instead of the event that it names; a revised record stands instead of
    /// the one that its source gave before (the later observed one, then the larger id).
    fn find_replacements(&mut self) {
        let mut records: HashMap<RecordKey, Vec<u32>> = HashMap::new();
        for (index, event) in (0_u32..).zip(self.iter()) {
            if let Some(key) = RecordKey::of(event) {
                records.entry(key).or_default().push(index);
            }
        }
        let mut replaced: Vec<(u32, u32)> = Vec::new();
        for versions in records.values().filter(|versions| versions.len() > 1) {
            for older in versions {
                for newer in versions {
                    if self.version(*older) < self.version(*newer) {
                        replaced.push((*older, *newer));
                    }
                }
            }
        }
        for (index, event) in (0_u32..).zip(self.iter()) {
            let old = match &event.corrects {
                None => continue,
                Some(EventRef::Id(id)) => self.by_id.get(id).copied().into_iter().collect(),
                Some(EventRef::Record(source)) => self.given_by(source, index, &records),
            };
            replaced.extend(old.into_iter().map(|old: u32| (old, index)));
        }
        for (old, new) in replaced {
            let new = self.get(new).map(|event| Replacer {
                position: event.position,
                id: event.id,
            });
            let old = usize::try_from(old).ok();
            let old = old.and_then(|old| self.events.get_mut(old));
            if let Some((old, new)) = old.zip(new) {
                old.replaced_by.push(new);
            }
        }
    }

    /// The events that a record gave: of one record that gave several, the one of the correction's
    /// own kind is meant, and of several of those all.
    fn given_by(
        &self,
        source: &ledger::event::Source,
        correction: u32,
        records: &HashMap<RecordKey, Vec<u32>>,
    ) -> Vec<u32> {
        let kind = self.get(correction).map(|event| event.kind().id);
        let keys = records.iter().filter(|(key, _)| {
            key.system == source.system
                && Some(&key.record) == source.record.as_ref()
                && Some(key.kind) == kind
        });
        let all = keys.flat_map(|(_, indices)| indices.iter().copied());
        all.filter(|index| *index != correction).collect()
    }

    fn version(&self, index: u32) -> Option<(Timestamp, EventId)> {
        let event = self.get(index)?;
        Some((event.observed(), event.id))
    }

    fn input(&self, index: u32) -> Option<&Input> {
        self.events.get(usize::try_from(index).ok()?)
    }

    fn get(&self, index: u32) -> Option<&Event> {
        self.input(index).map(|input| &*input.event)
    }

    fn iter(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().map(|input| &*input.event)
    }

    fn indices(&self, subject: &Subject) -> &[u32] {
        self.by_subject.get(subject).map_or(&[], Vec::as_slice)
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is no event at all.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The latest instant at which anything can have happened, over all events.
    pub fn latest_occurred(&self) -> Option<Timestamp> {
        self.iter().map(|event| event.occurred_at.last()).max()
    }

    /// The last position.
    pub fn end(&self) -> Position {
        let last = self.iter().map(|event| event.position).max();
        last.unwrap_or_default()
    }

    /// The position of the last event that was recorded at an instant or before.
    pub fn position_at(&self, recorded: Timestamp) -> Position {
        let known = self.iter().filter(|e| e.recorded_at <= recorded);
        known.map(|event| event.position).max().unwrap_or_default()
    }

    /// The histories as they are seen from a point in both times.
    pub fn at(&self, point: Point) -> At<'_> {
        At {
            histories: self,
            seen: Seen::new(self, point),
        }
    }

    fn sorted(&self) -> &BTreeSet<Subject> {
        self.subjects.get_or_init(|| {
            let viewed = self.by_subject.iter().filter(|(subject, indices)| {
                projection(subject.kind).is_some_and(|projection| {
                    let mut events = indices.iter().filter_map(|index| self.get(*index));
                    events.any(|event| {
                        let kind = event.kind().id;
                        let mut changes = false;
                        if projection.counts(kind) {
                            (projection.steps)(event, subject, &mut |_| changes = true);
                        }
                        changes || projection.takes(kind)
                    })
                })
            });
            viewed.map(|(subject, _)| subject.clone()).collect()
        })
    }
}

impl Source for Histories {
    fn inputs(&self, subject: &Subject) -> Result<Vec<Input>, Unread> {
        let inputs = self.indices(subject).iter();
        Ok(inputs.filter_map(|i| self.input(*i).cloned()).collect())
    }

    fn changes(&self, subject: &Subject, visit: &mut dyn FnMut(&Change)) -> Result<(), Unread> {
        let Some(projection) = projection(subject.kind) else {
            return Ok(());
        };
        for input in self.indices(subject).iter().filter_map(|i| self.input(*i)) {
            if projection.counts(input.event.kind().id) {
                (projection.steps)(&input.event, subject, &mut |step| {
                    let mut change = Change::of(&input.event, step);
                    change.replaced_by.clone_from(&input.replaced_by);
                    visit(&change);
                });
            }
        }
        Ok(())
    }

    fn subjects(
        &self,
        kind: SubjectKind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Unread> {
        let from = match after {
            None => Bound::Included(Subject::new(kind, "")),
            Some(after) => Bound::Excluded(Subject::new(kind, after)),
        };
        let following = self.sorted().range((from, Bound::Unbounded));
        let of_kind = following.take_while(|subject| subject.kind == kind);
        Ok(of_kind.take(limit).map(|s| s.id.clone()).collect())
    }

    fn end(&self) -> Position {
        self.end()
    }
}

/// What makes two events versions of one record: system, record, kind, and the first subject that
/// the payload names, because one record can tell of several things.
#[derive(PartialEq, Eq, Hash)]
struct RecordKey {
    system: Name,
    record: Name,
    kind: KindId,
    about: Option<Subject>,
}

impl RecordKey {
    fn of(event: &Event) -> Option<Self> {
        let mut subjects = Vec::new();
        event.payload.subjects(&mut subjects);
        Some(Self {
            system: event.source.system.clone(),
            record: event.source.record.clone()?,
            kind: event.kind().id,
            about: subjects.into_iter().next(),
        })
    }
}

/// The histories as they are seen from a [`Point`]: every event, besides what folds read of them
/// (see [`Seen`], which it can stand for).
#[derive(Debug, Clone)]
pub struct At<'a> {
    histories: &'a Histories,
    seen: Seen<'a>,
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

    fn shown(&self, index: u32) -> Option<&'a Event> {
        let input = self.histories.input(index)?;
        self.seen.shows(input).then_some(&*input.event)
    }

    /// Every event, in fold order.
    pub fn all(&self) -> impl Iterator<Item = &'a Event> + '_ {
        (0_u32..)
            .take(self.histories.events.len())
            .filter_map(|index| self.shown(index))
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
        self.shown(*self.histories.by_id.get(&id)?)
    }

    /// Whether any event that is seen names a subject.
    pub fn knows(&self, subject: &Subject) -> bool {
        self.of(subject).next().is_some()
    }

    /// All subjects of a kind that an event names, sorted, with the number of events.
    pub fn subjects(&self, kind: SubjectKind) -> BTreeMap<&'a str, usize> {
        let of_kind = self.histories.by_subject.iter();
        of_kind
            .filter(|(subject, _)| subject.kind == kind)
            .map(|(subject, indices)| {
                let shown = indices.iter().filter(|i| self.shown(**i).is_some());
                (subject.id.as_str(), shown.count())
            })
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}
