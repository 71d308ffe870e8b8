//! Judging several things beside each other: what each gives does not depend on the others.

use projections::At;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many judge beside each other.
pub(super) const JUDGES: usize = 2;

/// So many are taken at once: enough that taking them costs nothing.
const TAKEN: usize = 64;

/// What `work` makes of each item, in the order of the items. Whoever works looks from a copy of `at`,
/// because what is remembered of folds is not shared.
pub(super) fn beside<T: Sync, R: Send>(
    at: &At<'_>,
    items: &[T],
    work: impl Fn(&At<'_>, &T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = |at: At<'_>| {
        let mut done: Vec<(usize, Vec<R>)> = Vec::new();
        loop {
            let first = next.fetch_add(TAKEN, Ordering::Relaxed);
            let Some(taken) = items.get(first..).filter(|rest| !rest.is_empty()) else {
                return done;
            };
            let taken = taken.iter().take(TAKEN);
            done.push((first, taken.map(|item| work(&at, item)).collect()));
        }
    };
    let mut done = match items.len() > TAKEN {
        false => take(at.clone()),
        true => std::thread::scope(|scope| {
            let helpers: Vec<_> = (1..JUDGES)
                .map(|_| {
                    let at = at.clone();
                    scope.spawn(|| take(at))
                })
                .collect();
            let mut done = take(at.clone());
            for helper in helpers {
                match helper.join() {
                    Ok(its) => done.extend(its),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            done
        }),
    };
    done.sort_unstable_by_key(|(first, _)| *first);
    done.into_iter().flat_map(|(_, results)| results).collect()
}
