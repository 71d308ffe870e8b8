//! What a judgement looked at, so that it is made again when that changes.
//!
//! The report of a whole history is made without: then nothing is noted. Kept findings ([`super::kept`]) are
//! judged over the histories of what they look at and no more, so that whatever is looked at has to be noted,
//! also where nothing was found there.

use super::evidence::Word;
use ledger::id::{EventId, LicenseId, Pcn, SessionId, TenantId};
use ledger::secret::{DomainId, KeyFingerprint};
use ledger::subject::{Names, Subject};
use ledger::time::Timestamp;
use projections::Watch;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something that a judgement can look at. Stored in kept findings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Source {
    /// The events that name a subject, themselves: the number of its kind, and its id.
    Subject(u8, String),
    /// What the evidence says of a subject.
    Facts(Facet, u8, String),
    /// Which tenants and customers verified a domain.
    Domain(DomainId),
    /// Whether a word for a product is in use.
    Word(Word),
    /// An event by itself.
    Event(EventId),
    /// The landings that share something.
    Beside(Beside),
    /// The machines of a tenant.
    Fleet(TenantId),
    /// Whether an instant has passed, which has not.
    Time(Timestamp),
}

/// What of the facts about a subject is looked at: tables that are written at different times are told apart,
/// so that whoever looked at one is not judged again because of another.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Facet {
    /// Everything that has no facet of its own.
    #[default]
    Said,
    /// The licences that were given or taken: in a tenant, or to a person.
    Licences,
    /// The subscriptions of a tenant.
    Subscriptions,
    /// Where a person can be written to.
    Mailbox,
    /// Who is the same person.
    Aliases,
    /// The machines that were ever named beside a person.
    Installs,
}

/// What landings share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Beside {
    /// An agreement.
    Agreement(LicenseId),
    /// A customer number.
    Number(Pcn),
    /// A tenant.
    Tenant(TenantId),
    /// A root authentication.
    Root(SessionId),
    /// A key.
    Key(KeyFingerprint),
}

impl From<&Subject> for Source {
    fn from(subject: &Subject) -> Self {
        Self::Subject(subject.kind as u8, subject.id.clone())
    }
}

/// A key of a table of evidence, which says what of the record its facts are from.
pub trait Key: Ord {
    /// Where the facts under it in a table of a facet come from.
    fn source(&self, facet: Facet) -> Source;
}

macro_rules! keys {
    ($($key:ty)*) => {$(
        impl Key for $key {
            fn source(&self, facet: Facet) -> Source {
                let subject = self.subject();
                Source::Facts(facet, subject.kind as u8, subject.id)
            }
        }
    )*};
}

keys! {
    ledger::id::OrderId KeyFingerprint LicenseId TenantId ledger::id::CustomerId
    ledger::id::PartnerId SessionId ledger::id::RedemptionId ledger::id::SubscriptionId
    ledger::id::CaseId ledger::id::FindingId ledger::secret::PersonId
}

/// Notes what is looked at, or nothing at all.
#[derive(Debug, Clone, Default)]
pub struct Reads(Option<Arc<Mutex<Noted>>>);

#[derive(Debug, Default)]
struct Noted {
    sources: BTreeSet<Source>,
    /// Subjects whose histories are among them, so that looking again makes no text.
    asked: HashSet<Subject>,
    /// How many times what was noted was taken.
    taken: u64,
}

impl Reads {
    /// Reads that are noted.
    pub fn noted() -> Self {
        Self(Some(Arc::default()))
    }

    fn lock(&self) -> Option<MutexGuard<'_, Noted>> {
        let noted = self.0.as_ref()?;
        Some(noted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes one.
    pub fn note(&self, source: impl FnOnce() -> Source) {
        if let Some(mut noted) = self.lock() {
            noted.sources.insert(source());
        }
    }

    /// Notes a key of a table, unless it is among those that were noted since [`Reads::take`].
    pub(in crate::audit) fn note_key<K: Key + Clone>(
        &self,
        key: &K,
        facet: Facet,
        known: &Mutex<KeysNoted<K>>,
    ) {
        let Some(mut noted) = self.lock() else {
            return;
        };
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.taken != noted.taken {
            known.keys.clear();
            known.taken = noted.taken;
        }
        if !known.keys.contains(key) {
            known.keys.insert(key.clone());
            noted.sources.insert(key.source(facet));
        }
    }

    /// What was noted since this was asked last.
    pub fn take(&self) -> BTreeSet<Source> {
        let Some(mut noted) = self.lock() else {
            return BTreeSet::new();
        };
        noted.asked.clear();
        noted.taken += 1;
        std::mem::take(&mut noted.sources)
    }

    /// What histories tell their look-ups to; `None` if nothing is noted.
    pub fn watch(&self) -> Option<Arc<dyn Watch>> {
        self.0.as_ref().map(|_| Arc::new(self.clone()) as _)
    }
}

/// Keys of a table that were noted, so that looking again makes no text.
#[derive(Debug)]
pub(in crate::audit) struct KeysNoted<K> {
    keys: BTreeSet<K>,
    taken: u64,
}

impl<K> Default for KeysNoted<K> {
    fn default() -> Self {
        Self {
            keys: BTreeSet::new(),
            taken: 0,
        }
    }
}

impl Watch for Reads {
    fn asked(&self, subject: &Subject) {
        if let Some(mut noted) = self.lock()
            && !noted.asked.contains(subject)
        {
            noted.asked.insert(subject.clone());
            noted.sources.insert(Source::from(subject));
        }
    }

    fn missed(&self, event: EventId) {
        self.note(|| Source::Event(event));
    }
}
