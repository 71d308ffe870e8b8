//! Every view at a point, folded together: each history is read once, however many views lead to it.
//!
//! One view reads the histories that it follows when it asks for them. Whoever wants all views would read most
//! histories again and again, from all over the disk. Here the subjects of one kind after the other are passed
//! over in the order in which they are kept, their states are kept as long as they are few enough, and links go
//! from state to state in memory. What comes out is the same: a state is a state, wherever it comes from.

use crate::seen::Seen;
use crate::source::{Unread, Within};
use crate::view::{AnyView, PROJECTIONS, Projection};
use hashbrown::HashTable;
use ledger::subject::{Subject, SubjectKind};
use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use twox_hash::XxHash3_64;

/// The states of at most so many subjects are kept, about a kilobyte each as a rule. Those of a kind that
/// would be more are read when they are asked for.
pub const STATES_KEPT_MAX: usize = 2 << 20;

/// Into so many parts a kind is cut for each thread, so that none waits long for another.
const PARTS_A_THREAD: usize = 8;

/// So many views are made in one go, by one thread.
const VIEWS_AT_ONCE: usize = 1024;

/// A state, whatever its type.
pub(crate) type AnyState = Arc<dyn Any + Send + Sync>;

/// The states of all subjects of some kinds, and the views of some, at one point.
#[derive(Default)]
pub(crate) struct Known {
    /// By the number of the kind.
    kinds: Vec<Option<OfKind>>,
}

/// What is known of one kind.
#[derive(Default)]
struct OfKind {
    /// In the order of ids.
    states: Vec<(Subject, AnyState)>,
    /// The view of each, once they were made.
    views: Option<Vec<Option<Arc<dyn AnyView>>>>,
    /// Numbers in `states`, by the hash of the id.
    by_id: HashTable<usize>,
}

impl OfKind {
    /// Takes states that come in the order of ids.
    fn of(states: Vec<Vec<(Subject, AnyState)>>) -> Self {
        let count = states.iter().map(Vec::len).sum();
        let mut all = Vec::with_capacity(count);
        let mut by_id = HashTable::with_capacity(count);
        for (subject, state) in states.into_iter().flatten() {
            // There is room for all.
            by_id.insert_unique(hash_of(&subject), all.len(), |_| 0);
            all.push((subject, state));
        }
        Self {
            states: all,
            views: None,
            by_id,
        }
    }

    fn number(&self, subject: &Subject) -> Option<usize> {
        let is_it = |number: &usize| {
            let found = self.states.get(*number);
            found.is_some_and(|(found, _)| found.id == subject.id)
        };
        self.by_id.find(hash_of(subject), is_it).copied()
    }
}

/// Decides where to look, never what is found.
fn hash_of(subject: &Subject) -> u64 {
    XxHash3_64::oneshot(subject.id.as_bytes())
}

impl Known {
    fn of_kind(&self, kind: SubjectKind) -> Option<&OfKind> {
        self.kinds.get(kind as usize)?.as_ref()
    }

    fn put(&mut self, kind: SubjectKind, known: OfKind) {
        let place = kind as usize;
        if self.kinds.len() <= place {
            self.kinds.resize_with(place + 1, || None);
        }
        if let Some(place) = self.kinds.get_mut(place) {
            *place = Some(known);
        }
    }

    /// The state of a subject, if it has one; `None` if nothing is known of its kind.
    pub(crate) fn state(&self, subject: &Subject) -> Option<Option<AnyState>> {
        let known = self.of_kind(subject.kind)?;
        let found = known.number(subject).and_then(|at| known.states.get(at));
        Some(found.map(|(_, state)| Arc::clone(state)))
    }

    /// The view of a subject, if it has one; `None` if nothing is known of its kind.
    pub(crate) fn view(&self, subject: &Subject) -> Option<Option<Arc<dyn AnyView>>> {
        let known = self.of_kind(subject.kind)?;
        let views = known.views.as_ref()?;
        let found = known.number(subject).and_then(|at| views.get(at));
        Some(found.cloned().flatten())
    }
}

/// Folds the views of all subjects of every projection, as they are seen, and visits each once, by so many
/// threads. `visit` adds what it makes of a view to one of several values; together they are of all views in
/// the order of [`PROJECTIONS`] and then of ids, wherever it is cut between them. Costs reading every history
/// once, and memory for the states that others lead to, at most [`STATES_KEPT_MAX`] of them.
pub fn every<T: Default + Send>(
    seen: &Seen<'_>,
    threads: usize,
    visit: impl Fn(&mut T, &Subject, &dyn AnyView) + Sync,
) -> Result<Vec<T>, Unread> {
    every_keeping(STATES_KEPT_MAX, seen, threads, visit)
}

/// [`every`] for whoever has room for another number of states.
pub fn every_keeping<T: Default + Send>(
    states_max: usize,
    seen: &Seen<'_>,
    threads: usize,
    visit: impl Fn(&mut T, &Subject, &dyn AnyView) + Sync,
) -> Result<Vec<T>, Unread> {
    let mut folding = Folding {
        states_max,
        threads: threads.max(1),
        known: Arc::default(),
        seen,
    };
    folding.fold_states()?;
    folding.make_views();
    let mut tasks = Vec::new();
    for projection in PROJECTIONS {
        tasks.extend(folding.tasks(projection)?);
    }
    let made = folding.beside(&tasks, |seen, task| {
        let mut made = T::default();
        match task {
            Task::Known(projection, numbers) => {
                let known = folding.known.of_kind(projection.kind);
                let states = known.and_then(|known| known.states.get(numbers.clone()));
                let views = known.and_then(|known| known.views.as_ref()?.get(numbers.clone()));
                for (number, (subject, _)) in states.into_iter().flatten().enumerate() {
                    match views {
                        None => {
                            if let Some(view) = (projection.view)(seen, subject) {
                                visit(&mut made, subject, &*view);
                            }
                        }
                        Some(views) => {
                            if let Some(Some(view)) = views.get(number) {
                                visit(&mut made, subject, &**view);
                            }
                        }
                    }
                }
            }
            Task::Listed(projection, subjects) => {
                for subject in subjects {
                    if let Some(view) = (projection.view)(seen, subject) {
                        visit(&mut made, subject, &*view);
                    }
                }
            }
            Task::Pass(projection, within) => {
                (projection.pass)(seen, within, &mut |subject, view| {
                    visit(&mut made, subject, view);
                });
            }
        }
        made
    });
    match seen.trouble() {
        None => Ok(made),
        Some(unread) => Err(unread),
    }
}

/// What one thread does in one go.
enum Task {
    /// Makes the views of some of the subjects whose states are known.
    Known(&'static Projection, Range<usize>),
    /// Makes the views of some subjects.
    Listed(&'static Projection, Vec<Subject>),
    /// Folds the histories of some successive subjects, and makes their views.
    Pass(&'static Projection, Within),
}

struct Folding<'s, 'a> {
    states_max: usize,
    threads: usize,
    known: Arc<Known>,
    seen: &'s Seen<'a>,
}

type States = Vec<(Subject, AnyState)>;

impl Folding<'_, '_> {
    /// Folds the states that views of others lead to.
    fn fold_states(&mut self) -> Result<(), Unread> {
        let led_to = |projection: &&Projection| {
            let mut links = PROJECTIONS.iter().flat_map(|p| [p.reads, p.follows]);
            links.any(|kinds| kinds.contains(&projection.kind))
        };
        let mut parts: Vec<(&Projection, Within)> = Vec::new();
        for projection in PROJECTIONS.iter().filter(led_to) {
            let within = self.parts(projection)?.into_iter();
            parts.extend(within.map(|within| (projection, within)));
        }
        let kept = AtomicUsize::new(0);
        let is_full = || kept.load(Ordering::Relaxed) >= self.states_max;
        let folded = self.beside(&parts, |seen, (projection, within)| {
            let states = match is_full() {
                true => Vec::new(),
                false => (projection.states)(seen, within),
            };
            kept.fetch_add(states.len(), Ordering::Relaxed);
            (!is_full()).then_some(states)
        });
        // `None` for a kind of which not all are there.
        let mut by_kind: BTreeMap<SubjectKind, Option<Vec<States>>> = BTreeMap::new();
        for ((projection, _), states) in parts.iter().zip(folded) {
            let all = by_kind.entry(projection.kind).or_insert(Some(Vec::new()));
            match (all.as_mut(), states) {
                (Some(all), Some(states)) => all.push(states),
                (_, _) => *all = None,
            }
        }
        let by_kind: Vec<_> = by_kind
            .into_iter()
            .filter_map(|(kind, states)| Some((kind, Mutex::new(states?))))
            .collect();
        let known = self.beside(&by_kind, |_, (_, states)| {
            let mut states = states.lock().unwrap_or_else(PoisonError::into_inner);
            OfKind::of(std::mem::take(&mut *states))
        });
        let mut all = Known::default();
        for ((kind, _), known) in by_kind.iter().zip(known) {
            all.put(*kind, known);
        }
        self.known = Arc::new(all);
        Ok(())
    }

    /// Makes the views that views of others follow, of those that follow none themselves.
    fn make_views(&mut self) {
        let followed = |projection: &&Projection| {
            let mut follows = PROJECTIONS.iter().flat_map(|p| p.follows);
            projection.follows.is_empty()
                && projection.series.is_empty()
                && follows.any(|kind| *kind == projection.kind)
        };
        for projection in PROJECTIONS.iter().filter(followed) {
            let Some(known) = self.known.of_kind(projection.kind) else {
                continue;
            };
            let parts: Vec<&[(Subject, AnyState)]> = known.states.chunks(VIEWS_AT_ONCE).collect();
            let views = self.beside(&parts, |seen, states| {
                let subjects = states.iter().map(|(subject, _)| subject);
                let views = subjects.map(|subject| (projection.view)(seen, subject));
                views.collect::<Vec<_>>()
            });
            let views = views.into_iter().flatten().collect();
            // Nobody else has it between two rounds.
            let known = Arc::get_mut(&mut self.known);
            let known = known.and_then(|known| known.kinds.get_mut(projection.kind as usize));
            if let Some(Some(known)) = known {
                known.views = Some(views);
            }
        }
    }

    /// What has to be done for the views of a projection.
    fn tasks(&self, projection: &'static Projection) -> Result<Vec<Task>, Unread> {
        // Some have nothing but counters.
        if !projection.series.is_empty() {
            let subjects = self.seen.all_subjects(projection.kind);
            let parts = subjects.chunks(VIEWS_AT_ONCE);
            let tasks = parts.map(|subjects| Task::Listed(projection, subjects.to_vec()));
            return Ok(tasks.collect());
        }
        let Some(known) = self.known.of_kind(projection.kind) else {
            let parts = self.parts(projection)?.into_iter();
            return Ok(parts.map(|within| Task::Pass(projection, within)).collect());
        };
        let count = known.states.len();
        let starts = (0..count).step_by(VIEWS_AT_ONCE);
        let tasks =
            starts.map(|start| Task::Known(projection, start..count.min(start + VIEWS_AT_ONCE)));
        Ok(tasks.collect())
    }

    /// The subjects of a projection in several parts.
    fn parts(&self, projection: &Projection) -> Result<Vec<Within>, Unread> {
        let parts = match self.threads {
            1 => 1,
            threads => threads * PARTS_A_THREAD,
        };
        let cuts = self.seen.source().cuts(projection.kind, parts)?;
        let ends = cuts.iter().map(|cut| Some(cut.clone())).chain([None]);
        let starts = [None].into_iter().chain(cuts.iter().map(Some));
        let parts = starts.zip(ends).map(|(from, until)| Within {
            from: from.cloned(),
            until,
        });
        Ok(parts.collect())
    }

    /// Does tasks beside each other; what came of each, in their order.
    fn beside<T: Sync, R: Send>(
        &self,
        tasks: &[T],
        work: impl Fn(&Seen<'_>, &T) -> R + Sync,
    ) -> Vec<R> {
        let next = AtomicUsize::new(0);
        let until_done = |seen: Seen<'_>| {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                match tasks.get(number) {
                    Some(task) => done.push((number, work(&seen, task))),
                    None => return done,
                }
            }
        };
        let seen = || self.seen.knowing(&self.known);
        let mut done = std::thread::scope(|scope| {
            let others = (1..self.threads.min(tasks.len())).map(|_| {
                let seen = seen();
                let thread = std::thread::Builder::new().name("ledger-folds".to_owned());
                // Without the thread the others have more to do.
                thread.spawn_scoped(scope, || until_done(seen)).ok()
            });
            let others: Vec<_> = others.collect();
            let mut done = until_done(seen());
            for other in others.into_iter().flatten() {
                match other.join() {
                    Ok(more) => done.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            done
        });
        done.sort_unstable_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, result)| result).collect()
    }
}
