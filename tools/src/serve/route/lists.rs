//! Lists of views: filters, an order, pages with cursors, counts and sums, from any point in both times.

use super::super::answer;
use super::super::app::{App, blocking};
use super::super::point::{PointQuery, Viewed, within};
use super::super::problem::{Document, Problem};
use super::read_limit;
use crate::asking;
use crate::error::Failure;
use axum::extract::{FromRequestParts, Query as UriQuery, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::subject::SubjectKind;
use projections::query::{Cursor, Kind, Listing, Query, Totals};
use projections::source::Source;
use projections::{Point, Seen};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::openapi::{OpenApi, path::Operation};
use utoipa::{IntoParams, ToSchema};

/// The name of the parameter that filters.
const WHERE: &str = "where";

/// What is asked of a list.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those of which this holds: `FIELD=VALUE`, or `!=`, `<`, `<=`, `>`, `>=` or `~` ("has this text
    /// in it") instead. Can be given several times: then all have to hold. Nothing after the operator means
    /// "has none".
    #[param(rename = "where", required = false)]
    filters: Vec<String>,
    /// Sort by this field; `-FIELD` for the largest or latest first. Default: by id.
    sort: Option<String>,
    /// At most so many, 1 to 1000. Default: 100.
    limit: Option<String>,
    /// The page that `next` of the one before names, with the same filters and order; instead of `as_of` and
    /// `valid_at`.
    cursor: Option<String>,
    /// `true`: no views, only how many there are and the sums of their seats and amounts.
    count: Option<String>,
    /// Only what the ledger had recorded by then: a position, or a time. Default: everything.
    as_of: Option<String>,
    /// Only what had happened by then: a time or a day. Default: the present second.
    valid_at: Option<String>,
    /// Wait, for a bounded time, until the ledger has come to this position.
    min_position: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for ListQuery {
    type Rejection = Problem;

    /// Reads the parameters. One that is unknown is refused, and so is one that is given twice, except the
    /// filters.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let refused = |detail: &str| {
            let hint = "GET /v1/openapi.json lists the parameters of each route; each is given once, \
                except where";
            Problem::parameter("query", detail, hint)
        };
        let read = UriQuery::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let UriQuery(pairs) = read.map_err(|_| refused("the query cannot be read"))?;
        let mut query = Self::default();
        for (name, value) in pairs {
            let place = match name.as_str() {
                WHERE => {
                    query.filters.push(value);
                    continue;
                }
                "sort" => &mut query.sort,
                "limit" => &mut query.limit,
                "cursor" => &mut query.cursor,
                "count" => &mut query.count,
                "as_of" => &mut query.as_of,
                "valid_at" => &mut query.valid_at,
                "min_position" => &mut query.min_position,
                _ => return Err(refused("there is no such parameter")),
            };
            if place.replace(value).is_some() {
                return Err(refused("a parameter is given twice"));
            }
        }
        Ok(query)
    }
}

/// A page of views, or their count.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Listed {
    /// A page.
    Page(Page),
    /// With `count=true`.
    Count(Count),
}

/// A page of views.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page {
    /// The position that this answer reflects; the same on every page.
    position: u64,
    /// Up to when things that happened count; the same on every page.
    valid_at: String,
    /// The kind of subject.
    kind: &'static str,
    /// The views.
    rows: Vec<Row>,
    /// The cursor of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A view in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Row {
    /// Of what, as `KIND:ID`.
    subject: String,
    /// What it looked like.
    #[schema(value_type = Object)]
    view: Value,
}

/// How many views there are, and what they add up to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Count {
    /// The position that this answer reflects.
    position: u64,
    /// Up to when things that happened count.
    valid_at: String,
    /// The kind of subject.
    kind: &'static str,
    /// How many.
    count: u64,
    /// The sum of each field that counts seats.
    #[schema(value_type = BTreeMap<String, i64>)]
    seats: BTreeMap<&'static str, i64>,
    /// The sum of each field that is an amount, by currency.
    amounts: Vec<Amount>,
}

/// What an amount adds up to in a currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct Amount {
    /// The field.
    #[schema(value_type = String)]
    field: &'static str,
    /// ISO 4217 code.
    currency: String,
    /// The sum, in minor units.
    minor_units: i64,
}

impl Count {
    fn of(kind: SubjectKind, point: Point, totals: Totals) -> Self {
        let amounts = totals.amounts.into_iter();
        let amounts = amounts.map(|((field, currency), minor_units)| Amount {
            field,
            currency,
            minor_units,
        });
        Self {
            position: point.as_of.0,
            valid_at: point.valid_at.to_string(),
            kind: kind.name(),
            count: totals.rows,
            seats: totals.seats,
            amounts: amounts.collect(),
        }
    }
}

/// Declares the routes of lists: name, path and kind of subject.
macro_rules! lists {
    ($($(#[doc = $doc:literal])+ $name:ident: $path:literal, $kind:ident;)+) => {
        $(
            $(#[doc = $doc])+
            #[utoipa::path(get, path = $path, params(ListQuery), responses(
                (status = 200, body = Listed, description = "a page, or the count"),
                (status = "default", body = Document, content_type = "application/problem+json", description = "a problem"),
            ))]
            pub async fn $name(
                State(app): State<Arc<App>>,
                query: ListQuery,
                headers: HeaderMap,
            ) -> Result<Response, Problem> {
                answer(&app, SubjectKind::$kind, query, &headers).await
            }
        )+

        /// Which path lists what.
        const PATHS: &[(&str, SubjectKind)] = &[$(($path, SubjectKind::$kind)),+];
    };
}

lists! {
    /// Tenants.
    tenants: "/v1/tenants", Tenant;
    /// Subscriptions.
    subscriptions: "/v1/subscriptions", Subscription;
    /// Agreements.
    agreements: "/v1/agreements", Agreement;
    /// Machines and the licence state of their installs.
    seats: "/v1/seats", Seat;
    /// Activation keys, by their fingerprints.
    keys: "/v1/keys", Key;
    /// Orders.
    orders: "/v1/orders", Order;
    /// Activation emails.
    emails: "/v1/emails", Email;
    /// Sessions.
    sessions: "/v1/sessions", Session;
    /// Redemptions.
    redemptions: "/v1/redemptions", Redemption;
    /// Lots of prepaid credit.
    credits: "/v1/credits", Credit;
    /// Customers.
    customers: "/v1/customers", Customer;
    /// Partners.
    partners: "/v1/partners", Partner;
    /// Support cases.
    cases: "/v1/cases", Case;
}

async fn answer(
    app: &Arc<App>,
    kind: SubjectKind,
    asked: ListQuery,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let query = asked.query(kind)?;
    let limit = asked.limit()?;
    let is_count = asked.is_count()?;
    let cursor = asked.cursor(&query)?;
    let Viewed { source, mut point } = asked.point().viewed(app).await?;
    if let Some(cursor) = &cursor {
        within(cursor.point.as_of, source.end(), "cursor")?;
        point = cursor.point;
    }
    let listed = blocking(move || {
        let seen = Seen::new(&source, point);
        let listed = match is_count {
            true => Listed::Count(Count::of(kind, point, query.totals(&seen))),
            false => Listed::Page(page(&query, kind, &seen, limit, cursor.as_ref())),
        };
        match seen.trouble() {
            None => Ok(listed),
            Some(unread) => Err(Problem::from(Failure::new(
                "cannot read the stored views",
                unread.to_string(),
                "`actl doctor --rebuild-views` makes them again",
            ))),
        }
    });
    Ok(answer::json(headers, point.as_of, &listed.await??))
}

fn page(
    query: &Query,
    kind: SubjectKind,
    seen: &Seen<'_>,
    limit: usize,
    cursor: Option<&Cursor>,
) -> Page {
    let page = query.page(seen, limit, cursor);
    let rows = page.rows.iter().map(|(subject, row)| Row {
        subject: subject.to_string(),
        view: row.json(),
    });
    Page {
        position: seen.point().as_of.0,
        valid_at: seen.point().valid_at.to_string(),
        kind: kind.name(),
        rows: rows.collect(),
        next: page.next,
    }
}

impl ListQuery {
    fn query(&self, kind: SubjectKind) -> Result<Query, Problem> {
        // An address in clear would be in the caller's own logs, and the server has no pepper to hide it
        // with.
        let mut no_pepper = || {
            Err(Failure::new(
                "cannot ask for a person or a machine by name",
                "keys, persons and machines are named by their pseudonyms only",
                "`actl find` prints the pseudonym of an address, a machine or a key",
            ))
        };
        let filtered = asking::read(kind, &self.filters, None, &mut no_pepper);
        let mut query = filtered.map_err(|failure| Problem::of_parameter(WHERE, &failure))?;
        if let Some(sort) = &self.sort {
            let sorted = query.sort(sort);
            sorted.map_err(|error| Problem::of_parameter("sort", &asking::failure(&error)))?;
        }
        Ok(query)
    }

    fn limit(&self) -> Result<usize, Problem> {
        read_limit(self.limit.as_deref())
    }

    fn is_count(&self) -> Result<bool, Problem> {
        let is_count = match self.count.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                let hint = "write count=true, or leave it out";
                return Err(Problem::parameter(
                    "count",
                    "it is neither true nor false",
                    hint,
                ));
            }
        };
        let paged = [&self.sort, &self.limit, &self.cursor];
        if is_count && paged.into_iter().any(Option::is_some) {
            let detail = "a count has no order and no pages";
            let hint = "leave out sort, limit and cursor, or count";
            return Err(Problem::parameter("count", detail, hint));
        }
        Ok(is_count)
    }

    fn cursor(&self, query: &Query) -> Result<Option<Cursor>, Problem> {
        let Some(text) = &self.cursor else {
            return Ok(None);
        };
        if self.as_of.is_some() || self.valid_at.is_some() {
            let detail = "a cursor already says from which point the list is seen";
            let hint = "give `next` of the page before as it is, without as_of and valid_at";
            return Err(Problem::parameter("cursor", detail, hint));
        }
        let cursor = query.cursor(text);
        let cursor =
            cursor.map_err(|error| Problem::of_parameter("cursor", &asking::failure(&error)))?;
        Ok(Some(cursor))
    }

    fn point(&self) -> PointQuery {
        PointQuery::new(
            self.as_of.clone(),
            self.valid_at.clone(),
            self.min_position.clone(),
        )
    }
}

/// Tells in a document which fields each list can be asked for by, from the views themselves.
pub fn describe(document: &mut OpenApi) {
    for (path, kind) in PATHS {
        let item = document.paths.paths.get_mut(*path);
        let operation = item.and_then(|item| item.get.as_mut());
        if let Some((operation, listing)) = operation.zip(Listing::of(*kind)) {
            describe_one(operation, listing);
        }
    }
}

fn describe_one(operation: &mut Operation, listing: &Listing) {
    let fields = (listing.fields)().into_iter();
    let fields: Vec<String> = fields
        .map(|(name, kind)| format!("- `{name}`: {}", in_words(&kind)))
        .collect();
    operation.description = Some(format!(
        "Views of the kind `{}`, by id or in an order. A filter costs the rows that it leaves out on the way; an order \
         or a count costs all views of the kind. The fields for `where` and `sort` are:\n\n{}",
        listing.kind.name(),
        fields.join("\n")
    ));
}

/// What the values of a field are, in words.
fn in_words(kind: &Kind) -> String {
    match kind {
        Kind::Text => "a text".to_owned(),
        Kind::LowerText => "a name in lower case".to_owned(),
        Kind::Pseudonym(kind) => format!("the pseudonym of a {}", kind.name()),
        Kind::Number(_) => "a whole number".to_owned(),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Word(words) => format!("one of `{}`", words.join("`, `")),
        Kind::Day | Kind::Instant => "a time, a day or a month".to_owned(),
        Kind::Record(fields) => {
            let fields = fields
                .iter()
                .map(|(name, kind)| format!("`.{name}`: {}", in_words(kind)));
            let fields: Vec<String> = fields.collect();
            format!("fields of its own ({})", fields.join("; "))
        }
        Kind::Map(value) => format!("by a name after a dot, each {}", in_words(value)),
        Kind::List(value) => format!("any number of: {}", in_words(value)),
    }
}
