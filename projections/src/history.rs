//! Histories: the events of a log by subject, in the order in which they are folded.

use ledger::event::{Event, EventRef, KindId, Source};
use ledger::id::{EventId, Name, Position};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

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

/// All events of a log, by subject, in memory. Costs memory in proportion to the log.
#[derive(Debug, Default)]
pub struct Histories {
    /// In fold order.
    events: Vec<Event>,
    by_subject: HashMap<Subject, Vec<u32>>,
    by_id: HashMap<EventId, u32>,
    /// Every event that another one stands instead of, with those that do.
    replaced: HashMap<u32, Vec<u32>>,
}

impl Histories {
    /// Gathers events, in whatever order they come. An id that comes twice counts once.
    pub fn gather(events: impl IntoIterator<Item = Event>) -> Self {
        let mut events: Vec<Event> = events.into_iter().collect();
        events.sort_by_cached_key(|event| (event.order(), event.position));
        events.dedup_by_key(|event| event.id);
        let mut histories = Self {
            events,
            ..Self::default()
        };
        for (index, event) in (0_u32..).zip(&histories.events) {
            histories.by_id.insert(event.id, index);
            for subject in event.subjects() {
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
        for (index, event) in (0_u32..).zip(&self.events) {
            if let Some(key) = RecordKey::of(event) {
                records.entry(key).or_default().push(index);
            }
        }
        for versions in records.values().filter(|versions| versions.len() > 1) {
            for older in versions {
                for newer in versions {
                    if self.version(*older) < self.version(*newer) {
                        self.replaced.entry(*older).or_default().push(*newer);
                    }
                }
            }
        }
        let mut corrections = Vec::new();
        for (index, event) in (0_u32..).zip(&self.events) {
            let old = match &event.corrects {
                None => continue,
                Some(EventRef::Id(id)) => self.by_id.get(id).copied().into_iter().collect(),
                Some(EventRef::Record(source)) => self.given_by(source, index, &records),
            };
            corrections.extend(old.into_iter().map(|old: u32| (old, index)));
        }
        for (old, new) in corrections {
            self.replaced.entry(old).or_default().push(new);
        }
    }

    /// The events that a record gave: of one record that gave several, the one of the correction's
    /// own kind is meant, and of several of those all.
    fn given_by(
        &self,
        source: &Source,
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

    fn get(&self, index: u32) -> Option<&Event> {
        self.events.get(usize::try_from(index).ok()?)
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
        self.events
            .iter()
            .map(|event| event.occurred_at.last())
            .max()
    }

    /// The last position.
    pub fn end(&self) -> Position {
        let last = self.events.iter().map(|event| event.position).max();
        last.unwrap_or_default()
    }

    /// The position of the last event that was recorded at an instant or before.
    pub fn position_at(&self, recorded: Timestamp) -> Position {
        let known = self.events.iter().filter(|e| e.recorded_at <= recorded);
        known.map(|event| event.position).max().unwrap_or_default()
    }

    /// The histories as they are seen from a point in both times.
    pub fn at(&self, point: Point) -> At<'_> {
        let seen = |index: &u32| {
            self.get(*index)
                .is_some_and(|event| event.position <= point.as_of)
        };
        let hidden = self
            .replaced
            .iter()
            .filter(|(_, by)| by.iter().any(seen))
            .map(|(old, _)| *old)
            .collect();
        At {
            histories: self,
            point,
            hidden,
        }
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

/// The histories as they are seen from a [`Point`].
#[derive(Debug, Clone)]
pub struct At<'a> {
    histories: &'a Histories,
    point: Point,
    hidden: HashSet<u32>,
}

impl<'a> At<'a> {
    /// The point.
    pub fn point(&self) -> Point {
        self.point
    }

    /// The same histories as of the same position, at another instant.
    #[must_use]
    pub fn valid_at(&self, valid_at: Timestamp) -> Self {
        let mut other = self.clone();
        other.point.valid_at = valid_at;
        other
    }

    /// The same histories at the same instant, as of another position.
    #[must_use]
    pub fn as_of(&self, as_of: Position) -> Self {
        let valid_at = self.point.valid_at;
        self.histories.at(Point { as_of, valid_at })
    }

    /// The last position that the point takes in, whether its event is seen or not.
    pub fn end(&self) -> Position {
        self.histories.end().min(self.point.as_of)
    }

    fn shown(&self, index: u32) -> Option<&'a Event> {
        let event = self.histories.get(index)?;
        let shown = event.position <= self.point.as_of
            && event.occurred_at.start <= self.point.valid_at
            && !self.hidden.contains(&index);
        shown.then_some(event)
    }

    /// Every event, in fold order.
    pub fn all(&self) -> impl Iterator<Item = &'a Event> + '_ {
        (0_u32..)
            .take(self.histories.events.len())
            .filter_map(|index| self.shown(index))
    }

    /// The events that name a subject, in fold order.
    pub fn of(&self, subject: &Subject) -> impl Iterator<Item = &'a Event> + '_ {
        let indices = self.histories.by_subject.get(subject);
        let indices = indices.map_or(&[][..], Vec::as_slice);
        indices.iter().filter_map(|index| self.shown(*index))
    }

    /// The events that name any of some subjects, in fold order, each once.
    pub fn of_any<'s>(&self, subjects: impl IntoIterator<Item = &'s Subject>) -> Vec<&'a Event> {
        let mut indices = BTreeSet::new();
        for subject in subjects {
            indices.extend(self.histories.by_subject.get(subject).into_iter().flatten());
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
