//! What belongs together: machines, users and tenants that events name beside each other.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

/// A table of things, whose numbers are hashes already.
pub type OfThings<T> = HashMap<u64, T, BuildHasherDefault<AsItIs>>;

/// Takes a number for its hash.
#[derive(Debug, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Nothing but whole numbers is hashed; anything else would still be found again.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// What was found so far. Every thing is a number here.
#[derive(Debug, Default)]
pub struct Links {
    index: OfThings<u32>,
    /// The thing that each belongs to, itself perhaps.
    parent: Vec<u32>,
    /// How many events name each first.
    events: Vec<u64>,
}

impl Links {
    /// Notes that one event names some things.
    pub fn link(&mut self, things: impl IntoIterator<Item = u64>) {
        let mut things = things.into_iter();
        let Some(first) = things.next() else {
            return;
        };
        let first = self.of(first, 1);
        for thing in things {
            let thing = self.of(thing, 0);
            self.unite(first, thing);
        }
    }

    /// Takes in what was found elsewhere.
    pub fn join(&mut self, other: Self) {
        let mut own = vec![0; other.parent.len()];
        for (thing, index) in &other.index {
            let place = usize::try_from(*index).unwrap_or(usize::MAX);
            let events = other.events.get(place).copied().unwrap_or(0);
            if let Some(own) = own.get_mut(place) {
                *own = self.of(*thing, events);
            }
        }
        for (one, parent) in own.iter().zip(&other.parent) {
            let parent = usize::try_from(*parent).ok().and_then(|at| own.get(at));
            if let Some(parent) = parent {
                self.unite(*one, *parent);
            }
        }
    }

    fn of(&mut self, thing: u64, events: u64) -> u32 {
        let next = u32::try_from(self.parent.len()).unwrap_or(u32::MAX);
        let index = *self.index.entry(thing).or_insert(next);
        if index == next {
            self.parent.push(next);
            self.events.push(0);
        }
        let count = usize::try_from(index).ok();
        if let Some(count) = count.and_then(|at| self.events.get_mut(at)) {
            *count += events;
        }
        index
    }

    fn root(&mut self, mut index: u32) -> u32 {
        while let Some(parent) = self.parent_of(index).filter(|parent| *parent != index) {
            // Every second one is taken nearer to the root, so that ways stay short.
            let beyond = self.parent_of(parent).unwrap_or(parent);
            if let Some(of) = usize::try_from(index)
                .ok()
                .and_then(|at| self.parent.get_mut(at))
            {
                *of = beyond;
            }
            index = beyond;
        }
        index
    }

    fn parent_of(&self, index: u32) -> Option<u32> {
        self.parent.get(usize::try_from(index).ok()?).copied()
    }

    fn unite(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        let place = usize::try_from(one.max(other)).ok();
        if let Some(parent) = place.and_then(|at| self.parent.get_mut(at)) {
            *parent = one.min(other);
        }
    }

    /// Divides all things into parts of at most so many events, if nothing that belongs together has more:
    /// the part of each thing, and how many parts there are.
    pub fn parts(mut self, events_max: u64) -> (OfThings<u32>, u32) {
        let mut together: BTreeMap<u32, (u64, Vec<u64>)> = BTreeMap::new();
        let index = std::mem::take(&mut self.index);
        for (thing, index) in index {
            let events = usize::try_from(index).ok();
            let events = events.and_then(|at| self.events.get(at)).copied();
            let root = self.root(index);
            let of = together.entry(root).or_default();
            of.0 += events.unwrap_or(0);
            of.1.push(thing);
        }
        let (mut part, mut filled) = (0, 0);
        let mut parts = OfThings::default();
        parts.reserve(self.parent.len());
        for (events, things) in together.into_values() {
            if filled > 0 && filled + events > events_max {
                (part, filled) = (part + 1, 0);
            }
            filled += events;
            parts.extend(things.into_iter().map(|thing| (thing, part)));
        }
        (parts, part + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_event_names_is_in_one_part_and_parts_are_small() {
        let mut links = Links::default();
        // Chains of four things each, told in an order that unites parts of chains late.
        for chain in 0..50_u64 {
            links.link([chain * 4, chain * 4 + 1]);
            links.link([chain * 4 + 2, chain * 4 + 3]);
        }
        let mut other = Links::default();
        for chain in 0..50_u64 {
            other.link([chain * 4 + 3, chain * 4]);
        }
        links.join(other);
        let (parts, count) = links.parts(10);
        assert_eq!(parts.len(), 200);
        assert_eq!(
            count, 17,
            "three chains of three events in each of 16 parts, two in the last"
        );
        for chain in 0..50_u64 {
            let of: Vec<u32> = (0..4).map(|thing| parts[&(chain * 4 + thing)]).collect();
            assert!(of.windows(2).all(|pair| pair[0] == pair[1]), "{of:?}");
        }
    }

    #[test]
    fn what_belongs_together_is_not_divided_however_much_it_is() {
        let mut links = Links::default();
        (0..100).for_each(|thing| links.link([thing, thing + 1]));
        let (parts, count) = links.parts(10);
        assert_eq!((parts.len(), count), (101, 1));
    }
}
