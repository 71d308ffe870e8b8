//! Every event after a position, and then each as soon as it is durable, as server-sent events.

use super::super::answer::LEDGER_POSITION;
use super::super::app::App;
use super::super::point::{read_position, within};
use super::super::problem::{Code, Document, Problem, RETRY_AFTER_SECONDS};
use super::Parameters;
use async_stream::stream;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use ledger::event::json::write_event;
use ledger::id::Position;
use serde::Deserialize;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::{Stream, StreamExt};
use utoipa::IntoParams;

const LAST_EVENT_ID: &str = "last-event-id";

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TailQuery {
    /// Only events after this position. Default: from the first.
    after: Option<String>,
}

/// A tail of the log. Each event's id is its position, its name is its kind, and its data is its
/// protected JSON form. It goes on until the caller leaves or the server stops.
#[utoipa::path(get, path = "/v1/tail",
    params(
        TailQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The position of the last event that was received; goes before `after`."),
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream", description = "the events"),
        (status = "default", body = Document, content_type = "application/problem+json", description = "a problem"),
    )
)]
pub async fn tail(
    State(app): State<Arc<App>>,
    Parameters(query): Parameters<TailQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = match headers.get(LAST_EVENT_ID) {
        // Only digits can be a position, so that a value that is no text is refused as well.
        Some(id) => read_position(id.to_str().unwrap_or_default(), "Last-Event-ID")?,
        None => match query.after.as_deref() {
            Some(after) => read_position(after, "after")?,
            None => Position(0),
        },
    };
    let end = app.store.end();
    within(after, end, "after")?;
    let Ok(permit) = Arc::clone(&app.tails).try_acquire_owned() else {
        let detail = "as many tails as this server feeds are open";
        let problem = Problem::new(Code::Busy, detail, "close another tail, or try again later");
        return Err(problem.retry_after(RETRY_AFTER_SECONDS));
    };
    let events = Sse::new(events(app, after, permit)).keep_alive(KeepAlive::default());
    Ok(([(LEDGER_POSITION, end.0.to_string())], events).into_response())
}

fn events(
    app: Arc<App>,
    after: Position,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    stream! {
        let _permit = permit;
        let mut stopping = app.stopping.clone();
        let mut tail = pin!(app.store.tail(after));
        loop {
            let event = tokio::select! {
                event = tail.next() => event,
                _ = stopping.wait_for(|stopping| *stopping) => None,
            };
            match event {
                Some(Ok(event)) => {
                    let data = write_event(&event, app.pepper).to_string();
                    let name = event.kind().name;
                    yield Ok(Event::default().id(event.position.to_string()).event(name).data(data));
                }
                Some(Err(error)) => {
                    // The log says why; the caller resumes and is told by a problem.
                    drop(Problem::from(error));
                    break;
                }
                None => break,
            }
        }
    }
}
