//! Histories: the events of a log by subject, in the order in which they are folded.

mod at;

pub use at::At;

use crate::packed::{pack, unpack};
use crate::seen::{Point, Seen};
use crate::source::{Change, Input, Order, Replacer, Source, Unread, Watch};
use crate::view::projection;
use ledger::event::codec::CodecError;
use ledger::event::walk::Outline;
use ledger::event::{Event, EventRef, KINDS, KindId};
use ledger::id::{EventId, Name, Position};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// All events of a log, by subject, in memory. Costs memory in proportion to the log.
#[derive(Default)]
pub struct Histories {
    /// In fold order.
    slots: Vec<Slot>,
    /// What events are unpacked from that nobody has looked at yet.
    packed: Vec<Vec<u8>>,
    /// Which of them were unpacked since the last time that they were let go of.
    looked_at: Mutex<Vec<u32>>,
    /// The first of them that could not be decoded.
    unreadable: OnceLock<(Position, CodecError)>,
    /// What stands instead of the few events that anything does.
    replaced_by: HashMap<u32, Vec<Replacer>>,
    by_subject: HashMap<Subject, Vec<u32>>,
    /// Indices in the order of their events' ids, once somebody asks for an id.
    by_id: OnceLock<Vec<u32>>,
    /// Sorted when somebody asks for it.
    subjects: OnceLock<BTreeSet<Subject>>,
    /// Who is told what is looked up.
    watch: Option<Arc<dyn Watch>>,
}

impl std::fmt::Debug for Histories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Histories")
            .field("events", &self.slots.len())
            .finish_non_exhaustive()
    }
}

/// What is known of an event without unpacking it, and the event once it was unpacked.
#[derive(Debug)]
struct Slot {
    order: Order,
    position: Position,
    kind: KindId,
    place: Place,
    event: OnceLock<Arc<Event>>,
}

/// Where an event is packed.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    part: u32,
    offset: u32,
}

impl Slot {
    fn of(event: Arc<Event>) -> Self {
        Self {
            order: event.order(),
            position: event.position,
            kind: event.kind().id,
            place: Place::default(),
            event: OnceLock::from(event),
        }
    }
}

/// So many bytes of packed events are in one piece of memory.
const PART_LENGTH_BYTES: usize = 4 << 20;

/// Events that are being packed, in whatever order they come.
#[derive(Debug, Default)]
pub struct Packing {
    /// In pieces, so that none has to grow.
    slots: Vec<Vec<Slot>>,
    parts: Vec<Vec<u8>>,
    scratch: Vec<u8>,
}

/// So many slots are in one piece.
const PIECE: usize = 1 << 14;

/// The rank of a kind. Every kind of a stored event has one.
fn rank(kind: KindId) -> u16 {
    static RANKS: OnceLock<Vec<u16>> = OnceLock::new();
    let ranks = RANKS.get_or_init(|| {
        let last = KINDS.iter().map(|kind| kind.id.0).max().unwrap_or(0);
        let mut ranks = vec![0; usize::from(last) + 1];
        for kind in KINDS {
            if let Some(rank) = ranks.get_mut(usize::from(kind.id.0)) {
                *rank = kind.rank;
            }
        }
        ranks
    });
    ranks.get(usize::from(kind.0)).copied().unwrap_or(0)
}

impl Packing {
    /// Packs a stored event, whose outline was read; what is sealed is left out. `None` if there is more than
    /// can be packed: 16 TiB of events, or one of 4 GiB.
    pub fn add(&mut self, outline: &Outline, stored: &[u8]) -> Option<()> {
        let is_full = |part: &Vec<u8>| part.len() >= PART_LENGTH_BYTES;
        if self.parts.last().is_none_or(is_full) {
            // An event is a megabyte at most; nearly all are some hundred bytes.
            self.parts
                .push(Vec::with_capacity(PART_LENGTH_BYTES + 4096));
        }
        let part = u32::try_from(self.parts.len().checked_sub(1)?).ok()?;
        let bytes = self.parts.last_mut()?;
        let offset = u32::try_from(bytes.len()).ok()?;
        pack(outline, stored, &mut self.scratch, bytes)?;
        let is_full = |piece: &Vec<Slot>| piece.len() >= PIECE;
        if self.slots.last().is_none_or(is_full) {
            self.slots.push(Vec::with_capacity(PIECE));
        }
        self.slots.last_mut()?.push(Slot {
            order: (outline.occurred(), rank(outline.kind()), outline.id()),
            position: outline.position(),
            kind: outline.kind(),
            place: Place { part, offset },
            event: OnceLock::new(),
        });
        Some(())
    }

    /// Takes in what somebody else packed.
    pub fn join(&mut self, mut other: Self) {
        let before = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        for slot in other.slots.iter_mut().flatten() {
            slot.place.part = slot.place.part.saturating_add(before);
        }
        self.slots.extend(other.slots);
        self.parts.extend(other.parts);
    }
}

impl Histories {
    /// Gathers events, in whatever order they come. An id that comes twice counts once.
    pub fn gather(events: impl IntoIterator<Item = Event>) -> Self {
        let mut histories = Self::sorted(events.into_iter().map(Arc::new));
        for (index, slot) in (0_u32..).zip(&histories.slots) {
            let event = slot.event.get();
            for subject in event.into_iter().flat_map(|event| event.subjects()) {
                histories.by_subject.entry(subject).or_default().push(index);
            }
        }
        histories.find_replacements();
        histories
    }

    /// Gathers events of which none is hidden by another. No subject has a history before
    /// [`Histories::index`].
    pub fn seen(events: impl IntoIterator<Item = Arc<Event>>) -> Self {
        Self::sorted(events)
    }

    /// The histories of some subjects, each all that names it in fold order; and other events, which come
    /// without a subject. No other subject has a history here; `watch` is told who is asked for. Costs a merge
    /// of the lists.
    pub fn of_lists<'l>(
        lists: impl IntoIterator<Item = (Option<&'l Subject>, &'l [Input])>,
        watch: Option<Arc<dyn Watch>>,
    ) -> Self {
        let mut of_list: Vec<(Option<&Subject>, Vec<u32>)> = Vec::new();
        let mut entries: Vec<(Order, Position, usize, &Input)> = Vec::new();
        for (subject, inputs) in lists {
            let list = of_list.len();
            of_list.push((subject, Vec::with_capacity(inputs.len())));
            entries.extend(inputs.iter().map(|input| {
                let event = &input.event;
                (event.order(), event.position, list, input)
            }));
        }
        // Each list is in order already, which a stable sort makes use of.
        entries.sort_by_key(|(order, position, ..)| (*order, *position));
        let mut histories = Self::default();
        let mut index = 0;
        for (order, _, list, input) in entries {
            let last = histories.slots.last();
            if last.is_none_or(|last| last.order.2 != order.2) {
                index = u32::try_from(histories.slots.len()).unwrap_or(u32::MAX);
                histories.slots.push(Slot::of(Arc::clone(&input.event)));
                if !input.replaced_by.is_empty() {
                    let replaced_by = input.replaced_by.clone();
                    histories.replaced_by.insert(index, replaced_by);
                }
            }
            if let Some((_, indices)) = of_list.get_mut(list)
                && indices.last() != Some(&index)
            {
                indices.push(index);
            }
        }
        let by_subject = of_list.into_iter();
        let by_subject = by_subject.filter_map(|(of, indices)| Some((of?.clone(), indices)));
        histories.by_subject = by_subject.collect();
        histories.watch = watch;
        histories
    }

    fn sorted(events: impl IntoIterator<Item = Arc<Event>>) -> Self {
        let mut slots: Vec<Slot> = events.into_iter().map(Slot::of).collect();
        slots.sort_unstable_by_key(|slot| (slot.order, slot.position));
        slots.dedup_by_key(|slot| slot.order.2);
        Self {
            slots,
            ..Self::default()
        }
    }

    /// Histories of packed events of which none is hidden by another, without those of some ids. They
    /// are unpacked when somebody looks at them, and stay so until [`Histories::forget`]. No subject
    /// has a history before [`Histories::index`].
    pub fn packed(packing: Packing, hidden: &HashSet<EventId>) -> Self {
        let is_seen = |slot: &Slot| hidden.is_empty() || !hidden.contains(&slot.order.2);
        let mut slots = Vec::with_capacity(packing.slots.iter().map(Vec::len).sum());
        for piece in packing.slots {
            slots.extend(piece.into_iter().filter(is_seen));
        }
        slots.sort_unstable_by_key(|slot| (slot.order, slot.position));
        slots.dedup_by_key(|slot| slot.order.2);
        Self {
            slots,
            packed: packing.parts,
            ..Self::default()
        }
    }

    /// Says which events name which subjects: indices in fold order, each list sorted.
    pub fn index(&mut self, by_subject: HashMap<Subject, Vec<u32>>) {
        self.by_subject = by_subject;
    }

    /// Lets go of what was unpacked.
    pub fn forget(&mut self) {
        let looked_at = self.looked_at.get_mut();
        let looked_at = looked_at.unwrap_or_else(PoisonError::into_inner);
        for index in looked_at.drain(..) {
            let index = usize::try_from(index).ok();
            if let Some(slot) = index.and_then(|index| self.slots.get_mut(index)) {
                slot.event.take();
            }
        }
    }

    /// The first packed event that somebody looked at and that could not be decoded, which no event is that
    /// this program stored: whoever looked was told that there is none.
    pub fn unreadable(&self) -> Option<&(Position, CodecError)> {
        self.unreadable.get()
    }

    /// Every event with its index, in fold order.
    pub fn events(&self) -> impl Iterator<Item = (u32, &Event)> {
        let indices = (0_u32..).take(self.slots.len());
        indices.filter_map(|index| Some((index, &**self.unpacked_once(index)?)))
    }

    /// Where an event comes in fold order, and its kind, without unpacking it.
    pub fn order(&self, index: u32) -> Option<(Order, KindId)> {
        let slot = self.slot(index)?;
        Some((slot.order, slot.kind))
    }

    /// An event by its index in fold order, unpacked for the caller alone.
    pub fn unpack(&self, index: u32, scratch: &mut Vec<u8>) -> Option<Event> {
        let slot = self.slot(index)?;
        match slot.event.get() {
            Some(event) => Some(Event::clone(event)),
            None => self.unpacked(slot, scratch),
        }
    }

    fn unpacked(&self, slot: &Slot, scratch: &mut Vec<u8>) -> Option<Event> {
        let part = self.packed.get(usize::try_from(slot.place.part).ok()?)?;
        let bytes = part.get(usize::try_from(slot.place.offset).ok()?..)?;
        match unpack(bytes, scratch)?.0 {
            Ok(event) => Some(event),
            Err(error) => {
                self.unreadable.get_or_init(|| (slot.position, error));
                None
            }
        }
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
                Some(EventRef::Id(id)) => self.index_of(*id).into_iter().collect(),
                Some(EventRef::Record(source)) => self.given_by(source, index, &records),
            };
            replaced.extend(old.into_iter().map(|old: u32| (old, index)));
        }
        for (old, new) in replaced {
            let new = self.slot(new).map(|slot| Replacer {
                position: slot.position,
                id: slot.order.2,
            });
            self.replaced_by.entry(old).or_default().extend(new);
        }
    }

    fn index_of(&self, id: EventId) -> Option<u32> {
        let id_of = |index: &u32| self.slot(*index).map(|slot| slot.order.2);
        let by_id = self.by_id.get_or_init(|| {
            let mut indices: Vec<u32> = (0_u32..).take(self.slots.len()).collect();
            indices.sort_unstable_by_key(id_of);
            indices
        });
        let place = by_id.binary_search_by_key(&Some(id), id_of);
        if let (Err(_), Some(watch)) = (place, &self.watch) {
            watch.missed(id);
        }
        by_id.get(place.ok()?).copied()
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

    fn slot(&self, index: u32) -> Option<&Slot> {
        self.slots.get(usize::try_from(index).ok()?)
    }

    fn event(&self, index: u32) -> Option<Arc<Event>> {
        self.unpacked_once(index).cloned()
    }

    fn unpacked_once(&self, index: u32) -> Option<&Arc<Event>> {
        let slot = self.slot(index)?;
        if slot.event.get().is_none() {
            let event = Arc::new(self.unpacked(slot, &mut Vec::new())?);
            let looked_at = self.looked_at.lock();
            let mut looked_at = looked_at.unwrap_or_else(PoisonError::into_inner);
            looked_at.push(index);
            return Some(slot.event.get_or_init(|| event));
        }
        slot.event.get()
    }

    fn replaced_by(&self, index: u32) -> &[Replacer] {
        match self.replaced_by.is_empty() {
            true => &[],
            false => self.replaced_by.get(&index).map_or(&[], Vec::as_slice),
        }
    }

    fn get(&self, index: u32) -> Option<&Event> {
        self.unpacked_once(index).map(|event| &**event)
    }

    fn iter(&self) -> impl Iterator<Item = &Event> {
        self.events().map(|(_, event)| event)
    }

    fn indices(&self, subject: &Subject) -> &[u32] {
        if let Some(watch) = &self.watch {
            watch.asked(subject);
        }
        self.by_subject.get(subject).map_or(&[], Vec::as_slice)
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no event at all.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The latest instant at which anything can have happened, over all events.
    pub fn latest_occurred(&self) -> Option<Timestamp> {
        self.iter().map(|event| event.occurred_at.last()).max()
    }

    /// The last position.
    pub fn end(&self) -> Position {
        let last = self.slots.iter().map(|slot| slot.position).max();
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

    fn all_subjects(&self) -> &BTreeSet<Subject> {
        self.subjects.get_or_init(|| {
            let viewed = self.by_subject.iter().filter(|(subject, indices)| {
                projection(subject.kind).is_some_and(|projection| {
                    let mut slots = indices.iter().map(|index| (*index, self.slot(*index)));
                    slots.any(|(index, slot)| {
                        let kind = slot.map(|slot| slot.kind);
                        let mut changes = false;
                        if kind.is_some_and(|kind| projection.counts(kind))
                            && let Some(event) = self.get(index)
                        {
                            (projection.steps)(event, subject, &mut |_| changes = true);
                        }
                        changes || kind.is_some_and(|kind| projection.takes(kind))
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
        let inputs = inputs.filter_map(|index| {
            Some(Input {
                event: self.event(*index)?,
                replaced_by: self.replaced_by(*index).to_vec(),
            })
        });
        Ok(inputs.collect())
    }

    fn changes(&self, subject: &Subject, visit: &mut dyn FnMut(&Change)) -> Result<(), Unread> {
        let Some(projection) = projection(subject.kind) else {
            return Ok(());
        };
        for index in self.indices(subject) {
            let counts = self
                .slot(*index)
                .filter(|slot| projection.counts(slot.kind));
            let Some(event) = counts.and_then(|_| self.unpacked_once(*index)) else {
                continue;
            };
            (projection.steps)(event, subject, &mut |step| {
                let mut change = Change::of(event, step);
                change.replaced_by = self.replaced_by(*index).to_vec();
                visit(&change);
            });
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
        let following = self.all_subjects().range((from, Bound::Unbounded));
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
