//! Histories to fold views and findings from: a store's, at a point in both times.

use crate::clock::SystemClock;
use crate::error::Failure;
use crate::ground::recorded_by;
use crate::place::read_failure;
use crate::point::{self, AsOf};
use ledger::id::Position;
use ledger::store::Store;
use ledger::time::{Clock, Timestamp};
use projections::{Histories, Point};

/// Which point in both times a command looks from.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PointArgs {
    /// Only what the ledger had recorded by then: a position or a time. Default: everything.
    #[arg(long, value_name = "POSITION|TIME")]
    pub as_of: Option<String>,

    /// Only what had happened by then. Default: now.
    #[arg(long, value_name = "TIME")]
    pub valid_at: Option<String>,
}

impl PointArgs {
    /// The point, over a store; without `--valid-at` it is `default` on the valid axis. Costs a few reads
    /// of the log if `--as-of` is a time.
    pub fn point_of(&self, store: &Store, default: Timestamp) -> Result<Point, Failure> {
        let as_of = match self.as_of.as_deref().map(AsOf::parse).transpose()? {
            None => Position(u64::MAX),
            Some(AsOf::Position(position)) => position,
            Some(AsOf::Time(time)) => recorded_by(store, time)?,
        };
        let valid_at = self.valid_at.as_deref().map(point::valid_at).transpose()?;
        Ok(Point {
            as_of,
            valid_at: valid_at.unwrap_or(default),
        })
    }

    /// The point, over some histories; without `--valid-at` it is `default` on the valid axis.
    pub fn point(&self, histories: &Histories, default: Timestamp) -> Result<Point, Failure> {
        let as_of = match self.as_of.as_deref().map(AsOf::parse).transpose()? {
            None => Position(u64::MAX),
            Some(AsOf::Position(position)) => position,
            Some(AsOf::Time(time)) => histories.position_at(time),
        };
        let valid_at = self.valid_at.as_deref().map(point::valid_at).transpose()?;
        Ok(Point {
            as_of,
            valid_at: valid_at.unwrap_or(default),
        })
    }
}

/// All histories of a store. Reads the whole log: costs by its length, in time and memory.
pub fn gather(store: &Store) -> Result<Histories, Failure> {
    let events: Result<Vec<_>, _> = store.read(Position(0)).collect();
    let events = events.map_err(|error| read_failure(&error))?;
    Ok(Histories::gather(events))
}

/// The present instant.
pub fn now() -> Timestamp {
    SystemClock.now()
}
