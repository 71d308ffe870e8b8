//! What the server says of itself.

use super::super::answer;
use super::super::app::App;
use super::super::point::wait;
use super::super::problem::{Document, Problem};
use super::Parameters;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Whether the server answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`: a server that is not well does not answer.
    status: &'static str,
    /// The version of the program.
    version: &'static str,
    /// The position of the last durable event.
    position: u64,
    /// How many positions the views are behind; whoever asks for one waits until it is none.
    views_behind: u64,
}

/// Where the ledger is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Place {
    /// The position of the last durable event, 0 for an empty ledger.
    position: u64,
}

/// What to wait for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WaitQuery {
    /// Wait, for a bounded time, until the ledger has come to this position.
    min_position: Option<String>,
}

/// Whether the server answers.
#[utoipa::path(get, path = "/v1/health", responses(
    (status = 200, body = Health, description = "it does"),
    (status = "default", body = Document, content_type = "application/problem+json", description = "a problem"),
))]
pub async fn health(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let position = app.store.end();
    let health = Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        position: position.0,
        views_behind: app.views.lag(),
    };
    answer::json(&headers, position, &health)
}

/// The position of the last durable event.
#[utoipa::path(get, path = "/v1/position", params(WaitQuery), responses(
    (status = 200, body = Place, description = "the position"),
    (status = "default", body = Document, content_type = "application/problem+json", description = "a problem"),
))]
pub async fn position(
    State(app): State<Arc<App>>,
    Parameters(query): Parameters<WaitQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    wait(&app, query.min_position.as_deref()).await?;
    let position = app.store.end();
    let place = Place {
        position: position.0,
    };
    Ok(answer::json(&headers, position, &place))
}

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", responses(
    (status = 200, body = serde_json::Value, description = "the OpenAPI document of this server"),
    (status = "default", body = Document, content_type = "application/problem+json", description = "a problem"),
))]
pub async fn openapi(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    answer::json(&headers, app.store.end(), &super::document())
}
