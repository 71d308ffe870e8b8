//! The events that name a subject, in the order of their positions, a page at a time.

use super::super::answer;
use super::super::app::{App, blocking};
use super::super::cursor::Cursor;
use super::super::point::{read_as_of, read_position, wait, within};
use super::super::problem::{Code, Document, Problem};
use super::{Parameters, read_limit, views};
use crate::near::near;
use crate::point::AsOf;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::event::Event;
use ledger::event::json::write_event;
use ledger::id::{Position, Revision};
use ledger::secret::PepperId;
use ledger::store::{Store, StoreError};
use ledger::subject::{Subject, SubjectKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// A page of a subject's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct History {
    /// The position that this answer reflects: the history goes up to it, on every page.
    position: u64,
    /// Whose history it is, as `KIND:ID`.
    subject: String,
    /// The events, in their protected JSON form (`actl schema events`).
    #[schema(value_type = Vec<Object>)]
    events: Vec<Value>,
    /// The cursor of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Only events after this position.
    after: Option<String>,
    /// At most so many events, 1 to 1000. Default: 100.
    limit: Option<String>,
    /// The page that `next` of the one before names; instead of `after` and `as_of`.
    cursor: Option<String>,
    /// Only what the ledger had recorded by then: a position, or a time. Default: everything.
    as_of: Option<String>,
    /// Wait, for a bounded time, until the ledger has come to this position.
    min_position: Option<String>,
}

/// The history of a subject, a page at a time.
#[utoipa::path(get, path = "/v1/subjects/{kind}/{id}/history",
    params(
        ("kind" = String, Path, description = "The kind of subject, for example `tenant`."),
        ("id" = String, Path, description = "Its id; a pseudonym for keys, persons and machines."),
        HistoryQuery,
    ),
    responses(
        (status = 200, body = History, description = "a page"),
        (status = "default", body = Document, content_type = "application/problem+json", description = "a problem"),
    )
)]
pub async fn history(
    State(app): State<Arc<App>>,
    Path((kind, id)): Path<(String, String)>,
    Parameters(query): Parameters<HistoryQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let subject = views::subject(kind_named(&kind)?, &id)?;
    let limit = read_limit(query.limit.as_deref())?;
    let range = query.range(&subject)?;
    wait(&app, query.min_position.as_deref()).await?;
    let (store, pepper) = (app.store.clone(), app.pepper);
    let page = blocking(move || page(&store, pepper, subject, &range, limit)).await??;
    Ok(answer::json(&headers, Position(page.position), &page))
}

/// What a query asks for, before the store is looked at.
struct Range {
    after: Position,
    until: Option<AsOf>,
}

impl HistoryQuery {
    fn range(&self, subject: &Subject) -> Result<Range, Problem> {
        let Some(cursor) = self.cursor.as_deref() else {
            let after = self
                .after
                .as_deref()
                .map(|after| read_position(after, "after"));
            return Ok(Range {
                after: after.transpose()?.unwrap_or_default(),
                until: read_as_of(self.as_of.as_deref())?,
            });
        };
        let hint = "give `next` of the page before as it is, without after and as_of";
        if self.after.is_some() || self.as_of.is_some() {
            let detail = "a cursor already says where the page begins and ends";
            return Err(Problem::parameter("cursor", detail, hint));
        }
        let cursor = Cursor::read(cursor, subject).ok_or_else(|| {
            Problem::parameter("cursor", "it is no cursor of this subject's history", hint)
        })?;
        Ok(Range {
            after: cursor.after,
            until: Some(AsOf::Position(cursor.until)),
        })
    }
}

fn kind_named(name: &str) -> Result<SubjectKind, Problem> {
    let kind = SubjectKind::ALL.iter().find(|kind| kind.name() == name);
    kind.copied().ok_or_else(|| {
        let kinds: Vec<&str> = SubjectKind::ALL.iter().map(|kind| kind.name()).collect();
        let hint = format!("the kinds are: {}", kinds.join(", "));
        Problem::parameter("kind", "there is no such kind of subject", &hint)
    })
}

/// Reads a page. Costs by the events on it, and for a point in time a search over the log.
fn page(
    store: &Store,
    pepper: PepperId,
    subject: Subject,
    range: &Range,
    limit: usize,
) -> Result<History, Problem> {
    let end = store.end();
    let until = match range.until {
        None => end,
        Some(AsOf::Position(position)) => within(position, end, "as_of")?,
        Some(AsOf::Time(time)) => last_recorded(store, end, &|event| event.recorded_at <= time)?,
    };
    within(range.after, end, "after")?;
    if store.revision(&subject)? == Revision(0) {
        return Err(unknown(store, &subject)?.at(until));
    }
    let mut events = Vec::new();
    let mut next = None;
    let mut last = range.after;
    for event in store.history(&subject, range.after) {
        let event = event?;
        if event.position > until {
            break;
        }
        if events.len() == limit {
            next = Some(Cursor { after: last, until }.write(&subject));
            break;
        }
        last = event.position;
        events.push(write_event(&event, pepper));
    }
    Ok(History {
        position: until.0,
        subject: subject.to_string(),
        events,
        next,
    })
}

/// The last position up to which `holds`, which holds for a prefix of the log: recorded time never
/// goes backwards. Costs one frame a halving.
fn last_recorded(
    store: &Store,
    end: Position,
    holds: &dyn Fn(&Event) -> bool,
) -> Result<Position, StoreError> {
    let (mut low, mut high) = (0, end.0);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let event = store.event(Position(middle))?;
        if event.is_some_and(|event| holds(&event)) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(Position(low))
}

fn unknown(store: &Store, subject: &Subject) -> Result<Problem, StoreError> {
    let offered = match subject.kind {
        SubjectKind::Person | SubjectKind::Seat | SubjectKind::Key => Vec::new(),
        kind => {
            let known = store.subjects(kind)?;
            near(&subject.id, known.iter().map(|known| known.id.as_str()))
        }
    };
    let detail = format!("no event names this {}", subject.kind.name());
    let hint = "`near` lists names that may have been meant, and `actl find` looks for others";
    Ok(Problem::new(Code::UnknownSubject, &detail, hint).near(offered))
}
