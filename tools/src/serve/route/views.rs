//! The view of one subject at a point in both times.

use super::super::answer;
use super::super::app::{App, blocking};
use super::super::point::{PointQuery, Viewed};
use super::super::problem::{Code, Document, Problem};
use super::Parameters;
use crate::error::Failure;
use crate::near::near;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::subject::{Subject, SubjectKind};
use projections::Seen;
use projections::stored::Stored;
use projections::view::view;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// How many names are looked through for near ones.
const NAMES_READ_MAX: usize = 100_000;

/// The view of a subject.
#[derive(Debug, Serialize, ToSchema)]
pub struct View {
    /// The position that this answer reflects.
    position: u64,
    /// Up to when things that happened count.
    valid_at: String,
    /// Of what this is the view, as `KIND:ID`.
    subject: String,
    /// What it looked like. The fields are those of the projection, as `actl` shows them.
    #[schema(value_type = Object)]
    view: Value,
}

/// Declares the routes of views: name, path, kind of subject and what the id is.
macro_rules! views {
    ($($(#[doc = $doc:literal])+ $name:ident: $path:literal, $kind:ident, $id:literal;)+) => {$(
        $(#[doc = $doc])+
        #[utoipa::path(get, path = $path, params(("id" = String, Path, description = $id), PointQuery), responses(
            (status = 200, body = View, description = "the view"),
            (status = "default", body = Document, content_type = "application/problem+json", description = "a problem"),
        ))]
        pub async fn $name(
            State(app): State<Arc<App>>,
            Path(id): Path<String>,
            Parameters(query): Parameters<PointQuery>,
            headers: HeaderMap,
        ) -> Result<Response, Problem> {
            answer(&app, SubjectKind::$kind, &id, &query, &headers).await
        }
    )+};
}

views! {
    /// A tenant: its agreements, subscriptions, seats and users.
    tenant: "/v1/tenants/{id}", Tenant, "The tenant's initial domain or directory id.";
    /// A subscription: its tenant, seats, end date and state.
    subscription: "/v1/subscriptions/{id}", Subscription, "The subscription's id.";
    /// An agreement: where its activation stands and which tenant it is bound to.
    agreement: "/v1/agreements/{id}", Agreement, "The License ID.";
    /// A seat: a machine, and the licence state of its installs.
    seat: "/v1/seats/{id}", Seat, "The machine's pseudonym, 32 hexadecimal digits.";
    /// An order: its lines, its keys, and whether it was activated.
    order: "/v1/orders/{id}", Order, "The order number.";
    /// An activation email: its recipient, its forwards, and what became of its link.
    email: "/v1/emails/{id}", Email, "The message id.";
    /// A session: who signed in where, and what was done in it.
    session: "/v1/sessions/{id}", Session, "The session's id.";
    /// A redemption: its keys, its tenant, and how it ended.
    redemption: "/v1/redemptions/{id}", Redemption, "The redemption's id.";
    /// A lot of prepaid credit: what is left of it, and until when.
    credit: "/v1/credits/{id}", Credit, "The id of the lot.";
    /// A customer: its agreements, orders, tenants and relations.
    customer: "/v1/customers/{id}", Customer, "The customer's id.";
    /// A partner: its tenants, customers, delegations and redemptions.
    partner: "/v1/partners/{id}", Partner, "The partner's id.";
    /// A support case: what it is about, who agreed, and the steps that were done.
    case: "/v1/cases/{id}", Case, "The case number.";
}

async fn answer(
    app: &Arc<App>,
    kind: SubjectKind,
    id: &str,
    query: &PointQuery,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let subject = subject(kind, id)?;
    let Viewed { source, point } = query.viewed(app).await?;
    let wanted = subject.clone();
    let view = blocking(move || {
        let seen = Seen::new(&source, point);
        let view = view(&seen, &wanted).ok_or_else(|| unknown(&seen, &source, &wanted));
        match seen.trouble() {
            None => view,
            Some(unread) => Err(Problem::from(Failure::new(
                "cannot read the stored views",
                unread.to_string(),
                "`actl doctor --rebuild-views` makes them again",
            ))),
        }
    });
    let view = view.await??;
    let position = point.as_of;
    let body = View {
        position: position.0,
        valid_at: point.valid_at.to_string(),
        subject: subject.to_string(),
        view,
    };
    Ok(answer::json(headers, position, &body))
}

/// A subject by its kind and id. Secrets in clear are refused, and not repeated.
pub fn subject(kind: SubjectKind, id: &str) -> Result<Subject, Problem> {
    Subject::parse(&format!("{}:{id}", kind.name())).ok_or_else(|| {
        let detail = format!("it cannot be the id of a {}", kind.name());
        let hint = "an id is one line of up to 256 bytes; keys, persons and machines are named by \
            their pseudonyms only, which `actl find` prints";
        Problem::parameter("id", &detail, hint)
    })
}

/// Nothing that is seen from this point names a subject.
fn unknown(seen: &Seen<'_>, source: &Stored, subject: &Subject) -> Problem {
    let kind = subject.kind.name();
    let position = seen.point().as_of;
    let detail = format!(
        "no event up to position {position} and {} names this {kind}",
        seen.point().valid_at
    );
    let offered = match subject.kind {
        // A pseudonym that is near another one means nothing.
        SubjectKind::Person | SubjectKind::Seat | SubjectKind::Key => Vec::new(),
        _ => {
            let known = seen.subjects(subject.kind, None, NAMES_READ_MAX);
            near(&subject.id, known.iter().map(String::as_str))
        }
    };
    let is_known_elsewhere = source.knows(subject).unwrap_or(false);
    let hint = if is_known_elsewhere {
        "it is known at another point: leave out as_of and valid_at, or give later ones"
    } else if offered.is_empty() {
        "`actl find` looks for a part of a name"
    } else {
        "`near` lists the names that may have been meant"
    };
    Problem::new(Code::UnknownSubject, &detail, hint)
        .near(offered)
        .at(position)
}
