//! Reading the log: once for everything but machines, and once more for those.

use super::AuditError;
use super::links::{Links, OfThings};
use super::machines::Blocks;
use super::role::{Role, Thing, named};
use crate::audit::beside::JUDGES;
use ledger::event::Event;
use ledger::id::{EventId, Position};
use ledger::store::Store;
use projections::Packing;
use projections::records::{Records, about, hash};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many positions are read in one go by one reader.
const RANGE: u64 = 1 << 16;
/// So many bytes of the machines wait to be compressed, over all parts of one reader.
const OPEN_MAX_BYTES: usize = 16 << 20;
/// So many bytes are compressed together, at most and at least.
const BLOCK_MAX_BYTES: usize = 1 << 18;
const BLOCK_MIN_BYTES: usize = 1 << 14;

/// What a reader makes of the events that it is given.
trait Reading: Send {
    fn take(&mut self, event: Event);
    /// Takes in what another reader made.
    fn join(&mut self, other: Self);
}

/// Reads the events of a store up to a position, on two threads, each with a reading of its own.
fn read<R: Reading>(
    store: &Store,
    until: Position,
    begin: impl Fn() -> R + Sync,
) -> Result<R, AuditError> {
    let next = AtomicU64::new(0);
    let work = || -> Result<R, AuditError> {
        let mut reading = begin();
        loop {
            let after = Position(next.fetch_add(RANGE, Ordering::Relaxed));
            if after >= until {
                return Ok(reading);
            }
            let last = Position(after.0.saturating_add(RANGE)).min(until);
            range(store, after, last, &mut reading)?;
        }
    };
    let work = &work;
    std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..JUDGES).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for helper in helpers {
            let its = match helper.join() {
                Ok(its) => its,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            all = all.and_then(|mut all| {
                all.join(its?);
                Ok(all)
            });
        }
        all
    })
}

fn range<R: Reading>(
    store: &Store,
    after: Position,
    last: Position,
    reading: &mut R,
) -> Result<(), AuditError> {
    let mut next = after.next();
    for frame in store.frames(after, last) {
        let frame = frame?;
        let end = frame.last().min(last);
        while next <= end && !frame.is_lost() {
            let stored = frame.event(next).unwrap_or_default();
            let event = Event::decode(stored).map_err(|error| AuditError::Event {
                position: next,
                reason: error.to_string(),
            })?;
            reading.take(event);
            next = next.next();
        }
        next = end.next();
    }
    Ok(())
}

/// What the first reading keeps.
#[derive(Debug, Default)]
pub struct Rest {
    /// Everything but machines.
    pub rest: Packing,
    /// What is evidence and no more.
    pub told: Packing,
    /// Which machines, users and tenants belong together.
    pub links: Links,
    /// Which events others stand instead of.
    pub records: Records,
}

impl Rest {
    /// Reads the events of a store up to a position. Costs one decoding an event.
    pub fn read(store: &Store, until: Position) -> Result<Self, AuditError> {
        read(store, until, Self::default)
    }
}

impl Reading for Rest {
    fn take(&mut self, mut event: Event) {
        let role = Role::of(&event.payload);
        if role.is_of_machines() {
            let mut things = Vec::new();
            named(&event, &mut things);
            self.links.link(things.iter().map(Thing::number));
            // All events of such a kind name the same sort of thing first.
            self.records.note(&event, hash(&things.first()));
        } else {
            let mut subjects = Vec::new();
            event.payload.subjects(&mut subjects);
            self.records.note(&event, about(subjects.first()));
        }
        match role {
            Role::Machines => {}
            Role::Both | Role::Rest => self.rest.add(&mut event),
            Role::Told => self.told.add(&mut event),
        }
    }

    fn join(&mut self, other: Self) {
        self.rest.join(other.rest);
        self.told.join(other.told);
        self.links.join(other.links);
        self.records.join(other.records);
    }
}

/// What the second reading keeps: the events about machines, in parts.
pub struct Machines<'m> {
    parts: Vec<Blocks>,
    part_of: &'m OfThings<u32>,
    hidden: &'m HashSet<EventId>,
    block_max_bytes: usize,
}

impl<'m> Machines<'m> {
    /// Reads the events about machines up to a position, without those of some ids. Costs one decoding an
    /// event.
    pub fn read(
        store: &Store,
        until: Position,
        (part_of, parts): (&'m OfThings<u32>, u32),
        hidden: &'m HashSet<EventId>,
    ) -> Result<Vec<Blocks>, AuditError> {
        let parts = usize::try_from(parts).unwrap_or(1).max(1);
        let block_max_bytes = (OPEN_MAX_BYTES / parts).clamp(BLOCK_MIN_BYTES, BLOCK_MAX_BYTES);
        let begin = || Machines {
            parts: (0..parts).map(|_| Blocks::default()).collect(),
            part_of,
            hidden,
            block_max_bytes,
        };
        Ok(read(store, until, begin)?.parts)
    }
}

impl Reading for Machines<'_> {
    fn take(&mut self, mut event: Event) {
        let is_hidden = !self.hidden.is_empty() && self.hidden.contains(&event.id);
        if is_hidden || !Role::of(&event.payload).is_of_machines() {
            return;
        }
        let mut things = Vec::new();
        named(&event, &mut things);
        let first = things.first().map(Thing::number);
        let part = first.and_then(|thing| self.part_of.get(&thing));
        let part = part.and_then(|part| usize::try_from(*part).ok());
        if let Some(part) = part.and_then(|part| self.parts.get_mut(part)) {
            part.add(&mut event, self.block_max_bytes);
        }
    }

    fn join(&mut self, other: Self) {
        let both = self.parts.iter_mut().zip(other.parts);
        both.for_each(|(own, its)| own.join(its));
    }
}
