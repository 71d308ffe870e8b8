//! The report of a store: of the findings that are kept, brought up to the end of its log; or of a replay, where
//! these cannot answer.

use crate::command::audit::audit_failure;
use crate::error::{Class, Failure};
use crate::ground::{Ground, views_failure};
use crate::histories::now;
use crate::output::note;
use crate::place::read_failure;
use crate::progress::Progress;
use ledger::store::Store;
use projections::Point;
use projections::stored::Stored;
use replay::audit::kept::{KeptError, KeptFindings};
use replay::audit::{Report, audit_log};
use std::cell::RefCell;

/// Events that are judged without a word.
const SILENT_MAX_EVENTS: u64 = 20_000;

/// The report of a store at a point. Kept findings cannot go back: for a point before what they reached the
/// log is replayed. Costs by what was recorded since they were asked last, or a replay.
pub fn audited(store: &Store, point: Point) -> Result<Report, Failure> {
    // Whoever looks ahead of the present would leave nothing for the present to ask.
    if point.as_of < store.end() || point.valid_at > now() {
        return replayed(store, point);
    }
    let ground = Ground::open(store)?;
    let kept = KeptFindings::open(store).map_err(|error| kept_failure(&error))?;
    let end = kept.end().map_err(|error| kept_failure(&error))?;
    let source = ground.stored();
    let lag = store.end().0.saturating_sub(end.0);
    if lag > SILENT_MAX_EVENTS {
        note(&format!(
            "the kept findings take in {lag} events since they were asked last"
        ));
    }
    let progress = RefCell::new(Progress::of_events("judging", store.end().0));
    let caught_up = kept.catch_up(source, point.valid_at, &|done, of| {
        progress.borrow_mut().over(done, of);
    });
    drop(progress);
    let report = match caught_up.map_err(|error| kept_failure(&error))? {
        true => from_kept(&kept, source, point)?,
        false => None,
    };
    if let Err(error) = kept.close() {
        note(&format!("the kept findings were not written: {error}"));
    }
    ground.close();
    match report {
        Some(report) => Ok(report),
        None => replayed(store, point),
    }
}

/// The report of kept findings, or `None` if they cannot answer for the point.
pub fn from_kept(
    kept: &KeptFindings,
    source: &Stored,
    point: Point,
) -> Result<Option<Report>, Failure> {
    kept.report(source, point.valid_at)
        .map_err(|error| kept_failure(&error))
}

fn replayed(store: &Store, point: Point) -> Result<Report, Failure> {
    audit_log(store, point).map_err(|error| audit_failure(&error))
}

fn kept_failure(error: &KeptError) -> Failure {
    match error {
        KeptError::Store(error) => read_failure(error),
        KeptError::Views(error) => views_failure(error),
        other => Failure::new(
            "cannot use the kept findings",
            other.to_string(),
            "remove the folder `findings` of the store: they are made again",
        )
        .class(Class::IntegrityBroken),
    }
}
