//! Admission: what an append has to pass before it gets its positions.
//!
//! It is checked against the index, which has everything durable, the frame that is being written, and
//! what was admitted to the frame that comes next.

use super::append::{Answer, Condition, Known, Receipt};
use super::draft::{Draft, Place};
use super::error::{AppendError, StoreError};
use super::prepare::{Guard, Offer, Prepared};
use super::read::Shared;
use crate::event::Event;
use crate::id::{EventId, Position, Revision};
use crate::index::Listing;
use crate::index::entry::HashedId;
use crate::subject::Subject;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// What appends are checked against, and the frame that they go into.
pub(crate) struct Admission<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) flight: Option<&'a Draft>,
    pub(crate) draft: &'a mut Draft,
}

impl Admission<'_> {
    /// Adds an append to the draft or says why not. The draft is as it was before if not.
    pub(crate) fn admit(&mut self, offer: Offer) -> Answer {
        let Offer {
            events,
            guards,
            known,
        } = offer;
        let offered = events.len();
        let indexed = self.indexed(&events)?;
        let mut places: Vec<Place> = Vec::new();
        let mut fresh: Vec<usize> = Vec::with_capacity(offered);
        let mut ids = Seen::of(offered);
        for (number, (id, indexed)) in events.entries().ids().zip(indexed).enumerate() {
            let first = ids.put(id, number);
            if first.is_some() && known == Known::Refuse {
                return Err(AppendError::Repeated { id: id.id });
            }
            if let Some(place) = self.known(&events, number, id, indexed)? {
                places.push(place);
            } else if let Some(first) = first {
                check_same(&events, id.id, first, number)?;
            } else {
                fresh.push(number);
            }
        }
        if let (Known::Refuse, Some(first), false) = (known, places.first(), fresh.is_empty()) {
            return Err(AppendError::PartlyKnown {
                known: places.len(),
                offered,
                position: first.position,
            });
        }
        if fresh.is_empty() && !places.is_empty() {
            return Ok(first_receipt(&places));
        }
        for guard in &guards {
            self.check(guard)?;
        }
        let appended = fresh.len();
        let fresh = match appended == offered {
            true => events,
            false => events.only(&fresh),
        };
        let (first, last) = self.draft.add(fresh)?;
        Ok(Receipt {
            first,
            last,
            appended,
            known: offered - appended,
            recorded_at: first.map(|_| self.draft.recorded_at()),
        })
    }

    /// Where the index has the events.
    fn indexed(&self, events: &Prepared) -> Result<Vec<Option<Position>>, AppendError> {
        let index = self.shared.indexing.get();
        let index = index.map_err(AppendError::NotAppended)?;
        let found = index.positions_of_ids(events.entries().ids());
        found.map_err(not_appended)
    }

    /// Where an event with the id of another one is, after checking that it has the same content.
    fn known(
        &self,
        events: &Prepared,
        number: usize,
        id: HashedId,
        indexed: Option<Position>,
    ) -> Result<Option<Place>, AppendError> {
        let Some(event) = self.find(id, indexed)? else {
            return Ok(None);
        };
        let position = event.position;
        let is_same = events
            .event(number)?
            .is_some_and(|offered| same_content(&event, &offered));
        if !is_same {
            return Err(AppendError::OtherContent {
                id: id.id,
                position,
            });
        }
        Ok(Some(Place {
            position,
            recorded_at: event.recorded_at,
        }))
    }

    fn find(&self, id: HashedId, indexed: Option<Position>) -> Result<Option<Event>, AppendError> {
        for draft in self.unsettled() {
            if let Some(event) = draft.find(id)? {
                return Ok(Some(event));
            }
        }
        let found = indexed.map(|position| self.shared.event_of_id(id.id, position));
        let found = found.transpose().map_err(AppendError::NotAppended)?;
        Ok(found.flatten())
    }

    /// What is not in the index yet, in order.
    fn unsettled(&self) -> impl Iterator<Item = &Draft> {
        self.flight.into_iter().chain([&*self.draft])
    }

    fn check(&self, guard: &Guard) -> Result<(), AppendError> {
        let Guard { condition, listing } = guard;
        match condition {
            Condition::SubjectAt { subject, revision } => self.at(subject, listing, *revision),
            Condition::SubjectAbsent { subject } => self.at(subject, listing, Revision(0)),
            Condition::SubjectUnchangedSince { subject, position } => {
                match self.first_after(listing, *position)? {
                    None => Ok(()),
                    Some(changed) => Err(AppendError::Changed {
                        subject: subject.clone(),
                        since: *position,
                        changed,
                    }),
                }
            }
        }
    }

    fn at(
        &self,
        subject: &Subject,
        listing: &Listing,
        expected: Revision,
    ) -> Result<(), AppendError> {
        let index = self
            .shared
            .indexing
            .get()
            .map_err(AppendError::NotAppended)?;
        let stored = index.count(listing).map_err(not_appended)?;
        let unsettled: u64 = self.unsettled().map(|draft| draft.count(listing)).sum();
        let found = Revision(stored.0 + unsettled);
        if found == expected {
            return Ok(());
        }
        Err(AppendError::WrongRevision {
            subject: subject.clone(),
            expected,
            found,
        })
    }

    fn first_after(
        &self,
        listing: &Listing,
        after: Position,
    ) -> Result<Option<Position>, AppendError> {
        let index = self
            .shared
            .indexing
            .get()
            .map_err(AppendError::NotAppended)?;
        let stored = index.positions(listing, after, 1);
        if let Some(position) = stored.map_err(not_appended)?.first() {
            return Ok(Some(*position));
        }
        let mut unsettled = self.unsettled();
        Ok(unsettled.find_map(|draft| draft.first_after(listing, after)))
    }
}

fn not_appended(error: crate::index::IndexError) -> AppendError {
    AppendError::NotAppended(StoreError::Index(error))
}

/// The ids of an append, and which of its events has each first. `None` for one event, which has no other.
struct Seen(Option<HashTable<(HashedId, usize)>>);

impl Seen {
    fn of(offered: usize) -> Self {
        Self((offered > 1).then(|| HashTable::with_capacity(offered)))
    }

    /// The number of the event that has an id already; else it is that of `number`.
    fn put(&mut self, id: HashedId, number: usize) -> Option<usize> {
        let is_it = |(other, _): &(HashedId, usize)| other.id == id.id;
        let entry = self.0.as_mut()?.entry(id.hash, is_it, |(id, _)| id.hash);
        match entry {
            Entry::Occupied(entry) => Some(entry.get().1),
            Entry::Vacant(entry) => {
                entry.insert((id, number));
                None
            }
        }
    }
}

/// An id that stands twice in one append has to be the same event both times.
fn check_same(
    events: &Prepared,
    id: EventId,
    first: usize,
    number: usize,
) -> Result<(), AppendError> {
    let both = events.event(first)?.zip(events.event(number)?);
    match both.is_some_and(|(first, event)| same_content(&first, &event)) {
        true => Ok(()),
        false => Err(AppendError::Repeated { id }),
    }
}

fn same_content(one: &Event, other: &Event) -> bool {
    one.fact == other.fact || one.content() == other.content()
}

/// What a wholly known append was answered the first time, except that nothing was appended now.
fn first_receipt(places: &[Place]) -> Receipt {
    let last = places.iter().max_by_key(|place| place.position);
    Receipt {
        first: places.iter().map(|place| place.position).min(),
        last: last.map_or(Position(0), |place| place.position),
        appended: 0,
        known: places.len(),
        recorded_at: last.map(|place| place.recorded_at),
    }
}
