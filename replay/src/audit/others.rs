//! The other landings, found by what they share with one, so that judging a landing costs by its
//! neighbours and not by all there are.

use super::evidence::Evidence;
use super::landing::Landing;
use super::reads::{Beside, Reads, Source};
use ledger::id::{LicenseId, Pcn, SessionId, TenantId};
use ledger::secret::KeyFingerprint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A landing that was judged: whether anything accuses it.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'l> {
    /// The landing.
    pub landing: &'l Landing,
    /// Whether a rule fired on it and nobody dismissed that.
    pub accused: bool,
}

/// All landings, by agreement, customer number, tenant, root session and key.
pub struct Neighbours<'l> {
    landings: &'l [Landing],
    by_agreement: BTreeMap<&'l LicenseId, Vec<usize>>,
    by_number: BTreeMap<Pcn, Vec<usize>>,
    by_tenant: BTreeMap<&'l TenantId, Vec<usize>>,
    by_root: BTreeMap<SessionId, Vec<usize>>,
    by_key: BTreeMap<KeyFingerprint, Vec<usize>>,
    reads: Reads,
}

/// What a landing shares with others that only the evidence says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The customer number of its agreement.
    pub pcn: Option<Pcn>,
    /// The root authentication of its session.
    pub root: Option<SessionId>,
}

impl Place {
    /// The place of a landing.
    pub fn of(landing: &Landing, evidence: &Evidence) -> Self {
        let session = landing.session.as_ref();
        Self {
            pcn: landing.agreement(evidence).and_then(|a| a.pcn.clone()),
            root: session.map(|session| evidence.root_of(session)),
        }
    }

    /// Everything that a landing with this place shares with others.
    pub fn shares(&self, landing: &Landing) -> Vec<Beside> {
        let mut shares = vec![Beside::Tenant(landing.tenant.clone())];
        let moved = landing.remapped.iter();
        shares.extend(moved.map(|to| Beside::Tenant(to.value.clone())));
        shares.extend(landing.license_id.clone().map(Beside::Agreement));
        shares.extend(self.pcn.clone().map(Beside::Number));
        shares.extend(self.root.clone().map(Beside::Root));
        shares.extend(landing.keys.iter().map(|key| Beside::Key(*key)));
        shares
    }
}

impl<'l> Neighbours<'l> {
    /// Indexes the landings, which are in the order in which they happened.
    pub fn new(landings: &'l [Landing], evidence: &Evidence) -> Self {
        let places = landings.iter().map(|landing| Place::of(landing, evidence));
        Self::placed(landings, places, Reads::default())
    }

    /// The same with the places of the landings; look-ups are noted.
    pub fn placed(
        landings: &'l [Landing],
        places: impl IntoIterator<Item = Place>,
        reads: Reads,
    ) -> Self {
        let mut of = Self {
            landings,
            by_agreement: BTreeMap::new(),
            by_number: BTreeMap::new(),
            by_tenant: BTreeMap::new(),
            by_root: BTreeMap::new(),
            by_key: BTreeMap::new(),
            reads,
        };
        for ((index, landing), place) in landings.iter().enumerate().zip(places) {
            if let Some(license) = &landing.license_id {
                of.by_agreement.entry(license).or_default().push(index);
            }
            if let Some(pcn) = place.pcn {
                of.by_number.entry(pcn).or_default().push(index);
            }
            of.by_tenant.entry(&landing.tenant).or_default().push(index);
            if let Some(to) = &landing.remapped {
                of.by_tenant.entry(&to.value).or_default().push(index);
            }
            if let Some(root) = place.root {
                of.by_root.entry(root).or_default().push(index);
            }
            for key in &landing.keys {
                of.by_key.entry(*key).or_default().push(index);
            }
        }
        of
    }
}

/// The landings that count beside one: those that were judged so far.
#[derive(Clone, Copy)]
pub struct Others<'l> {
    of: &'l Neighbours<'l>,
    /// Whether each of the first landings is accused; later ones do not count yet.
    accused: &'l [bool],
}

impl<'l> Others<'l> {
    /// The first landings, as many as there are verdicts.
    pub fn new(of: &'l Neighbours<'l>, accused: &'l [bool]) -> Self {
        Self { of, accused }
    }

    fn judged(self, indices: Option<&'l Vec<usize>>) -> impl Iterator<Item = Judged<'l>> {
        let indices = indices.into_iter().flatten();
        indices.filter_map(move |index| {
            Some(Judged {
                landing: self.of.landings.get(*index)?,
                accused: *self.accused.get(*index)?,
            })
        })
    }

    fn note(self, shared: impl FnOnce() -> Beside) {
        self.of.reads.note(|| Source::Beside(shared()));
    }

    /// Those of an agreement.
    pub fn of_agreement(self, id: &LicenseId) -> impl Iterator<Item = Judged<'l>> {
        self.note(|| Beside::Agreement(id.clone()));
        self.judged(self.of.by_agreement.get(id))
    }

    /// Those of a customer number.
    pub fn of_number(self, pcn: &Pcn) -> impl Iterator<Item = Judged<'l>> {
        self.note(|| Beside::Number(pcn.clone()));
        self.judged(self.of.by_number.get(pcn))
    }

    /// Those that reached a tenant, or were moved to it.
    pub fn of_tenant(self, tenant: &TenantId) -> impl Iterator<Item = Judged<'l>> {
        self.note(|| Beside::Tenant(tenant.clone()));
        self.judged(self.of.by_tenant.get(tenant))
    }

    /// Those whose session derives from a root authentication.
    pub fn of_root(self, root: &SessionId) -> impl Iterator<Item = Judged<'l>> {
        self.note(|| Beside::Root(root.clone()));
        self.judged(self.of.by_root.get(root))
    }

    /// Those of a key.
    pub fn of_key(self, key: &KeyFingerprint) -> impl Iterator<Item = Judged<'l>> {
        self.note(|| Beside::Key(*key));
        self.judged(self.of.by_key.get(key))
    }
}
