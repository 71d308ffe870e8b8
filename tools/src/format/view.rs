//! Views for people: lists with a few columns, and pages in groups. The JSON form is the view's own.

use super::event::short;
use super::table;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::{Occurred, Precision, Timestamp};
use projections::query::{Cell, Kind, Listing, Row, Totals};
use projections::{Point, Seen};
use serde_json::{Value, json};

const PSEUDONYM_SHOWN: usize = 8;
/// Values of one field that are shown on a page; of more, the number is said.
const VALUES_SHOWN: usize = 12;

/// How the views of a kind are laid out.
struct Layout {
    kind: SubjectKind,
    /// The fields of a list, after the id.
    columns: &'static [&'static str],
    /// The groups of a page: a title and its fields. Fields that no group names come last.
    groups: &'static [(&'static str, &'static [&'static str])],
}

const LAYOUTS: &[Layout] = &[
    Layout {
        kind: SubjectKind::Tenant,
        columns: &["name", "seats", "assigned", "agreements", "retired"],
        groups: &[
            (
                "who",
                &[
                    "name",
                    "initial_domain",
                    "domains",
                    "country",
                    "cloud",
                    "owner",
                    "created_via",
                    "created_on",
                    "retired",
                ],
            ),
            (
                "licences",
                &[
                    "agreements",
                    "subscriptions",
                    "seats",
                    "seats_by_sku",
                    "assigned",
                ],
            ),
            ("administration", &["administrators", "delegated_to"]),
        ],
    },
    Layout {
        kind: SubjectKind::Subscription,
        columns: &["tenant", "sku", "state", "seats", "end"],
        groups: &[
            ("what", &["tenant", "sku", "seats", "license_ids"]),
            ("term", &["started_on", "end", "grace_until"]),
            ("comes from", &["redemptions", "reversed", "diverged"]),
        ],
    },
    Layout {
        kind: SubjectKind::Seat,
        columns: &["state", "tenant", "user", "valid_until", "grace_until"],
        groups: &[
            ("whose", &["tenant", "user"]),
            (
                "licence",
                &[
                    "valid_until",
                    "grace_until",
                    "last_validated",
                    "bumped",
                    "registered",
                ],
            ),
            (
                "install",
                &[
                    "install",
                    "version",
                    "agent_started",
                    "notifier_started",
                    "former_installs",
                ],
            ),
            ("what tools print", &["observed_state", "observed_at"]),
        ],
    },
    Layout {
        kind: SubjectKind::Agreement,
        columns: &[
            "program",
            "customer",
            "state",
            "tenant",
            "seats_ordered",
            "seats_landed",
        ],
        groups: &[
            (
                "what",
                &[
                    "program",
                    "customer",
                    "pcn",
                    "orders",
                    "seats_ordered",
                    "seats_landed",
                ],
            ),
            (
                "activation",
                &[
                    "scenario",
                    "choice",
                    "second_choice",
                    "link_expires",
                    "portal_status",
                ],
            ),
            ("tenant", &["tenant", "basis", "bound_at", "contested_by"]),
            ("people", &["contacts", "permitted_redeemers"]),
        ],
    },
    Layout {
        kind: SubjectKind::Key,
        columns: &["state", "seats", "order", "tenant", "redeemed_at"],
        groups: &[
            ("what", &["order", "license_id", "seats", "expires_on"]),
            (
                "redeemed",
                &["tenant", "redeemed_at", "redemption", "also_redeemed_in"],
            ),
            (
                "handling",
                &["revealed", "refused", "replaces", "replaced_by"],
            ),
        ],
    },
];

fn layout(kind: SubjectKind) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| layout.kind == kind)
}

fn columns(kind: SubjectKind) -> &'static [&'static str] {
    layout(kind).map_or(&[], |layout| layout.columns)
}

/// The line of a view in a list.
pub fn line(subject: &Subject, row: &dyn Row) -> Vec<String> {
    let fields = Listing::of(subject.kind).map_or_else(Vec::new, |listing| (listing.fields)());
    let cell_of = |name: &&str| {
        let index = fields.iter().position(|(field, _)| field == name);
        let cell = index.map_or(Cell::Absent, |index| row.cell(index));
        let kind = index.and_then(|index| fields.get(index));
        kind.map_or_else(String::new, |(_, kind)| of_kind(&cell, kind))
    };
    let cells = columns(subject.kind).iter().map(cell_of);
    std::iter::once(name_of(subject)).chain(cells).collect()
}

/// A subject's id without its kind: a key is known by its last five characters, pseudonyms are whole,
/// so that they can be asked for.
fn name_of(subject: &Subject) -> String {
    match subject.kind {
        SubjectKind::Key => {
            let last5 = subject.id.rsplit('-').next();
            format!("…{}", last5.unwrap_or(&subject.id))
        }
        _ => subject.id.clone(),
    }
}

/// A list.
pub fn list(kind: SubjectKind, rows: Vec<Vec<String>>) -> String {
    let head: Vec<&str> = std::iter::once(kind.name())
        .chain(columns(kind).iter().copied())
        .collect();
    let fields = Listing::of(kind).map_or_else(Vec::new, |listing| (listing.fields)());
    let is_number = |name: &str| {
        let field = fields.iter().find(|(field, _)| *field == name);
        field.is_some_and(|(_, kind)| matches!(kind, Kind::Number(_)))
    };
    let numbers: Vec<usize> = (0..)
        .zip(&head)
        .filter(|(_, name)| is_number(name))
        .map(|(index, _)| index)
        .collect();
    table::table(&head, &numbers, rows)
}

/// A page: what it is and its state, then the fields in groups.
pub fn page(seen: &Seen<'_>, subject: &Subject, row: &dyn Row) -> String {
    let _ = seen;
    let fields = Listing::of(subject.kind).map_or_else(Vec::new, |listing| (listing.fields)());
    let cells: Vec<(&str, Cell, &Kind)> = (0..)
        .zip(&fields)
        .map(|(index, (name, kind))| (*name, row.cell(index), kind))
        .collect();
    let text_of = |wanted: &str| {
        let found = cells.iter().find(|(name, _, _)| *name == wanted);
        found.map_or_else(String::new, |(_, cell, kind)| of_kind(cell, kind))
    };
    let state = text_of("state");
    let mut parts = vec![match state.is_empty() {
        true => short_whole(subject),
        false => format!("{}: {state}", short_whole(subject)),
    }];
    let groups = layout(subject.kind).map_or(&[][..], |layout| layout.groups);
    let named: Vec<&str> = groups
        .iter()
        .flat_map(|(_, fields)| *fields)
        .copied()
        .collect();
    let first = ["state", cells.first().map_or("", |(name, _, _)| name)];
    let rest: Vec<&str> = cells
        .iter()
        .map(|(name, _, _)| *name)
        .filter(|name| !named.contains(name) && !first.contains(name))
        .collect();
    let groups = groups.iter().copied().chain([("besides", rest.as_slice())]);
    for (title, fields) in groups {
        let rows: Vec<(&str, String)> = fields
            .iter()
            .map(|name| (*name, text_of(name)))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        if !rows.is_empty() {
            parts.push(group(title, &rows));
        }
    }
    parts.join("\n\n")
}

/// A group of a page.
pub fn group(title: &str, rows: &[(&str, String)]) -> String {
    let lines = table::pairs(rows);
    let lines = lines.lines().map(|line| format!("  {line}"));
    let lines: Vec<String> = lines.collect();
    format!("{title}\n{}", lines.join("\n"))
}

/// The subject, with whole pseudonyms, so that it can be copied.
fn short_whole(subject: &Subject) -> String {
    match subject.kind {
        SubjectKind::Key => short(subject),
        _ => format!("{} {}", subject.kind.name(), subject.id),
    }
}

/// A value of a kind: pseudonyms are cut.
fn of_kind(value: &Cell, kind: &Kind) -> String {
    match (value, kind) {
        (Cell::Text(text), Kind::Pseudonym(of)) => {
            let cut = text.get(..PSEUDONYM_SHOWN).unwrap_or(text);
            format!("{}:{cut}", of.name())
        }
        (Cell::List(list), Kind::List(inner)) => {
            several(list.iter().map(|value| of_kind(value, inner)))
        }
        (Cell::Map(map), Kind::Map(inner)) => several(
            map.iter()
                .map(|(name, value)| format!("{name} {}", of_kind(value, inner))),
        ),
        (Cell::Record(values), Kind::Record(kinds)) => {
            let values = values.iter().zip(kinds);
            let values = values.map(|((name, value), (_, kind))| (*name, of_kind(value, kind)));
            record(values)
        }
        (value, _) => cell(value),
    }
}

/// A value.
pub fn cell(value: &Cell) -> String {
    match value {
        Cell::Absent => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Flag(true) => "yes".to_owned(),
        Cell::Flag(false) => String::new(),
        Cell::Word(_, word) => (*word).to_owned(),
        Cell::Day(day) => day.to_string(),
        Cell::Instant(at) => instant(*at),
        Cell::List(list) => several(list.iter().map(cell)),
        Cell::Map(map) => several(
            map.iter()
                .map(|(name, value)| format!("{name} {}", cell(value))),
        ),
        Cell::Record(values) => record(values.iter().map(|(name, value)| (*name, cell(value)))),
    }
}

fn several(values: impl Iterator<Item = String>) -> String {
    let mut texts: Vec<String> = values.collect();
    let more = texts.len().saturating_sub(VALUES_SHOWN);
    if more > 0 {
        texts.truncate(VALUES_SHOWN);
        texts.push(format!("and {more} more"));
    }
    texts.join(", ")
}

fn record<'n>(values: impl Iterator<Item = (&'n str, String)>) -> String {
    let values = values.filter(|(_, text)| !text.is_empty());
    let texts: Vec<String> = values
        .map(|(name, text)| format!("{name} {text}"))
        .collect();
    texts.join(" ")
}

/// An instant to the minute, UTC.
pub fn instant(at: Timestamp) -> String {
    let text = at.to_string();
    match text.get(..16) {
        Some(minute) => minute.replacen('T', " ", 1),
        None => text,
    }
}

/// When something happened, no more precisely than its source knew it.
pub fn occurred(at: Occurred) -> String {
    match at.precision {
        Precision::Instant | Precision::Minute => instant(at.start),
        Precision::Day | Precision::Month => at.to_string(),
    }
}

/// How many views there are, and what they add up to.
pub fn totals(kind: SubjectKind, totals: &Totals) -> String {
    let mut rows = vec![(plural(kind), totals.rows.to_string())];
    rows.extend(
        totals
            .seats
            .iter()
            .map(|(name, sum)| (*name, sum.to_string())),
    );
    for ((name, currency), sum) in &totals.amounts {
        rows.push((name, money(*sum, currency)));
    }
    table::pairs(&rows)
}

/// The same for programs.
pub fn totals_json(kind: SubjectKind, point: Point, totals: &Totals) -> Value {
    let amounts = totals.amounts.iter().map(|((name, currency), sum)| {
        json!({ "field": name, "currency": currency, "minor_units": sum })
    });
    json!({
        "schema": "actl.count/1",
        "kind": kind.name(),
        "position": point.as_of.0,
        "valid_at": point.valid_at.to_string(),
        "rows": totals.rows,
        "seats": totals.seats,
        "amounts": amounts.collect::<Value>(),
    })
}

/// An amount: the minor unit is a hundredth in the currencies that the sources use.
fn money(minor_units: i64, currency: &str) -> String {
    let sign = if minor_units < 0 { "-" } else { "" };
    let units = minor_units.unsigned_abs();
    format!("{sign}{}.{:02} {currency}", units / 100, units % 100)
}

fn plural(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Customer => "customers",
        SubjectKind::Partner => "partners",
        SubjectKind::Agreement => "agreements",
        SubjectKind::Pcn => "customer numbers",
        SubjectKind::Order => "orders",
        SubjectKind::Key => "keys",
        SubjectKind::Email => "emails",
        SubjectKind::Link => "links",
        SubjectKind::Activation => "activations",
        SubjectKind::Session => "sessions",
        SubjectKind::Person => "persons",
        SubjectKind::Tenant => "tenants",
        SubjectKind::Subscription => "subscriptions",
        SubjectKind::Redemption => "redemptions",
        SubjectKind::Credit => "credit lots",
        SubjectKind::Seat => "seats",
        SubjectKind::Case => "cases",
        SubjectKind::Finding => "findings",
    }
}
