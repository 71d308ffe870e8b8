//! What was looked at lately, held in memory up to some weight.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Values by key. What was not asked for since half of the weight was put goes.
pub(super) struct Held<K, V> {
    recent: HashMap<K, V>,
    before: HashMap<K, V>,
    weight: usize,
    max: usize,
}

impl<K: Eq + Hash + Clone, V: Clone> Held<K, V> {
    /// Nothing yet, and so much at most; the unit is that of [`Held::put`].
    pub fn new(max: usize) -> Self {
        Self {
            recent: HashMap::new(),
            before: HashMap::new(),
            weight: 0,
            max,
        }
    }

    /// A value; `weigh` says again what it weighs.
    pub fn get<Q>(&mut self, key: &Q, weigh: impl Fn(&V) -> usize) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(value) = self.recent.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.before.remove_entry(key)?;
        let weight = weigh(&value);
        self.put(key, value.clone(), weight);
        Some(value)
    }

    /// Holds a value, of some weight.
    pub fn put(&mut self, key: K, value: V, weight: usize) {
        // Nothing weighs nothing.
        let weight = weight.max(1);
        if self.weight.saturating_add(weight) > self.max / 2 {
            self.before = std::mem::take(&mut self.recent);
            self.weight = 0;
        }
        self.weight = self.weight.saturating_add(weight);
        self.before.remove(&key);
        self.recent.insert(key, value);
    }

    /// A value that is held, to be changed into one that weighs somewhat more.
    pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        match self.recent.get_mut(key) {
            Some(value) => {
                self.weight = self.weight.saturating_add(1);
                Some(value)
            }
            None => self.before.get_mut(key),
        }
    }

    /// Lets go of a value.
    pub fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.recent.remove(key);
        self.before.remove(key);
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        self.recent.clear();
        self.before.clear();
        self.weight = 0;
    }
}
