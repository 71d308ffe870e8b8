//! Problems: every answer that is no answer, in the form of RFC 9457.
//!
//! A problem names what was wrong without repeating what the caller sent, which could be a secret;
//! what comes from elsewhere passes through [`scrub`].

use crate::error::Failure;
use crate::place::read_failure;
use crate::privacy::scrub;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ledger::id::Position;
use ledger::store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of problems (RFC 9457 section 3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Declares the codes: name, code in JSON, status and title.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $title:literal;)+) => {
        /// What went wrong. The texts are stable: programs may depend on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            /// The code in JSON.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The status of HTTP.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }

            fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }
        }
    };
}

codes! {
    /// The request is no request that can be understood.
    BadRequest = "bad_request", BAD_REQUEST, "The request cannot be read";
    /// A parameter is not what it has to be.
    BadParameter = "bad_parameter", BAD_REQUEST, "A parameter cannot be read";
    /// There is no such route.
    UnknownRoute = "unknown_route", NOT_FOUND, "There is nothing at this path";
    /// No event names it.
    UnknownSubject = "unknown_subject", NOT_FOUND, "Nothing is known of this subject";
    /// The audit finds no such thing.
    UnknownFinding = "unknown_finding", NOT_FOUND, "There is no such finding";
    /// The route has no such method.
    WrongMethod = "wrong_method", METHOD_NOT_ALLOWED, "The method is not allowed here";
    /// The caller names a position that the ledger has not.
    PositionAhead = "position_ahead", CONFLICT, "The ledger has not come to this position";
    /// The ledger did not come to `min_position` in time.
    PositionNotReached = "position_not_reached", SERVICE_UNAVAILABLE, "The ledger has not come to this position yet";
    /// The request has a body that is too large.
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The request is too large";
    /// The request is meant for another host.
    WrongHost = "wrong_host", MISDIRECTED_REQUEST, "This server does not answer for that host";
    /// The answer took too long.
    TimedOut = "timed_out", GATEWAY_TIMEOUT, "The answer took too long";
    /// Too many do the same at once, or the server is stopping.
    Busy = "busy", SERVICE_UNAVAILABLE, "The server cannot take this now";
    /// The store could not be read.
    StoreUnreadable = "store_unreadable", INTERNAL_SERVER_ERROR, "The store cannot be read";
    /// A mistake in the server.
    Internal = "internal", INTERNAL_SERVER_ERROR, "The server made a mistake";
}

/// The JSON form of a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document {
    /// The code as a URN.
    #[serde(rename = "type")]
    kind: String,
    /// What kind of problem this is; the same for the same code.
    title: &'static str,
    /// The status of HTTP.
    status: u16,
    /// What kind of problem this is, for programs.
    code: &'static str,
    /// What was wrong this time.
    detail: String,
    /// What to do next.
    hint: String,
    /// The parameter that was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'static str>,
    /// Names that are near the one that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    near: Vec<String>,
    /// The position that this answer reflects.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    /// Seconds after which to try again.
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
}

/// An answer that says why there is no other one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(Box<Document>);

impl Problem {
    /// A problem of a kind.
    pub fn new(code: Code, detail: &str, hint: &str) -> Self {
        Self(Box::new(Document {
            kind: format!("urn:activation-ledger:problem:{}", code.text()),
            title: code.title(),
            status: code.status().as_u16(),
            code: code.text(),
            detail: scrub(detail),
            hint: scrub(hint),
            parameter: None,
            near: Vec::new(),
            position: None,
            retry_after_seconds: None,
        }))
    }

    /// A parameter that is not what it has to be.
    pub fn parameter(name: &'static str, detail: &str, hint: &str) -> Self {
        let mut problem = Self::new(Code::BadParameter, detail, hint);
        problem.0.parameter = Some(name);
        problem
    }

    /// The same for what the command line could not read either.
    pub fn of_parameter(name: &'static str, failure: &Failure) -> Self {
        Self::parameter(name, &failure.why, &failure.hint)
    }

    /// The same problem about this parameter.
    #[must_use]
    pub fn about(mut self, parameter: &'static str) -> Self {
        self.0.parameter = Some(parameter);
        self
    }

    /// The same problem with names that may have been meant.
    #[must_use]
    pub fn near(mut self, near: Vec<String>) -> Self {
        self.0.near = near;
        self
    }

    /// The same problem as of a position.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.0.position = Some(position.0);
        self
    }

    /// The same problem with the advice to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// What a bare status means, for those that come from the layers below.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::new(
                Code::UnknownRoute,
                "no route has this path",
                "GET /v1/openapi.json lists the routes",
            ),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                Code::WrongMethod,
                "the route does not have this method",
                "the header Allow lists those that it has; this server only reads",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                Code::TooLarge,
                "the body is larger than this server takes",
                "send no body: every route reads",
            ),
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => Self::new(
                Code::TimedOut,
                "the answer was not ready in time",
                "ask for less, or again later",
            )
            .retry_after(RETRY_AFTER_SECONDS),
            status if status.is_client_error() => Self::new(
                Code::BadRequest,
                "the path, the query or a header cannot be read",
                "GET /v1/openapi.json says what each route takes",
            ),
            _ => Self::internal(),
        }
    }

    /// A mistake in the server.
    pub fn internal() -> Self {
        let detail = "a check in the server failed";
        let hint = "please report this with the answer's x-request-id";
        Self::new(Code::Internal, detail, hint)
    }
}

/// When to try again, where nothing better is known.
pub const RETRY_AFTER_SECONDS: u32 = 1;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(read_failure(&error))
    }
}

impl From<Failure> for Problem {
    /// A failure to read the store. The log says why; the caller learns no path of the server's.
    fn from(failure: Failure) -> Self {
        tracing::error!(why = %scrub(&failure.why), "{}", scrub(&failure.what));
        let detail = "reading from the store failed";
        let hint = "ask the operator; the server's log says why";
        Self::new(Code::StoreUnreadable, detail, hint)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&*self.0).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.0.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(position) = self.0.position {
            headers.insert(super::answer::LEDGER_POSITION, HeaderValue::from(position));
        }
        response
    }
}
