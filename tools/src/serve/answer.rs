//! Answers: JSON with the position that it reflects, and an entity tag.

use super::problem::Problem;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ledger::id::Position;
use serde::Serialize;

/// The header that carries the position that an answer reflects.
pub const LEDGER_POSITION: HeaderName = HeaderName::from_static("ledger-position");

/// Hexadecimal digits of a body's hash in its entity tag.
const TAG_DIGITS: usize = 32;

/// A JSON answer. Its entity tag is a hash of its body; a caller that has it gets a 304 without one.
pub fn json(asked: &HeaderMap, position: Position, body: &impl Serialize) -> Response {
    let Ok(body) = serde_json::to_vec(body) else {
        return Problem::internal().into_response();
    };
    let hash = blake3::hash(&body).to_hex();
    let tag = format!(
        "\"{}\"",
        hash.as_str().get(..TAG_DIGITS).unwrap_or_default()
    );
    let mut response = match has(asked, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(CONTENT_TYPE, "application/json")], body).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(LEDGER_POSITION, HeaderValue::from(position.0));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

/// Whether the caller has the body of this tag (RFC 9110 section 13.1.2, weak comparison).
fn has(asked: &HeaderMap, tag: &str) -> bool {
    let values = asked.get_all(IF_NONE_MATCH).into_iter();
    let mut tags = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|v| v.split(','));
    tags.any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
    })
}
