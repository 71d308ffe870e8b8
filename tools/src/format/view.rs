//! Views for people: lists with a few columns, and pages in groups. The JSON form is the view's own.

use super::event::short;
use super::layout::{columns, groups};
use super::table;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::{Occurred, Precision, Timestamp};
use projections::ask::forecast;
use projections::ask::worklist::{self, Patience};
use projections::query::{Cell, Kind, Listing, Row, Totals};
use projections::{Point, Seen};
use serde_json::{Value, json};

const PSEUDONYM_SHOWN: usize = 8;
/// Values of one field that are shown on a page; of more, the number is said.
const VALUES_SHOWN: usize = 12;

/// How pseudonyms are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pseudonyms {
    /// Only their beginnings, so that people can tell them apart.
    Cut,
    /// Whole, so that what they stand for can be put in their place.
    Whole,
}

impl Pseudonyms {
    /// Whole if they are going to be revealed.
    pub fn of(revealing: bool) -> Self {
        match revealing {
            true => Self::Whole,
            false => Self::Cut,
        }
    }
}

/// The line of a view in a list.
pub fn line(subject: &Subject, row: &dyn Row, pseudonyms: Pseudonyms) -> Vec<String> {
    let fields = Listing::of(subject.kind).map_or_else(Vec::new, |listing| (listing.fields)());
    let currency = currency(&fields, row);
    let amount = |kind, name: &str, cell: &Cell| amount(kind, name, cell, currency.as_deref());
    let cell_of = |name: &&str| {
        let index = fields.iter().position(|(field, _)| field == name);
        let cell = index.map_or(Cell::Absent, |index| row.cell(index));
        let kind = index.and_then(|index| fields.get(index));
        kind.map_or_else(String::new, |(name, kind)| {
            amount(subject.kind, name, &cell).unwrap_or_else(|| of_kind(&cell, kind, pseudonyms))
        })
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
pub fn page(seen: &Seen<'_>, subject: &Subject, row: &dyn Row, pseudonyms: Pseudonyms) -> String {
    let fields = Listing::of(subject.kind).map_or_else(Vec::new, |listing| (listing.fields)());
    let cells: Vec<(&str, Cell, &Kind)> = (0..)
        .zip(&fields)
        .map(|(index, (name, kind))| (*name, row.cell(index), kind))
        .collect();
    let currency = currency(&fields, row);
    let text_of = |wanted: &str| {
        let found = cells.iter().find(|(name, _, _)| *name == wanted);
        found.map_or_else(String::new, |(_, cell, kind)| {
            of_kind(cell, kind, pseudonyms)
        })
    };
    let state = text_of("state");
    let mut parts = vec![match state.is_empty() {
        true => short_whole(subject),
        false => format!("{}: {state}", short_whole(subject)),
    }];
    let groups = groups(subject.kind);
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
        let lines_of = |name: &&'static str| {
            let found = cells.iter().find(|(known, _, _)| known == name);
            let lines = found.map_or_else(Vec::new, |(name, cell, kind)| {
                match amount(subject.kind, name, cell, currency.as_deref()) {
                    Some(amount) => vec![amount],
                    None => lines(cell, kind, pseudonyms),
                }
            });
            let names = std::iter::once(*name).chain(std::iter::repeat(""));
            names.zip(lines).collect::<Vec<_>>()
        };
        let rows: Vec<(&str, String)> = fields.iter().flat_map(lines_of).collect();
        if !rows.is_empty() {
            parts.push(group(title, &rows));
        }
    }
    parts.extend(next(seen, subject));
    parts.join("\n\n")
}

/// Days that a page looks ahead.
const AHEAD_DAYS: u32 = 400;

/// What waits with the subject, and what time will do to it if nothing else happens.
fn next(seen: &Seen<'_>, subject: &Subject) -> Option<String> {
    let mut rows = Vec::new();
    for waiting in worklist::of_subject(seen, subject, &Patience::default()) {
        rows.push(("to do".to_owned(), waiting.next.to_owned()));
    }
    for ahead in forecast::of_subject(seen, subject, AHEAD_DAYS) {
        rows.push((ahead.on.to_string(), ahead.what.says().to_owned()));
    }
    let rows: Vec<(&str, String)> = rows.iter().map(|(a, b)| (a.as_str(), b.clone())).collect();
    (!rows.is_empty()).then(|| group("next", &rows))
}

/// A group of a page.
fn group(title: &str, rows: &[(&str, String)]) -> String {
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

/// The currency of a view's amounts.
fn currency(fields: &[(&'static str, Kind)], row: &dyn Row) -> Option<String> {
    let index = fields.iter().position(|(name, _)| *name == "currency")?;
    match row.cell(index) {
        Cell::Text(code) => Some(code),
        _ => None,
    }
}

/// A field that is an amount of money.
fn amount(kind: SubjectKind, name: &str, cell: &Cell, currency: Option<&str>) -> Option<String> {
    let is_money = Listing::of(kind)?.money.contains(&name);
    match cell {
        Cell::Number(units) if is_money => Some(money(*units, currency?)),
        _ => None,
    }
}

/// A value on a page: records have a line each, everything else is on one line.
fn lines(value: &Cell, kind: &Kind, pseudonyms: Pseudonyms) -> Vec<String> {
    let texts = match (value, kind) {
        (Cell::List(list), Kind::List(inner)) if matches!(**inner, Kind::Record(_)) => {
            let more = list.len().saturating_sub(VALUES_SHOWN);
            let shown = list
                .iter()
                .skip(more)
                .map(|value| of_kind(value, inner, pseudonyms));
            let before = (more > 0).then(|| format!("{more} before these"));
            before.into_iter().chain(shown).collect()
        }
        (Cell::Map(map), Kind::Map(inner)) if matches!(**inner, Kind::Record(_)) => {
            let texts = map
                .iter()
                .map(|(name, value)| format!("{name}: {}", of_kind(value, inner, pseudonyms)));
            texts.collect()
        }
        _ => vec![of_kind(value, kind, pseudonyms)],
    };
    texts.into_iter().filter(|text| !text.is_empty()).collect()
}

/// A value of a kind: pseudonyms are cut.
fn of_kind(value: &Cell, kind: &Kind, pseudonyms: Pseudonyms) -> String {
    match (value, kind) {
        (Cell::Text(text), Kind::Pseudonym(of)) => {
            let shown = match pseudonyms {
                Pseudonyms::Whole => text,
                Pseudonyms::Cut => text.get(..PSEUDONYM_SHOWN).unwrap_or(text),
            };
            format!("{}:{shown}", of.name())
        }
        (Cell::List(list), Kind::List(inner)) => {
            several(list.iter().map(|value| of_kind(value, inner, pseudonyms)))
        }
        (Cell::Map(map), Kind::Map(inner)) => several(
            map.iter()
                .map(|(name, value)| format!("{name} {}", of_kind(value, inner, pseudonyms))),
        ),
        (Cell::Record(values), Kind::Record(kinds)) => {
            let values = values.iter().zip(kinds);
            let values =
                values.map(|((name, value), (_, kind))| (*name, of_kind(value, kind, pseudonyms)));
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
    let none = |name: &str, text: &str| name.starts_with("unexplained_") && text == "0";
    let values = values.filter(|(name, text)| !text.is_empty() && !none(name, text));
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

/// Currencies whose minor unit is the unit itself, and those where it is a thousandth (ISO 4217). In
/// all others it is a hundredth.
const WHOLE_UNITS: [&str; 8] = ["CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF"];
const THOUSANDTHS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// An amount in a currency.
pub fn money(minor_units: i64, currency: &str) -> String {
    let sign = if minor_units < 0 { "-" } else { "" };
    let units = minor_units.unsigned_abs();
    if WHOLE_UNITS.contains(&currency) {
        return format!("{sign}{units} {currency}");
    }
    match THOUSANDTHS.contains(&currency) {
        true => format!("{sign}{}.{:03} {currency}", units / 1000, units % 1000),
        false => format!("{sign}{}.{:02} {currency}", units / 100, units % 100),
    }
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
