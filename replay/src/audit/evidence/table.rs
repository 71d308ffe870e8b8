//! Tables of facts that know who looked at which of them.

use crate::audit::reads::{Key, Reads, Source};
use ledger::id::Sku;
use ledger::secret::DomainId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Facts by what they are about. Looking one up is noted; so nothing else of a table can be read by rules.
#[derive(Debug)]
pub struct Facts<K, V> {
    facts: BTreeMap<K, V>,
    reads: Reads,
}

impl<K: Ord, V> Default for Facts<K, V> {
    fn default() -> Self {
        Self {
            facts: BTreeMap::new(),
            reads: Reads::default(),
        }
    }
}

impl<K: Key, V> Facts<K, V> {
    pub(super) fn watched(&mut self, reads: &Reads) {
        self.reads = reads.clone();
    }

    /// What is known about one.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.reads.note(|| key.source());
        self.facts.get(key)
    }

    /// The same with the key that the table holds.
    pub fn get_key_value(&self, key: &K) -> Option<(&K, &V)> {
        self.reads.note(|| key.source());
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
        self.facts.entry(key)
    }

    /// What was gathered about one so far: while gathering, which has to be given all that it needs.
    pub(super) fn so_far(&self, key: &K) -> Option<&V> {
        self.facts.get(key)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.facts.insert(key, value);
    }
}

impl Key for DomainId {
    fn source(&self) -> Source {
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
