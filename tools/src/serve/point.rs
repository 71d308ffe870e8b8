//! The points in both times that a request asks about.

use super::app::{App, blocking};
use super::problem::{Code, Problem};
use crate::ground::recorded_by;
use crate::point::{AsOf, valid_at};
use ledger::id::Position;
use ledger::time::Timestamp;
use projections::Point;
use projections::source::Source;
use projections::stored::Stored;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Which point in both times to look from.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PointQuery {
    /// Only what the ledger had recorded by then: a position, or a time. Default: everything.
    as_of: Option<String>,
    /// Only what had happened by then: a time or a day. Default: the present second.
    valid_at: Option<String>,
    /// Wait, for a bounded time, until the ledger has come to this position.
    min_position: Option<String>,
}

/// The stored views and the point that a request is answered from.
pub struct Viewed {
    /// What is stored of views.
    pub source: Stored,
    /// The point; its position is one that the ledger has.
    pub point: Point,
}

impl PointQuery {
    /// The parameters as they were given.
    pub fn new(
        as_of: Option<String>,
        valid_at: Option<String>,
        min_position: Option<String>,
    ) -> Self {
        Self {
            as_of,
            valid_at,
            min_position,
        }
    }

    fn valid_at(&self, app: &App) -> Result<Timestamp, Problem> {
        match self.valid_at.as_deref().map(valid_at).transpose() {
            Ok(Some(time)) => Ok(time),
            Ok(None) => Ok(end_of_second((app.settings.now)())),
            Err(failure) => Err(Problem::of_parameter("valid_at", &failure)),
        }
    }

    /// Reads the parameters and brings the views up to date to answer.
    pub async fn viewed(&self, app: &Arc<App>) -> Result<Viewed, Problem> {
        let as_of = read_as_of(self.as_of.as_deref())?;
        let valid_at = self.valid_at(app)?;
        wait(app, self.min_position.as_deref()).await?;
        let source = app.stored().await?;
        let as_of = match as_of {
            None => source.end(),
            Some(AsOf::Position(position)) => within(position, source.end(), "as_of")?,
            Some(AsOf::Time(time)) => {
                let store = app.store.clone();
                blocking(move || recorded_by(&store, time))
                    .await??
                    .min(source.end())
            }
        };
        let point = Point { as_of, valid_at };
        Ok(Viewed { source, point })
    }

    /// Reads the parameters: a point of the log itself, however far the views are.
    pub async fn logged(&self, app: &Arc<App>) -> Result<Point, Problem> {
        let as_of = read_as_of(self.as_of.as_deref())?;
        let valid_at = self.valid_at(app)?;
        wait(app, self.min_position.as_deref()).await?;
        let end = app.store.end();
        let as_of = match as_of {
            None => end,
            Some(AsOf::Position(position)) => within(position, end, "as_of")?,
            Some(AsOf::Time(time)) => {
                let store = app.store.clone();
                blocking(move || recorded_by(&store, time)).await??.min(end)
            }
        };
        Ok(Point { as_of, valid_at })
    }
}

/// Reads `as_of`.
pub fn read_as_of(text: Option<&str>) -> Result<Option<AsOf>, Problem> {
    let read = text.map(AsOf::parse).transpose();
    read.map_err(|failure| Problem::of_parameter("as_of", &failure))
}

/// Waits for the position that `min_position` names.
pub async fn wait(app: &App, min_position: Option<&str>) -> Result<(), Problem> {
    match min_position {
        None => Ok(()),
        Some(text) => app.reach(read_position(text, "min_position")?).await,
    }
}

/// Reads a position.
pub fn read_position(text: &str, name: &'static str) -> Result<Position, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let position = text.parse().ok().filter(|_| digits).map(Position);
    position.ok_or_else(|| {
        let hint = "a position is a whole number; the header Ledger-Position carries one";
        Problem::parameter(name, "it is not a position", hint)
    })
}

/// Refuses a position that the ledger has not come to: it is from another ledger, or from the future.
pub fn within(position: Position, end: Position, name: &'static str) -> Result<Position, Problem> {
    if position <= end {
        return Ok(position);
    }
    Err(Problem::new(
        Code::PositionAhead,
        &format!("the ledger is at position {end}"),
        "check that the position is from this ledger; min_position waits for one",
    )
    .about(name)
    .at(end))
}

/// The last moment of a second, so that whoever asks twice within it gets the same answer.
pub fn end_of_second(time: Timestamp) -> Timestamp {
    let start = time.as_micros().div_euclid(MICROS_PER_SECOND) * MICROS_PER_SECOND;
    Timestamp::from_micros(start + MICROS_PER_SECOND - 1)
}
