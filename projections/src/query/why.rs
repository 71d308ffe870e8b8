//! Why a value is what it is: the events and the policies that it comes from, found by folding
//! again, so that it is true of any field of any view, links included.
//!
//! Three questions are answered. How did the value come about: what each event, and the passing of
//! time, changed in it. Which events hold it up: without which of them, each left out alone, would it
//! be another. Which policies decided: those that the events name, and those that would have given
//! another value where no event names one.

use super::cell::Cell;
use super::error::QueryError;
use super::field::Path;
use super::listing::Listing;
use super::page::{Query, value};
use super::watch::{Read, Watched};
use crate::passing::passing;
use crate::policy::{AddEnd, Bump, Cancellation, Policies, Policy, RenewEnd, RenewSeats, TermEnd};
use crate::seen::{Point, Seen};
use crate::source::{Order, Source};
use ledger::id::EventId;
use ledger::subject::Subject;
use ledger::time::Timestamp;
use std::collections::BTreeMap;

/// A history of up to so many events is tried event by event. Each event costs three folds of all
/// of them, so that the longest takes a few seconds.
pub const WHOLE_MAX_EVENTS: usize = 600;
/// Folds that a longer history may cost, in each of the two searches, if they are short.
const FOLDS_MAX: usize = 2_000;
/// Events that all folds of a search may read together: a few seconds, as for the longest that is tried event
/// by event. Of a history of a million events a few folds are left, and only coarse answers.
const FOLDED_EVENTS_MAX: usize = 8_000_000;
/// Folds that a search may cost however long the history is.
const FOLDS_MIN: usize = 16;
/// Events that say the same, of which so many are looked for.
const TOGETHER_MAX: usize = 8;
/// Parts that a longer history is first cut into, at most.
const PARTS: usize = 32;

/// How many folds a search over so many events may cost.
fn folds_max(events: usize) -> usize {
    (FOLDED_EVENTS_MAX / events.max(1)).clamp(FOLDS_MIN, FOLDS_MAX)
}

/// How many parts so many events are first cut into: half of what the search may cost, so that as much is left
/// to look into those that matter.
fn parts_of(events: usize) -> usize {
    PARTS.min(folds_max(events) / 4)
}

/// Why a value is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The value at the point.
    pub value: Cell,
    /// How it came about, in order.
    pub changes: Vec<Change>,
    /// The events without which it would be another, in fold order.
    pub decisive: Vec<Decisive>,
    /// Where no event alone is decisive because others say the same: a few that are so together, none
    /// of them superfluous.
    pub together: Option<Together>,
    /// The policies that decided.
    pub policies: Vec<Decided>,
    /// How many events were read for it, of linked subjects too.
    pub events: usize,
    /// Whether every event was tried alone. If not, changes that were undone between two samples,
    /// and events that make up for each other, can be missing.
    pub exact: bool,
}

/// One change of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What made it.
    pub cause: Cause,
    /// The value before; absent if there was no view at all.
    pub before: Cell,
    /// The value after.
    pub after: Cell,
}

/// What changed a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// An event.
    Event(EventId),
    /// Nothing but that this instant had come.
    Time(Timestamp),
}

/// An event without which the value would be another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decisive {
    /// Which event.
    pub event: EventId,
    /// The value without it.
    pub otherwise: Cell,
}

/// Events without all of which the value would be another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Together {
    /// Which events, in fold order.
    pub events: Vec<EventId>,
    /// The value without them.
    pub otherwise: Cell,
}

/// A policy that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// The event that names it; `None` where it is the one that is configured.
    pub named_by: Option<EventId>,
    /// The value under another policy, by that one's name, where it would differ.
    pub otherwise: Option<(&'static str, Cell)>,
}

/// Explains the value of a field of a subject's view. Fails if the view has no such field; `None` if
/// there is no view at this point.
///
/// Costs three folds for every event that the view is folded from, up to [`WHOLE_MAX_EVENTS`] of
/// them; of longer histories parts are tried first, as far as some seconds suffice, and [`Why::exact`] is false.
/// Holds what it reads in memory.
pub fn why(
    source: &dyn Source,
    point: Point,
    policies: Policies,
    subject: &Subject,
    field: &str,
) -> Result<Option<Why>, QueryError> {
    let path = Query::of(subject.kind)?.field(field)?;
    let Some(listing) = Listing::of(subject.kind) else {
        return Ok(None);
    };
    let watched = Watched::new(source);
    let looking = Looking {
        seen: Seen::new(&watched, point).under(policies),
        listing,
        subject,
        path: &path,
    };
    let Some(row) = (listing.row)(&looking.seen, subject) else {
        return Ok(None);
    };
    let now = value(row.as_ref(), &path);
    // Links can lead elsewhere at other points: whatever those folds read is tried as well.
    let mut events = looking.within(watched.read());
    loop {
        let exact = events.len() <= WHOLE_MAX_EVENTS;
        let orders: Vec<Order> = events.values().map(|read| read.order).collect();
        let changes = looking.changes(&orders, exact);
        let decisive = looking.decisive(&orders, &now, exact);
        let more = looking.within(watched.read());
        if exact && more.len() > events.len() {
            events = more;
            continue;
        }
        let together = match decisive.is_empty() && exact {
            true => looking.together(&orders, &changes, &now),
            false => None,
        };
        let policies = looking.policies(&events, &changes, &decisive, together.as_ref(), &now);
        return Ok(Some(Why {
            value: now,
            changes,
            decisive,
            together,
            policies,
            events: events.len(),
            exact,
        }));
    }
}

/// The events that were read, in fold order.
type Events = BTreeMap<Order, Read>;

/// What is looked at, from everywhere.
struct Looking<'a> {
    seen: Seen<'a>,
    listing: &'static Listing,
    subject: &'a Subject,
    path: &'a Path,
}

impl<'a> Looking<'a> {
    fn value(&self, seen: &Seen<'_>) -> Cell {
        let row = (self.listing.row)(seen, self.subject);
        row.map_or(Cell::Absent, |row| value(row.as_ref(), self.path))
    }

    /// The value at an instant, of nothing that comes after a place in the order of folds.
    fn value_at(&self, until: Order, valid_at: Timestamp) -> Cell {
        let as_of = self.seen.point().as_of;
        self.value(&self.seen.from(Point { as_of, valid_at }).until(until))
    }

    /// The events that had happened by the point, in fold order.
    fn within(&self, read: BTreeMap<EventId, Read>) -> Events {
        let read = read.into_values();
        let happened = read.filter(|read| read.order.0 <= self.seen.now());
        happened.map(|read| (read.order, read)).collect()
    }

    fn changes(&self, orders: &[Order], exact: bool) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut last: Option<(Order, Cell)> = None;
        let mut visited = |order: Order| {
            let after = self.value_at(order, order.0);
            self.between(&mut changes, last.take(), order, &after);
            last = Some((order, after));
        };
        match exact {
            true => orders.iter().copied().for_each(&mut visited),
            false => self.turning(orders).into_iter().for_each(&mut visited),
        }
        if let Some((order, value)) = last {
            self.passed(&mut changes, order, value, self.seen.now());
        }
        changes
    }

    /// What changed from one event to the next: first by the passing of time, then by the event.
    fn between(
        &self,
        changes: &mut Vec<Change>,
        last: Option<(Order, Cell)>,
        order: Order,
        after: &Cell,
    ) {
        let before = match last {
            None => Cell::Absent,
            Some((last, value)) if last.0 == order.0 => value,
            Some((last, value)) => {
                let just_before = Timestamp::from_micros(order.0.as_micros().saturating_sub(1));
                self.passed(changes, last, value, just_before)
            }
        };
        if before != *after {
            changes.push(Change {
                cause: Cause::Event(order.2),
                before,
                after: after.clone(),
            });
        }
    }

    /// What the passing of time changed from an event on; returns the value at the end.
    fn passed(&self, changes: &mut Vec<Change>, order: Order, value: Cell, to: Timestamp) -> Cell {
        let mut at = |when| self.value_at(order, when);
        let passed = passing(order.0, to, 1, &mut at);
        let end = passed.last().map_or(value, |last| last.after.clone());
        changes.extend(passed.into_iter().map(|passed| Change {
            cause: Cause::Time(passed.at),
            before: passed.before,
            after: passed.after,
        }));
        end
    }

    /// The places in a long history next to which the value is seen to change: where two samples
    /// differ, the part between them is halved.
    fn turning(&self, orders: &[Order]) -> Vec<Order> {
        let sample = |index: usize| {
            let order = orders.get(index)?;
            Some(self.value_at(*order, order.0))
        };
        let last = orders.len().saturating_sub(1);
        let folds_max = folds_max(orders.len());
        let mut folds = 0;
        let mut places = std::collections::BTreeSet::from([0, last]);
        let mut parts: Vec<(usize, usize, Option<Cell>, Option<Cell>)> = Vec::new();
        let cut = last.div_ceil(parts_of(orders.len())).max(1);
        for from in (0..last).step_by(cut) {
            let to = (from + cut).min(last);
            parts.push((from, to, sample(from), sample(to)));
            folds += 2;
        }
        while let Some((from, to, before, after)) = parts.pop() {
            if before == after || folds >= folds_max {
                continue;
            }
            if to - from <= 1 {
                places.extend([from, to]);
                continue;
            }
            let middle = from + (to - from) / 2;
            let there = sample(middle);
            folds += 1;
            parts.push((from, middle, before, there.clone()));
            parts.push((middle, to, there, after));
        }
        let places = places.into_iter();
        places.filter_map(|i| orders.get(i).copied()).collect()
    }

    /// The events without which the value would be another. Of a long history whole parts are left
    /// out first, and only those that matter are looked into.
    fn decisive(&self, orders: &[Order], now: &Cell, exact: bool) -> Vec<Decisive> {
        let mut found = Vec::new();
        let size = match exact {
            true => 1,
            false => orders.len().div_ceil(parts_of(orders.len())).max(1),
        };
        let folds_max = folds_max(orders.len());
        let mut parts: Vec<&[Order]> = orders.chunks(size).rev().collect();
        let mut folds = 0;
        while let Some(part) = parts.pop() {
            if !exact && folds >= folds_max {
                break;
            }
            folds += 1;
            let without = self.seen.without(part.iter().map(|(_, _, id)| *id));
            let otherwise = self.value(&without);
            match part {
                _ if otherwise == *now => {}
                [(_, _, event)] => found.push(Decisive {
                    event: *event,
                    otherwise,
                }),
                part => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            }
        }
        found
    }

    /// A few events without all of which the value would be another. Whatever made the value is left
    /// out, then what makes it in its place, and so on; in the end those that are not needed are put
    /// back.
    fn together(&self, orders: &[Order], changes: &[Change], now: &Cell) -> Option<Together> {
        let mut out: Vec<Order> = Vec::new();
        let mut changes = changes.to_vec();
        loop {
            let made = changes.iter().rev().find_map(|change| match change.cause {
                Cause::Event(id) => orders.iter().find(|order| order.2 == id),
                Cause::Time(_) => None,
            });
            out.push(*made?);
            let without = self.without(&out);
            let otherwise = without.value(&without.seen);
            if otherwise != *now {
                break;
            }
            if out.len() >= TOGETHER_MAX {
                return None;
            }
            let left: Vec<Order> = orders
                .iter()
                .filter(|o| !out.contains(o))
                .copied()
                .collect();
            changes = without.changes(&left, true);
        }
        let mut needed = out.clone();
        for one in out {
            let fewer: Vec<Order> = needed.iter().filter(|o| **o != one).copied().collect();
            let without = self.without(&fewer);
            if without.value(&without.seen) != *now {
                needed = fewer;
            }
        }
        needed.sort_unstable();
        let without = self.without(&needed);
        Some(Together {
            events: needed.iter().map(|(_, _, id)| *id).collect(),
            otherwise: without.value(&without.seen),
        })
    }

    /// The same without some events.
    fn without(&self, out: &[Order]) -> Self {
        Self {
            seen: self.seen.without(out.iter().map(|(_, _, id)| *id)),
            ..*self
        }
    }

    /// The policies that events of the explanation name, and the configured ones that matter.
    fn policies(
        &self,
        events: &Events,
        changes: &[Change],
        decisive: &[Decisive],
        together: Option<&Together>,
        now: &Cell,
    ) -> Vec<Decided> {
        let mut told: Vec<EventId> = decisive.iter().map(|one| one.event).collect();
        told.extend(
            together
                .iter()
                .flat_map(|together| together.events.iter().copied()),
        );
        told.extend(changes.iter().filter_map(|change| match change.cause {
            Cause::Event(id) => Some(id),
            Cause::Time(_) => None,
        }));
        let mut decided = Vec::new();
        for event in events.values().filter_map(|read| read.event.as_ref()) {
            let named = event.policies.iter().filter(|_| told.contains(&event.id));
            decided.extend(named.map(|policy| Decided {
                name: policy.name.to_string(),
                version: policy.version.0,
                named_by: Some(event.id),
                otherwise: None,
            }));
        }
        for (chosen, other, policies) in alternatives(*self.seen.policies()) {
            let value = self.value(&self.seen.under(policies));
            if value != *now {
                decided.push(Decided {
                    name: chosen.name.to_owned(),
                    version: chosen.version,
                    named_by: None,
                    otherwise: Some((other.name, value)),
                });
            }
        }
        decided
    }
}

/// Every other choice of one policy: the one that is in force, the other, and the policies with it.
fn alternatives(policies: Policies) -> Vec<(Policy, Policy, Policies)> {
    let mut all = Vec::new();
    macro_rules! sets {
        ($($field:ident: $set:ident),+) => {$(
            for other in $set::ALL.iter().filter(|other| **other != policies.$field) {
                let changed = Policies { $field: *other, ..policies };
                all.push((policies.$field.policy(), other.policy(), changed));
            }
        )+};
    }
    sets! {
        term_end: TermEnd, add_end: AddEnd, renew_end: RenewEnd, renew_seats: RenewSeats,
        bump: Bump, cancellation: Cancellation
    }
    all
}
