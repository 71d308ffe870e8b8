//! The views of the activation keys that end with the same five characters.

use super::super::answer;
use super::super::app::{App, blocking};
use super::super::point::{PointQuery, Viewed};
use super::super::problem::{Code, Document, Problem};
use super::Parameters;
use crate::ground::readable;
use crate::near::near;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::subject::{Subject, SubjectKind};
use projections::Seen;
use projections::view::view;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

const LAST_FIVE: usize = 5;

/// Keys that end the same.
#[derive(Debug, Serialize, ToSchema)]
pub struct Keys {
    /// The position that this answer reflects.
    position: u64,
    /// Up to when things that happened count.
    valid_at: String,
    /// The keys, by their fingerprints.
    keys: Vec<Key>,
}

/// A key.
#[derive(Debug, Serialize, ToSchema)]
pub struct Key {
    /// Its fingerprint, as `key:DIGEST-LAST5`.
    subject: String,
    /// What it looked like.
    #[schema(value_type = Object)]
    view: Value,
}

/// The keys that end with five characters; mostly one.
#[utoipa::path(get, path = "/v1/keys/{last5}",
    params(("last5" = String, Path, description = "The last five characters of the key, never more."), PointQuery),
    responses(
        (status = 200, body = Keys, description = "the keys"),
        (status = "default", body = Document, content_type = "application/problem+json", description = "a problem"),
    )
)]
pub async fn keys(
    State(app): State<Arc<App>>,
    Path(last5): Path<String>,
    Parameters(query): Parameters<PointQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if last5.len() != LAST_FIVE || !last5.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let hint =
            "give these five letters or digits alone; whole keys do not belong into addresses";
        let detail = "it is not the last five characters of a key";
        return Err(Problem::parameter("last5", detail, hint));
    }
    let last5 = last5.to_ascii_uppercase();
    let Viewed { source, point } = query.viewed(&app).await?;
    let keys = blocking(move || ending_with(&Seen::new(&source, point), &last5)).await??;
    let position = point.as_of;
    let body = Keys {
        position: position.0,
        valid_at: point.valid_at.to_string(),
        keys,
    };
    Ok(answer::json(&headers, position, &body))
}

/// So many keys are listed at once.
const PAGE: usize = 1024;

fn ending_with(seen: &Seen<'_>, last5: &str) -> Result<Vec<Key>, Problem> {
    let end = |id: &str| id.rsplit('-').next().unwrap_or_default().to_owned();
    let (mut keys, mut ends) = (Vec::new(), BTreeMap::new());
    let mut after = None;
    loop {
        let page = seen.subjects(SubjectKind::Key, after.as_deref(), PAGE);
        let Some(last) = page.last().cloned() else {
            break;
        };
        for id in page {
            if end(&id) == last5 {
                keys.extend(key(seen, &id));
            }
            ends.entry(end(&id)).or_insert(id);
        }
        after = Some(last);
    }
    readable(seen)?;
    if !keys.is_empty() {
        return Ok(keys);
    }
    let position = seen.point().as_of;
    let detail = format!("no key that is known at position {position} ends like this");
    let hint = "check for characters that look alike, such as 0 and O";
    let mut alike = near(last5, ends.keys().map(String::as_str));
    alike.retain(|end| ends.get(end).is_some_and(|id| key(seen, id).is_some()));
    let problem = Problem::new(Code::UnknownSubject, &detail, hint);
    Err(problem.near(alike).at(position))
}

fn key(seen: &Seen<'_>, id: &str) -> Option<Key> {
    let subject = Subject::new(SubjectKind::Key, id);
    let view = view(seen, &subject)?;
    let subject = subject.to_string();
    Some(Key { subject, view })
}
