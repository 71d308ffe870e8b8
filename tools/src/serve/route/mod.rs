//! The routes: one file a kind of answer, and one line here, which documents it as well.

mod about;
mod findings;
mod history;
mod keys;
mod lists;
mod tail;
mod views;

use super::app::App;
use super::problem::Problem;
use axum::Router;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How many rows or events a page has, unless the caller says so.
const LIMIT_DEFAULT: usize = 100;
/// How many it may ask for.
const LIMIT_MAX: usize = 1000;

/// The head of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(info(
    title = "Activation ledger",
    description = "Views, subject histories and findings of an activation ledger, read only. Every \
        answer carries the position that it reflects in the header `Ledger-Position`. Errors are \
        problems (RFC 9457) with a stable `code`. Keys, persons and machines are pseudonyms."
))]
struct Document;

/// Every route with its documentation.
fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(about::health))
        .routes(routes!(about::position))
        .routes(routes!(about::openapi))
        .routes(routes!(views::tenant))
        .routes(routes!(views::subscription))
        .routes(routes!(views::agreement))
        .routes(routes!(views::seat))
        .routes(routes!(views::order))
        .routes(routes!(views::email))
        .routes(routes!(views::session))
        .routes(routes!(views::redemption))
        .routes(routes!(views::credit))
        .routes(routes!(views::customer))
        .routes(routes!(views::partner))
        .routes(routes!(views::case))
        .routes(routes!(keys::keys))
        .routes(routes!(lists::tenants))
        .routes(routes!(lists::subscriptions))
        .routes(routes!(lists::agreements))
        .routes(routes!(lists::seats))
        .routes(routes!(lists::keys))
        .routes(routes!(lists::orders))
        .routes(routes!(lists::emails))
        .routes(routes!(lists::sessions))
        .routes(routes!(lists::redemptions))
        .routes(routes!(lists::credits))
        .routes(routes!(lists::customers))
        .routes(routes!(lists::partners))
        .routes(routes!(lists::cases))
        .routes(routes!(history::history))
        .routes(routes!(findings::findings))
        .routes(routes!(findings::finding))
        .routes(routes!(tail::tail))
}

/// Every route.
pub fn router() -> Router<Arc<App>> {
    routes().split_for_parts().0
}

/// The OpenAPI document of every route.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = routes().into_openapi();
    lists::describe(&mut document);
    document
}

/// Reads how many rows or events are asked for.
fn read_limit(text: Option<&str>) -> Result<usize, Problem> {
    let Some(text) = text else {
        return Ok(LIMIT_DEFAULT);
    };
    let limit = text
        .parse()
        .ok()
        .filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| {
        let hint = format!("give a whole number from 1 to {LIMIT_MAX}");
        Problem::parameter("limit", "it is not a number that can be asked for", &hint)
    })
}

/// The parameters of a query; one that is unknown or given twice is refused, because a misspelled
/// point in time would be answered with another point.
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = Query::try_from_uri(&parts.uri);
        let Query(parameters) = read.map_err(|error| {
            let why = std::error::Error::source(&error);
            let why = why.map_or_else(|| error.to_string(), ToString::to_string);
            let hint =
                "GET /v1/openapi.json lists the parameters of each route; each is given once";
            Problem::parameter("query", &why, hint)
        })?;
        Ok(Self(parameters))
    }
}
