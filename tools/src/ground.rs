//! What views are folded from: the stored fold inputs of a store, as far as its log reaches.

use crate::clock::SystemClock;
use crate::error::{Class, Failure};
use crate::histories::PointArgs;
use crate::output::note;
use crate::place::read_failure;
use crate::point::{self, AsOf};
use ledger::id::Position;
use ledger::store::Store;
use ledger::time::{Clock, Timestamp};
use projections::source::Source;
use projections::stored::{Stored, Views, ViewsError};
use projections::{Point, Seen};

/// Events that are caught up with without a word.
const SILENT_MAX_EVENTS: u64 = 200_000;

/// The fold inputs of a store, as far as its log reached when they were opened.
pub struct Ground {
    store: Store,
    views: Views,
    source: Stored,
}

impl Ground {
    /// Opens the stored views of a store, and lets them catch up with its log: costs about two
    /// microseconds for every event since they were last used.
    pub fn open(store: &Store) -> Result<Self, Failure> {
        let views = Views::open(store).map_err(|error| views_failure(&error))?;
        // A few events are taken in faster than a note about it is read.
        if views.lag() > SILENT_MAX_EVENTS {
            let reason = views.made_again().unwrap_or("they were not used since");
            note(&format!(
                "the stored views take in {} events: {reason}",
                views.lag()
            ));
        }
        let caught_up = views.catch_up(&|_, _| {});
        caught_up.map_err(|error| views_failure(&error))?;
        let source = views.source();
        Ok(Self {
            store: store.clone(),
            views,
            source,
        })
    }

    /// The fold inputs.
    pub fn source(&self) -> &dyn Source {
        &self.source
    }

    /// The fold inputs as they are stored.
    pub fn stored(&self) -> &Stored {
        &self.source
    }

    /// The point that arguments name; without `--valid-at` it is now, without `--as-of` the last
    /// position there is.
    pub fn point(&self, args: &PointArgs) -> Result<Point, Failure> {
        let end = self.source.end();
        let as_of = match args.as_of.as_deref().map(AsOf::parse).transpose()? {
            None => end,
            Some(AsOf::Position(position)) => position.min(end),
            Some(AsOf::Time(time)) => recorded_by(&self.store, time)?.min(end),
        };
        let valid_at = args.valid_at.as_deref().map(point::valid_at).transpose()?;
        Ok(Point {
            as_of,
            valid_at: valid_at.unwrap_or_else(|| SystemClock.now()),
        })
    }

    /// Writes what the next command would have to read from the log again. Failing at that loses
    /// nothing.
    pub fn close(&self) {
        if let Err(error) = self.views.close() {
            note(&format!("the stored views were not written: {error}"));
        }
    }
}

/// The last position that was recorded at an instant or before: recorded time never goes back, so
/// that a few events are looked at.
pub fn recorded_by(store: &Store, time: Timestamp) -> Result<Position, Failure> {
    let (mut known, mut later) = (0, store.end().0.saturating_add(1));
    while later - known > 1 {
        let middle = known + (later - known) / 2;
        // A position without an event is a hole that a salvage left: it was recorded no later than the
        // next event that is there.
        let mut at = middle;
        let is_known = loop {
            let event = store.event(Position(at));
            match event.map_err(|error| read_failure(&error))? {
                Some(event) => break event.recorded_at <= time,
                None if at + 1 < later => at += 1,
                None => break false,
            }
        };
        match is_known {
            true => known = at,
            false => later = middle,
        }
    }
    Ok(Position(known))
}

/// Fails if something that was folded could not be read: what was shown lacks it.
pub fn readable(seen: &Seen<'_>) -> Result<(), Failure> {
    match seen.trouble() {
        None => Ok(()),
        Some(unread) => Err(Failure::new(
            "cannot read all of the history",
            unread.to_string(),
            "what was shown lacks something; run `actl doctor`",
        )
        .class(Class::IntegrityBroken)),
    }
}

/// An error of stored views as people see it.
pub fn views_failure(error: &ViewsError) -> Failure {
    match error {
        ViewsError::Store(error) => read_failure(error),
        other => Failure::new(
            "cannot use the stored views",
            other.to_string(),
            "they are derived from the log: `actl doctor --rebuild-views` makes them again",
        )
        .class(Class::IntegrityBroken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::event::json::read_fact;
    use ledger::secret::PublicKeyring;
    use ledger::store::Known;
    use ledger::time::Clock;
    use serde_json::json;

    /// A clock that goes on by a second with every second question.
    struct Ticking(i64);

    impl Clock for Ticking {
        fn now(&mut self) -> Timestamp {
            self.0 += 1;
            Timestamp::from_micros(self.0 / 2 * 1_000_000)
        }
    }

    #[test]
    fn the_position_at_an_instant_is_that_of_the_last_event_recorded_by_then() {
        let store = Store::in_memory(Box::new(Ticking(0))).expect("a store");
        for number in 0..40 {
            let fact = json!({
                "kind": "SessionEnded",
                "occurred_at": "2024-03-05T08:00:00Z",
                "source": { "system": "portal", "record": format!("s-{number}") },
                "data": { "session": "s-1", "reason": "SignedOut" }
            });
            let fact = read_fact(&fact, &mut PublicKeyring).expect("a fact");
            let appended = store.append(vec![fact], &[], Known::Refuse);
            appended.expect("it can be appended");
        }
        let events: Vec<_> = store
            .read(Position(0))
            .map(|event| event.expect("it is there"))
            .collect();
        let last = events
            .last()
            .expect("there are events")
            .recorded_at
            .as_micros();
        for micros in (-1..last / 500_000 + 3).map(|half| half * 500_000) {
            let time = Timestamp::from_micros(micros);
            let known = events.iter().filter(|event| event.recorded_at <= time);
            let wanted = known.map(|event| event.position).max().unwrap_or_default();
            assert_eq!(recorded_by(&store, time).expect("it can be read"), wanted);
        }
    }
}
