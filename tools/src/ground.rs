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

    /// The point that arguments name; without `--valid-at` it is now, without `--as-of` the last
    /// position there is.
    pub fn point(&self, args: &PointArgs) -> Result<Point, Failure> {
        let end = self.source.end();
        let as_of = match args.as_of.as_deref().map(AsOf::parse).transpose()? {
            None => end,
            Some(AsOf::Position(position)) => position.min(end),
            Some(AsOf::Time(time)) => self.recorded_by(time)?,
        };
        let valid_at = args.valid_at.as_deref().map(point::valid_at).transpose()?;
        Ok(Point {
            as_of,
            valid_at: valid_at.unwrap_or_else(|| SystemClock.now()),
        })
    }

    /// The last position that was recorded at an instant or before: recorded time never goes back, so
    /// that a few events are looked at.
    fn recorded_by(&self, time: Timestamp) -> Result<Position, Failure> {
        let (mut known, mut later) = (0, self.source.end().0.saturating_add(1));
        while later - known > 1 {
            let middle = known + (later - known) / 2;
            let event = self.store.event(Position(middle));
            let event = event.map_err(|error| read_failure(&error))?;
            // A position without an event is a hole that a salvage left: it hides nothing.
            match event.is_none_or(|event| event.recorded_at <= time) {
                true => known = middle,
                false => later = middle,
            }
        }
        Ok(Position(known))
    }

    /// Writes what the next command would have to read from the log again. Failing at that loses
    /// nothing.
    pub fn close(&self) {
        if let Err(error) = self.views.close() {
            note(&format!("the stored views were not written: {error}"));
        }
    }
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

fn views_failure(error: &ViewsError) -> Failure {
    match error {
        ViewsError::Store(error) => read_failure(error),
        other => Failure::new(
            "cannot use the stored views",
            other.to_string(),
            "they are derived from the log: `actl doctor` says what is wrong with the store",
        )
        .class(Class::IntegrityBroken),
    }
}
