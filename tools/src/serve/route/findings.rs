//! The findings of the audit at a point in both times.

use super::super::answer;
use super::super::app::App;
use super::super::point::PointQuery;
use super::super::problem::{Code, Document, Problem};
use super::Parameters;
use crate::format::audit::{self, Origins};
use crate::near::near;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// The audit's report: the fields of `actl audit replay --format json`, with the position.
#[derive(Debug, Serialize, ToSchema)]
pub struct Findings {
    /// The position that this answer reflects.
    position: u64,
    /// The report: `valid_at`, `findings`, `judged`, `not_judged` and the other fields.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    report: Value,
}

/// One finding.
#[derive(Debug, Serialize, ToSchema)]
pub struct Finding {
    /// The position that this answer reflects.
    position: u64,
    /// Up to when things that happened count.
    valid_at: String,
    /// The finding, as it is in the report.
    #[schema(value_type = Object)]
    finding: Value,
}

/// Every finding, what could not be judged, and what is clean.
#[utoipa::path(get, path = "/v1/findings", params(PointQuery), responses(
    (status = 200, body = Findings, description = "the report"),
    (status = "default", body = Document, content_type = "application/problem+json", description = "a problem"),
))]
pub async fn findings(
    State(app): State<Arc<App>>,
    Parameters(query): Parameters<PointQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let point = query.logged(&app).await?;
    let report = app.report(point).await?;
    let body = Findings {
        position: point.as_of.0,
        report: audit::json(&report, &Origins::new()),
    };
    Ok(answer::json(&headers, point.as_of, &body))
}

/// One finding by its id.
#[utoipa::path(get, path = "/v1/findings/{id}",
    params(("id" = String, Path, description = "The finding's id."), PointQuery),
    responses(
        (status = 200, body = Finding, description = "the finding"),
        (status = "default", body = Document, content_type = "application/problem+json", description = "a problem"),
    )
)]
pub async fn finding(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Parameters(query): Parameters<PointQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let point = query.logged(&app).await?;
    let position = point.as_of;
    let report = app.report(point).await?;
    let found = report.findings.iter().find(|one| one.id.as_str() == id);
    let Some(found) = found else {
        let detail = format!(
            "the audit at position {position} and {} has no such finding",
            point.valid_at
        );
        let hint = "GET /v1/findings lists those that it has";
        let known = report.findings.iter().map(|one| one.id.as_str());
        let problem = Problem::new(Code::UnknownFinding, &detail, hint);
        return Err(problem.near(near(&id, known)).at(position));
    };
    let body = Finding {
        position: position.0,
        valid_at: point.valid_at.to_string(),
        finding: audit::finding(found, &Origins::new()),
    };
    Ok(answer::json(&headers, position, &body))
}
