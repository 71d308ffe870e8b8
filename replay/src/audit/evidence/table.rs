//! Tables of facts that know who looked at which of them.

use crate::audit::reads::{Facet, Key, KeysNoted, Reads, Source};
use ledger::id::Sku;
use ledger::secret::DomainId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// Facts by what they are about. Looking one up is noted; so nothing else of a table can be read by rules. So
/// is writing one, where somebody wants to know what an event can change.
#[derive(Debug)]
pub struct Facts<K, V> {
    facts: BTreeMap<K, V>,
    facet: Facet,
    reads: Reads,
    noted: Mutex<KeysNoted<K>>,
    writes: Reads,
}

impl<K: Ord, V> Default for Facts<K, V> {
    fn default() -> Self {
        Self {
            facts: BTreeMap::new(),
            facet: Facet::default(),
            reads: Reads::default(),
            noted: Mutex::default(),
            writes: Reads::default(),
        }
    }
}

impl<K: Key + Clone, V> Facts<K, V> {
    pub(super) fn watched(&mut self, facet: Facet, reads: &Reads, writes: &Reads) {
        self.facet = facet;
        self.reads = reads.clone();
        self.writes = writes.clone();
    }

    /// What is known about one.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.reads.note_key(key, self.facet, &self.noted);
        self.facts.get(key)
    }

    /// The same with the key that the table holds.
    pub fn get_key_value(&self, key: &K) -> Option<(&K, &V)> {
        self.reads.note_key(key, self.facet, &self.noted);
        self.facts.get_key_value(key)
    }

    /// Whether anything is known about one.
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// All of them, in order: only for what looks at a whole history.
    pub(in crate::audit) fn all(&self) -> impl Iterator<Item = (&K, &V)> {
        self.facts.iter()
    }

    pub(super) fn entry(&mut self, key: K) -> std::collections::btree_map::Entry<'_, K, V> {
        self.writes.note(|| key.source(self.facet));
        self.facts.entry(key)
    }

    /// Notes that there is one of which nothing needs to be known: for rules that is the same as none.
    pub(super) fn mention(&mut self, key: &K)
    where
        V: Default,
    {
        if !self.facts.contains_key(key) {
            self.facts.insert(key.clone(), V::default());
        }
    }

    /// What was gathered about one so far: while gathering, which has to be given all that it needs.
    pub(super) fn so_far(&self, key: &K) -> Option<&V> {
        self.facts.get(key)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.writes.note(|| key.source(self.facet));
        self.facts.insert(key, value);
    }
}

impl Key for DomainId {
    fn source(&self, _: Facet) -> Source {
        Source::Domain(*self)
    }
}

/// A word for a product: one that orders use, or one that portals show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Word {
    /// Orders use it.
    Ordered(Sku),
    /// Portals show it.
    Shown(Sku),
}

/// Words for products that are in use.
#[derive(Debug, Default)]
pub struct Words {
    words: BTreeSet<Word>,
    reads: Reads,
}

impl Words {
    pub(super) fn watched(&mut self, reads: &Reads) {
        self.reads = reads.clone();
    }

    pub(super) fn insert(&mut self, word: Word) {
        self.words.insert(word);
    }

    /// Whether orders and portals both use a word.
    pub fn are_shared(&self, sku: &Sku) -> bool {
        let both = [Word::Ordered(sku.clone()), Word::Shown(sku.clone())];
        both.into_iter().all(|word| {
            self.reads.note(|| Source::Word(word.clone()));
            self.words.contains(&word)
        })
    }
}
