//! Reading the log: once for everything but machines, and once more for those.

use super::AuditError;
use super::links::{Links, OfThings};
use super::machines::Blocks;
use super::role::{Role, Roles};
use crate::audit::beside::JUDGES;
use ledger::event::walk::{Outline, kind_of};
use ledger::id::{EventId, Position};
use ledger::store::Store;
use ledger::subject::SubjectKind;
use projections::Packing;
use projections::records::{Records, hash};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many positions are read in one go by one reader.
const RANGE: u64 = 1 << 16;
/// So many bytes of the machines wait to be compressed, over all parts of one reader.
const OPEN_MAX_BYTES: usize = 16 << 20;
/// So many bytes are compressed together, at most and at least.
const BLOCK_MAX_BYTES: usize = 1 << 18;
const BLOCK_MIN_BYTES: usize = 1 << 14;

/// What a reader makes of the events that it is given, in their stored form. No event is decoded for it.
trait Reading: Send {
    fn take(&mut self, stored: &[u8]) -> Result<(), String>;
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
            let taken = reading.take(stored);
            taken.map_err(|reason| AuditError::Event {
                position: next,
                reason,
            })?;
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
    roles: Roles,
    outline: Outline,
}

impl Rest {
    /// Reads the events of a store up to a position. Costs a walk over each, and a copy of what is kept.
    pub fn read(store: &Store, until: Position) -> Result<Self, AuditError> {
        read(store, until, Self::default)
    }
}

impl Reading for Rest {
    fn take(&mut self, stored: &[u8]) -> Result<(), String> {
        let outline = &mut self.outline;
        outline.read(stored).map_err(|error| error.to_string())?;
        let noted = self.records.note(outline, stored);
        noted.map_err(|error| error.to_string())?;
        let role = self.roles.of(outline.kind(), stored)?;
        if role.is_of_machines() {
            self.links.link(things(outline));
        }
        let kept = match role {
            Role::Machines => Some(()),
            Role::Both | Role::Rest => self.rest.add(outline, stored),
            Role::Told => self.told.add(outline, stored),
        };
        kept.ok_or_else(|| "it is more than fits into memory".to_owned())
    }

    fn join(&mut self, other: Self) {
        self.rest.join(other.rest);
        self.told.join(other.told);
        self.links.join(other.links);
        self.records.join(other.records);
    }
}

/// A number for each machine, person and tenant that the rules about machines read of an event: all that it
/// names but the actor's own tenant. Two of them share a number hardly ever; then they are judged
/// together, which changes nothing of what is found.
fn things(outline: &Outline) -> impl Iterator<Item = u64> {
    let of_machines = |(kind, _): &(SubjectKind, &[u8])| {
        matches!(
            kind,
            SubjectKind::Seat | SubjectKind::Person | SubjectKind::Tenant
        )
    };
    let outside = outline.named_outside();
    let outside = outside.filter(|(kind, _)| *kind == SubjectKind::Person);
    let named = outline.named().filter(of_machines);
    named.chain(outside).map(|thing| hash(&thing))
}

/// What the second reading keeps: the events about machines, in parts.
pub struct Machines<'m> {
    parts: Vec<Blocks>,
    part_of: &'m OfThings<u32>,
    hidden: &'m HashSet<EventId>,
    block_max_bytes: usize,
    roles: Roles,
    outline: Outline,
}

impl<'m> Machines<'m> {
    /// Reads the events about machines up to a position, without those of some ids. Costs a walk over each,
    /// and a copy.
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
            roles: Roles::default(),
            outline: Outline::default(),
        };
        Ok(read(store, until, begin)?.parts)
    }
}

impl Reading for Machines<'_> {
    fn take(&mut self, stored: &[u8]) -> Result<(), String> {
        let kind = kind_of(stored).ok_or("it ends before its kind")?;
        if !self.roles.of(kind, stored)?.is_of_machines() {
            return Ok(());
        }
        let outline = &mut self.outline;
        outline.read(stored).map_err(|error| error.to_string())?;
        if !self.hidden.is_empty() && self.hidden.contains(&outline.id()) {
            return Ok(());
        }
        let part = things(outline).next();
        let part = part.and_then(|first| self.part_of.get(&first));
        let part = part.and_then(|part| usize::try_from(*part).ok());
        let Some(part) = part.and_then(|part| self.parts.get_mut(part)) else {
            return Ok(());
        };
        let kept = part.add(outline, stored, self.block_max_bytes);
        kept.ok_or_else(|| "it is more than fits into memory".to_owned())
    }

    fn join(&mut self, other: Self) {
        let both = self.parts.iter_mut().zip(other.parts);
        both.for_each(|(own, its)| own.join(its));
    }
}
