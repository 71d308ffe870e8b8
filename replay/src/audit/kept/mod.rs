//! Findings that are kept: brought up to the end of the log event by event, and asked for at once.
//!
//! Everything that is judged is a *unit*: the landings of an entitlement, everything else about it, one other
//! subject, or the machines of a tenant. Judging a unit notes what it looked at, also where there was nothing
//! ([`super::reads`]). An event makes those units be judged again that had looked at what it names, and those
//! that it names itself; an instant that is reached, those that waited for it. What is judged again is judged
//! over the histories of what it looks at and no more, by the rules of [`audit`](super::audit); so the report is
//! the same, to the byte. Landings come first: whether one is accused is something that others look at, so
//! that they are judged until nothing changes any more. Decision 0015 says why it is exact.
//!
//! What is kept is derived from the log and can be deleted. It is in lists ([`ledger::lists`]), whose watermark
//! is written once what it speaks of is durable: whatever is killed when, what comes after it is judged again.

mod beforehand;
mod cache;
mod events;
mod held;
mod instant;
mod judging;
mod landings;
mod shelf;
mod things;
mod touched;
mod unit;
mod words;
mod world;

use super::clean::{Clean, Trial, trials_alone, without_finding};
use super::finding::Finding;
use super::report::{NotJudged, Report, in_order_of_report};
use super::rules::RULES;
use cache::Cache;
use ledger::id::{CustomerId, FindingId, LicenseId, Position, TenantId};
use ledger::lists::{Generations, Lists, ListsError, RunSize};
use ledger::store::{Store, StoreError};
use ledger::time::Timestamp;
use projections::Point;
use projections::source::Source as _;
use projections::stored::{Stored, ViewsError};
use shelf::{Shelf, State};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use unit::{KeptFinding, KeptLanding};

/// Why kept findings could not be read or brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeptError {
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored fold inputs could not be read.
    #[error(transparent)]
    Views(#[from] ViewsError),
    /// What is kept could not be read or written.
    #[error(
        "the kept findings cannot be used ({0}); they are derived: `actl audit replay` does without them"
    )]
    Lists(#[from] ListsError),
    /// What is kept is not what was put there.
    #[error(
        "the kept findings are not what was written; they are derived: `actl audit replay` does without them"
    )]
    Value,
}

/// Where the findings are, in the directory of their store.
const FOLDER: &str = "findings";

/// What of the kept findings has to change if this does: their form, and what is found by the same events. To
/// be raised with every change of what a rule says.
const FORMAT: u32 = 2;

/// How much is taken in at once.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// How many events go into a run.
    pub runs: RunSize,
    /// So many events are taken in before anything is judged.
    pub batch: u64,
    /// So many units are judged together.
    pub units: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            runs: RunSize {
                full: 1 << 16,
                // Judging again costs more than a small file.
                at_close: 1,
                fan_out: 12,
            },
            batch: 1 << 13,
            units: 512,
        }
    }
}

/// The kept findings of a store.
pub struct KeptFindings {
    store: Store,
    sizes: Sizes,
    shelf: Mutex<(Shelf, RefCell<Cache>)>,
}

impl KeptFindings {
    /// The findings of a store as far as they were kept: what was recorded since is not in them before
    /// [`KeptFindings::report`]. Costs a look at each file.
    pub fn open(store: &Store) -> Result<Self, KeptError> {
        Self::open_with(store, Sizes::default())
    }

    /// [`KeptFindings::open`] with other sizes: for tests and benchmarks.
    pub fn open_with(store: &Store, sizes: Sizes) -> Result<Self, KeptError> {
        let description = store.description();
        let lists = match &description.path {
            None => Lists::in_memory(sizes.runs),
            Some(path) => lists_at(path, description.store_id, sizes.runs)?,
        };
        Ok(Self {
            store: store.clone(),
            sizes,
            shelf: Mutex::new((Shelf::new(lists), RefCell::default())),
        })
    }

    fn shelf(&self) -> MutexGuard<'_, (Shelf, RefCell<Cache>)> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Up to where everything was judged.
    pub fn end(&self) -> Result<Position, KeptError> {
        let state = self.shelf().0.state()?;
        Ok(state.map_or(Position(0), |state| state.end))
    }

    /// Whether they can answer for an instant, with everything that `source` has taken in. They cannot go back:
    /// neither in recorded nor in valid time.
    pub fn reach(&self, source: &Stored, valid_at: Timestamp) -> Result<bool, KeptError> {
        let state = self.shelf().0.state()?;
        Ok(state.is_none_or(|state| state.end <= source.end() && state.valid_at <= valid_at))
    }

    /// Judges what the events after the last one that was judged, and the time since, have changed. `source` has
    /// taken in what is to be judged. Costs by what these events name and by whatever looks at that.
    /// `progress` is told now and then how far that is and how far it has to go. `false` if they cannot answer
    /// for that instant ([`KeptFindings::reach`]): then nothing is done.
    pub fn catch_up(
        &self,
        source: &Stored,
        valid_at: Timestamp,
        progress: &dyn Fn(Position, Position),
    ) -> Result<bool, KeptError> {
        if !self.reach(source, valid_at)? {
            return Ok(false);
        }
        let mut guard = self.shelf();
        let (shelf, cache) = &mut *guard;
        let until = source.end();
        loop {
            let state = shelf.state()?.unwrap_or(State {
                end: Position(0),
                valid_at: Timestamp::from_micros(i64::MIN),
                events: 0,
                tenants: 0,
            });
            let last = Position(state.end.0.saturating_add(self.sizes.batch.max(1))).min(until);
            let point = Point {
                as_of: until,
                valid_at,
            };
            if last == state.end && valid_at == state.valid_at {
                return Ok(true);
            }
            let taken_in = events::take_in(
                &self.store,
                source,
                (&mut *shelf, cache),
                (state, last),
                point,
                self.sizes.units.max(1),
            );
            let written = taken_in.and_then(|()| shelf.write(state.end, last));
            if written.is_err() {
                // What was changed in part is not what is kept.
                shelf.forget();
                cache.borrow_mut().clear();
            }
            written?;
            progress(last, until);
        }
    }

    /// The report at an instant, of everything that `source` has taken in. `None` if they cannot answer for
    /// that instant. Costs what [`KeptFindings::catch_up`] does, and by the number of findings and agreements.
    pub fn report(
        &self,
        source: &Stored,
        valid_at: Timestamp,
    ) -> Result<Option<Report>, KeptError> {
        match self.catch_up(source, valid_at, &|_, _| {})? {
            true => Ok(Some(self.assemble(valid_at)?)),
            false => Ok(None),
        }
    }

    /// Writes what is not in a file yet, merges what is due, and waits for that.
    pub fn settle(&self) -> Result<(), KeptError> {
        Ok(self.shelf().0.lists().settle()?)
    }

    /// Writes what is not in a file yet.
    pub fn close(&self) -> Result<(), KeptError> {
        Ok(self.shelf().0.lists().close()?)
    }

    fn assemble(&self, valid_at: Timestamp) -> Result<Report, KeptError> {
        let guard = self.shelf();
        let (shelf, _) = &*guard;
        let mut findings: Vec<Finding> = Vec::new();
        let mut landings: Vec<KeptLanding> = Vec::new();
        let mut agreements: BTreeMap<LicenseId, (Option<CustomerId>, Option<Clean>)> =
            BTreeMap::new();
        let mut trials: Vec<Trial> = Vec::new();
        let mut is_whole = true;
        shelf.each_shown(&mut |_, record| {
            let own = record
                .landings
                .iter()
                .filter_map(|one| one.finding.as_ref());
            for kept in own.chain(&record.findings) {
                let finding = KeptFinding::finding(kept);
                is_whole &= finding.is_some();
                findings.extend(finding);
            }
            landings.extend(record.landings);
            let known = record.agreements.into_iter();
            agreements.extend(known.map(|one| (one.license_id, (one.customer, one.nothing))));
            trials.extend(record.trials);
        })?;
        if !is_whole {
            return Err(KeptError::Value);
        }
        landings.sort_by(|a, b| a.landing.order().cmp(&b.landing.order()));
        trials.sort_by_key(|trial| trial.order);
        let mut not_judged: Vec<NotJudged> = landings
            .iter()
            .filter_map(KeptLanding::not_judged)
            .collect();
        let ordered = agreements
            .values()
            .filter_map(|(customer, _)| customer.as_ref());
        let ordered: BTreeSet<&CustomerId> = ordered.collect();
        let reached = landings.iter().map(|one| &one.landing.tenant);
        let reached: BTreeSet<&TenantId> = reached.collect();
        let trials = trials_alone(&trials, &ordered, &reached, valid_at.date());
        let found: BTreeSet<&FindingId> = findings.iter().map(|one| &one.id).collect();
        let lines = landings.iter().map(|one| &one.line);
        let nothing = |license: &LicenseId| {
            let known = agreements
                .get(license)
                .and_then(|(_, nothing)| nothing.clone());
            known.unwrap_or_else(|| Clean {
                subject: license.to_string(),
                customer: None,
                line: String::new(),
            })
        };
        let without = without_finding(lines, agreements.keys(), trials, &found, &nothing);
        in_order_of_report(&mut findings, &mut not_judged);
        let state = shelf.state()?;
        let count = |of: fn(State) -> u64| {
            let count = state.map_or(0, of);
            usize::try_from(count).unwrap_or(usize::MAX)
        };
        Ok(Report {
            valid_at,
            without,
            judged: landings.len() - not_judged.len(),
            findings,
            not_judged,
            left_out: 0,
            events: count(|state| state.events),
            tenants: count(|state| state.tenants),
        })
    }
}

fn lists_at(store: &Path, store_id: [u8; 16], runs: RunSize) -> Result<Lists, ListsError> {
    let (_, lists, _) = Generations::open(&store.join(FOLDER), store_id, &made_by(), runs)?;
    Ok(lists)
}

/// What findings are made by: their form, the rules, and what the stored views are made by.
fn made_by() -> String {
    let mut hasher = blake3::Hasher::new();
    for rule in RULES {
        for text in [
            rule.code,
            rule.name,
            rule.meaning,
            rule.needs,
            rule.compensation,
        ] {
            hasher.update(text.as_bytes());
        }
        for parameter in rule.parameters {
            hasher.update(&parameter.value.to_le_bytes());
        }
    }
    hasher.update(projections::stored::made_by().as_bytes());
    let version = env!("CARGO_PKG_VERSION");
    format!("{FORMAT} {version} {}", hasher.finalize().to_hex())
}
