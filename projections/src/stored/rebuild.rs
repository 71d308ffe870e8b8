//! Making the views again beside those that are in use.

use super::{Stored, Views, ViewsError};
use crate::seen::{Point, Seen};
use crate::view::{PROJECTIONS, each_view, state_hash};
use ledger::id::Position;
use ledger::lists::{Generations, Lists};
use ledger::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

/// What came of making the views again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebuilding {
    /// They took the place of those that were in use.
    Swapped {
        /// Up to where they reach.
        at: Position,
        /// The hash of all views there, the same of both; or why that of those in use could not be had.
        state: Result<String, String>,
    },
    /// They show something else than those in use, which stay in use: one of the two is wrong.
    Differs {
        /// Where both were looked at.
        at: Position,
        /// The hash of all views of those in use.
        in_use: String,
        /// The hash of all views of those that were made again.
        made_again: String,
        /// The first subject whose view is another one.
        first: Option<String>,
    },
}

impl Views {
    /// Makes the views again of the log, beside those in use, and lets them take their place if every view
    /// is the same at the same position. Views of another version of a projection, or in another form, need
    /// not be compared: [`Views::open`] has thrown them away. Those in use can be read all the while, but
    /// take nothing in during the comparison. Costs reading the log, and folding every view twice.
    pub fn rebuild(
        &self,
        progress: &(dyn Fn(Position, Position) + Sync),
    ) -> Result<Rebuilding, ViewsError> {
        let shared = &self.shared;
        let next = shared.generations.as_ref().map(Generations::begin);
        let next = next.transpose()?;
        let anew = match &next {
            Some(next) => Arc::clone(&next.lists),
            None => Arc::new(Lists::in_memory(shared.sizes.runs)),
        };
        shared.take_in(&anew, shared.store.end(), progress)?;

        let _adding = shared.adding();
        let in_use = self.lists();
        let at = shared.store.end();
        shared.take_in(&anew, at, progress)?;
        anew.settle()?;
        let caught_up = shared.take_in(&in_use, at, &|_, _| {});
        let point = Point {
            as_of: at,
            valid_at: self.recorded_at(at)?,
        };
        let (before, after) = (Stored::new(in_use), Stored::new(anew));
        let (hash_before, hash_after) = std::thread::scope(|scope| {
            let beside = scope.spawn(|| state_hash(&Seen::new(&before, point)));
            let after = state_hash(&Seen::new(&after, point));
            (beside.join(), after)
        });
        let made_again = hash_after.map_err(|error| ViewsError::Fold(error.to_string()))?;
        // What cannot be read is no reason to keep it.
        let state = match (caught_up, hash_before) {
            (Err(error), _) => Err(error.to_string()),
            (Ok(()), Ok(Ok(in_use))) => Ok(in_use),
            (Ok(()), Ok(Err(error))) => Err(error.to_string()),
            (Ok(()), Err(_)) => Err("folding them ended before its time".to_owned()),
        };
        if let Ok(in_use) = &state
            && *in_use != made_again
        {
            return Ok(Rebuilding::Differs {
                at,
                in_use: in_use.clone(),
                made_again,
                first: first_difference(&before, &after, point),
            });
        }
        if let (Some(generations), Some(next)) = (&shared.generations, &next) {
            generations.switch(next, before.lists())?;
        }
        let lists = shared.lists.write();
        *lists.unwrap_or_else(PoisonError::into_inner) = Arc::clone(after.lists());
        Ok(Rebuilding::Swapped { at, state })
    }

    /// When the event at a position was recorded: an instant at which everything up to there can be looked
    /// at, whenever that is done.
    fn recorded_at(&self, at: Position) -> Result<Timestamp, ViewsError> {
        let event = self.shared.store.event(at)?;
        let never = Timestamp::from_micros(0);
        Ok(event.map_or(never, |event| event.recorded_at))
    }
}

/// The first subject whose view is another one.
fn first_difference(one: &Stored, other: &Stored, point: Point) -> Option<String> {
    PROJECTIONS.iter().find_map(|projection| {
        let views = |source: &Stored| {
            let mut views = BTreeMap::new();
            let seen = Seen::new(source, point);
            each_view(&seen, projection, &mut |subject, view| {
                let digest = blake3::hash(view.to_string().as_bytes());
                views.insert(subject.to_string(), *digest.as_bytes());
            });
            views
        };
        let (one, other) = (views(one), views(other));
        let all: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
        let mut differing = all.into_iter().filter(|id| one.get(*id) != other.get(*id));
        differing.next().cloned()
    })
}
