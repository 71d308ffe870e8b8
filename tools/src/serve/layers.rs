//! What surrounds every route: request ids, the log, limits, and problems for whatever fails below.

use super::answer::LEDGER_POSITION;
use super::app::App;
use super::problem::{Code, MEDIA_TYPE, Problem};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, map_request, map_response_with_state};
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_stream::StreamExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing::{Span, field};

/// The largest body of a request: every route reads, so that none needs one.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// How much of a body that is too large is read and thrown away before the caller is told. A caller that is
/// still sending when the connection closes learns nothing but that it broke.
const BODY_BYTES_DISCARDED_MAX: usize = 8 * 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the layers around some routes. The first that is added here is the innermost.
pub fn around(routes: Router<Arc<App>>, app: &Arc<App>) -> Router<Arc<App>> {
    let time = app.settings.request_time;
    let routes = match app.settings.allow_remote {
        true => routes,
        false => routes.layer(from_fn(local_host_only)),
    };
    routes
        .layer(from_fn(without_body))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            time,
        ))
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| {
            Problem::internal().into_response()
        }))
        .layer(map_response_with_state(Arc::clone(app), dress))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_request(())
                .on_response(answered)
                .on_failure(()),
        )
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(map_request(forget_request_id))
}

/// A caller's own request id is not taken over, because it could hold anything.
async fn forget_request_id(mut request: Request) -> Request {
    request.headers_mut().remove(REQUEST_ID);
    request
}

/// A request in the log: its route, because a path or a query could hold a secret.
fn span(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>();
    let id = request.headers().get(REQUEST_ID);
    tracing::info_span!(
        "request",
        id = id.and_then(|id| id.to_str().ok()).unwrap_or_default(),
        method = known_method(request.method()),
        route = route.map_or("(none)", MatchedPath::as_str),
        status = field::Empty,
    )
}

fn known_method(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "(other)",
    }
}

fn answered(response: &Response, took: Duration, span: &Span) {
    span.record("status", response.status().as_u16());
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if response.status().is_server_error() {
        tracing::warn!(micros, "answered");
    } else {
        tracing::info!(micros, "answered");
    }
}

/// Makes a problem of every error that has no form yet, and sees that every answer has its headers.
async fn dress(State(app): State<Arc<App>>, response: Response) -> Response {
    let status = response.status();
    let media_type = response.headers().get(CONTENT_TYPE);
    let formed = media_type.is_some_and(|value| value == MEDIA_TYPE);
    let failed = status.is_client_error() || status.is_server_error();
    let mut response = match failed && !formed {
        true => problem(response),
        false => response,
    };
    let headers = response.headers_mut();
    if !headers.contains_key(LEDGER_POSITION) {
        headers.insert(LEDGER_POSITION, HeaderValue::from(app.store.end().0));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Kept by the caller alone, and asked for again each time: the ledger may have moved.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

fn problem(bare: Response) -> Response {
    let mut response = Problem::of_status(bare.status()).into_response();
    let (parts, _) = bare.into_parts();
    for (name, value) in parts.headers {
        let name = name.filter(|name| name != CONTENT_TYPE && name != CONTENT_LENGTH);
        if let Some(name) = name {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Takes the body off a request, and refuses the request if it was too large for one that nobody reads.
async fn without_body(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let mut chunks = body.into_data_stream();
    let mut size = 0_usize;
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        size = size.saturating_add(chunk.len());
        if size > BODY_BYTES_DISCARDED_MAX {
            break;
        }
    }
    if size > BODY_BYTES_MAX {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    next.run(Request::from_parts(head, Body::empty())).await
}

/// Refuses requests that were addressed to a host that is not this machine: a web page could have
/// pointed a name of its own at this address.
async fn local_host_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST);
    if host.is_none_or(|host| host.to_str().is_ok_and(is_local)) {
        return next.run(request).await;
    }
    Problem::new(
        Code::WrongHost,
        "the header Host names neither localhost nor a loopback address",
        "use the address that the server printed when it started",
    )
    .into_response()
}

fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let loopback = |address: IpAddr| address.to_canonical().is_loopback();
    name.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(loopback)
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_this_machine_is_local() {
        for host in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1:8420",
            "127.9.9.9",
            "[::1]:8420",
            "[::1]",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1:8420",
            "",
            "127.0.0.1.evil.example:80",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }
}
