//! The report of a store: of the findings that are kept, brought up to the end of its log; or of a replay, where
//! these cannot answer.

use crate::command::audit::audit_failure;
use crate::error::{Class, Failure};
use crate::ground::{Ground, views_failure};
use crate::histories::now;
use crate::output::note;
use crate::place::read_failure;
use crate::progress::Progress;
use ledger::id::Position;
use ledger::store::Store;
use ledger::time::Timestamp;
use projections::Point;
use projections::stored::Stored;
use replay::audit::kept::{KeptError, KeptFindings};
use replay::audit::{Report, audit_log};
use std::cell::RefCell;

/// So many events are taken in at any rate: a second or two.
const ALWAYS_TAKEN_IN_EVENTS: u64 = 5_000;

/// An event that is taken in costs so many times what a replay spends on each event of the log.
const TIMES_A_REPLAY: u64 = 40;

/// Whether kept findings that end somewhere are brought up to an end sooner than a log up to there is replayed.
pub fn takes_less(kept: Position, end: Position) -> bool {
    let lag = end.0.saturating_sub(kept.0);
    lag <= ALWAYS_TAKEN_IN_EVENTS || lag.saturating_mul(TIMES_A_REPLAY) <= end.0
}

/// The report of a store at a point. Kept findings cannot go back: for a point before what they reached the
/// log is replayed, and so it is where that is done sooner than taking in what is new. Costs by what was
/// recorded since they were asked last, or a replay.
pub fn audited(store: &Store, point: Point) -> Result<Report, Failure> {
    let Some(kept) = kept_for(store, point)? else {
        return replayed(store, point);
    };
    let ground = Ground::open(store)?;
    let report = of_kept(&kept, &ground, store, point);
    ground.close();
    report
}

/// [`audited`], on ground that was opened already.
pub fn audited_on(ground: &Ground, store: &Store, point: Point) -> Result<Report, Failure> {
    match kept_for(store, point)? {
        Some(kept) => of_kept(&kept, ground, store, point),
        None => replayed(store, point),
    }
}

fn of_kept(
    kept: &KeptFindings,
    ground: &Ground,
    store: &Store,
    point: Point,
) -> Result<Report, Failure> {
    let source = ground.stored();
    let report = match catch_up(kept, source, store, point.valid_at)? {
        true => from_kept(kept, source, point)?,
        false => None,
    };
    close(kept);
    match report {
        Some(report) => Ok(report),
        None => replayed(store, point),
    }
}

/// The kept findings of a store, unless they cannot answer for a point, or not as soon as a replay.
pub fn kept_for(store: &Store, point: Point) -> Result<Option<KeptFindings>, Failure> {
    // Whoever looks ahead of the present would leave nothing for the present to ask.
    if point.as_of < store.end() || point.valid_at > now() {
        return Ok(None);
    }
    let kept = KeptFindings::open(store).map_err(|error| kept_failure(&error))?;
    let end = kept.end().map_err(|error| kept_failure(&error))?;
    if takes_less(end, store.end()) {
        return Ok(Some(kept));
    }
    note(&format!(
        "the log is replayed, because {} events are not among the kept findings; `actl audit keep` takes them in",
        store.end().0.saturating_sub(end.0)
    ));
    Ok(None)
}

/// Brings the kept findings of a store up to its end, however long that takes: from where, and up to where.
pub fn keep(store: &Store) -> Result<(Position, Position), Failure> {
    let kept = KeptFindings::open(store).map_err(|error| kept_failure(&error))?;
    let before = kept.end().map_err(|error| kept_failure(&error))?;
    let ground = Ground::open(store)?;
    let caught_up = catch_up(&kept, ground.stored(), store, now());
    let end = kept.end().map_err(|error| kept_failure(&error));
    close(&kept);
    ground.close();
    caught_up?;
    Ok((before, end?))
}

/// Brings kept findings up to the end of a store and to an instant. `false` if they cannot go there.
pub fn catch_up(
    kept: &KeptFindings,
    source: &Stored,
    store: &Store,
    valid_at: Timestamp,
) -> Result<bool, Failure> {
    let progress = RefCell::new(Progress::of_events("judging", store.end().0));
    let caught_up = kept.catch_up(source, valid_at, &|done, of| {
        progress.borrow_mut().over(done, of);
    });
    caught_up.map_err(|error| kept_failure(&error))
}

/// Writes what was taken in. Failing at that loses nothing.
pub fn close(kept: &KeptFindings) {
    if let Err(error) = kept.close() {
        note(&format!("the kept findings were not written: {error}"));
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

/// An error of kept findings as people see it.
pub fn kept_failure(error: &KeptError) -> Failure {
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
