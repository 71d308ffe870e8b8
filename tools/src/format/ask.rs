//! What is coming, what waits, and what is covered, for people and programs.

use super::event::short;
use super::{table, view};
use ledger::time::{Date, Timestamp};
use projections::Point;
use projections::ask::coverage::{Coverage, Covered, SourceHeld};
use projections::ask::forecast::{Ahead, Forecast};
use projections::ask::worklist::{Job, Waiting};
use serde_json::{Value, json};

const MICROS_PER_HOUR: i64 = 3_600_000_000;
const HOURS_PER_DAY: i64 = 24;
/// Gaps of one source that are shown; of more, the number is said.
const GAPS_SHOWN: usize = 3;

/// The forecast by day, and by tenant within a day.
pub fn forecast(found: &Forecast) -> String {
    let head = format!(
        "from {} to {}, if nothing else happens",
        found.from, found.to
    );
    let mut parts = vec![head];
    if found.ahead.is_empty() {
        parts.push("nothing ends".to_owned());
    }
    let mut rest = found.ahead.as_slice();
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|ahead| ahead.on == first.on).count();
        let (day, others) = rest.split_at(same);
        rest = others;
        parts.push(day_of(first.on, day));
    }
    let healthy: u32 = found.healthy.values().sum();
    if healthy > 0 {
        parts.push(format!(
            "Besides, the licences of {healthy} seats in {} run out in these days unless they are \
             revalidated, as nothing says they will not be; --all lists them.",
            counted(found.healthy.len(), "tenant")
        ));
    }
    parts.join("\n\n")
}

fn day_of(on: Date, day: &[Ahead]) -> String {
    let mut lines = vec![on.to_string()];
    let mut rest = day;
    while let Some(first) = rest.first() {
        let owner = owner(first);
        let same = rest.iter().take_while(|ahead| self::owner(ahead) == owner);
        let (own, others) = rest.split_at(same.count());
        rest = others;
        lines.push(format!("  {owner}"));
        let rows = own.iter().map(|ahead| (short(&ahead.subject), told(ahead)));
        let rows: Vec<(String, String)> = rows.collect();
        let width = rows.iter().map(|(name, _)| name.chars().count()).max();
        let width = width.unwrap_or(0);
        lines.extend(
            rows.iter()
                .map(|(name, what)| format!("    {name:width$}  {what}")),
        );
    }
    lines.join("\n")
}

/// Whose it is: a tenant, or who waits for one.
fn owner(ahead: &Ahead) -> String {
    match (&ahead.tenant, &ahead.customer, &ahead.license_id) {
        (Some(tenant), _, _) => tenant.to_string(),
        (None, Some(customer), _) => format!("no tenant yet, customer {customer}"),
        (None, None, Some(license_id)) => format!("no tenant yet, agreement {license_id}"),
        (None, None, None) => "no tenant known".to_owned(),
    }
}

fn told(ahead: &Ahead) -> String {
    let mut told = ahead.what.says().to_owned();
    if let Some(seats) = ahead.seats.filter(|seats| seats.0 > 0) {
        told = format!(
            "{told}: {}",
            counted(usize::try_from(seats.0).unwrap_or(0), "seat")
        );
    }
    if let Some((units, currency)) = &ahead.amount {
        told = format!("{told}: {} is lost", view::money(*units, currency));
    }
    if let Some(user) = &ahead.user {
        let user = user.to_string();
        told = format!("{told} (person:{})", user.get(..8).unwrap_or(&user));
    }
    told
}

/// A number of things.
fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// The forecast for programs.
pub fn forecast_json(found: &Forecast, point: Point) -> Value {
    let healthy = found.healthy.iter().map(|(tenant, seats)| {
        json!({ "tenant": tenant.as_ref().map(|tenant| tenant.as_str()), "seats": seats })
    });
    json!({
        "schema": "actl.forecast/1",
        "position": point.as_of.0,
        "valid_at": point.valid_at.to_string(),
        "from": found.from.to_string(),
        "to": found.to.to_string(),
        "ahead": found.ahead.iter().map(ahead_json).collect::<Value>(),
        "healthy_seats": healthy.collect::<Value>(),
    })
}

/// One thing that will happen, for programs.
pub fn ahead_json(ahead: &Ahead) -> Value {
    let amount = ahead.amount.as_ref();
    json!({
        "on": ahead.on.to_string(),
        "what": ahead.what.as_str(),
        "subject": ahead.subject.to_string(),
        "tenant": ahead.tenant.as_ref().map(|tenant| tenant.as_str()),
        "customer": ahead.customer.as_ref().map(|customer| customer.as_str()),
        "license_id": ahead.license_id.as_ref().map(|id| id.as_str()),
        "seats": ahead.seats.map(|seats| seats.0),
        "user": ahead.user.map(|user| user.to_string()),
        "amount": amount.map(|(units, code)| json!({ "minor_units": units, "currency": code })),
    })
}

/// The worklist, a section for each sort of job.
pub fn worklist(found: &[Waiting], now: Timestamp) -> String {
    if found.is_empty() {
        return "nothing waits".to_owned();
    }
    let mut parts = Vec::new();
    let mut rest = found;
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|waiting| waiting.job == first.job);
        let (jobs, others) = rest.split_at(same.count());
        rest = others;
        parts.push(section(first.job, jobs, now));
    }
    parts.join("\n\n")
}

fn section(job: Job, jobs: &[Waiting], now: Timestamp) -> String {
    let rows = jobs.iter().map(|waiting| {
        let due = waiting.due.map(|due| format!("by {due}"));
        let seats = waiting
            .seats
            .map(|seats| counted(usize::try_from(seats.0).unwrap_or(0), "seat"));
        vec![
            format!("  {}", short(&waiting.subject)),
            age(waiting.since, now),
            due.unwrap_or_default(),
            waits_for(waiting),
            seats.unwrap_or_default(),
            waiting.next.to_owned(),
        ]
    });
    let text = aligned(&rows.collect::<Vec<_>>());
    format!("{} ({})\n{text}", job.says(), jobs.len())
}

fn waits_for(waiting: &Waiting) -> String {
    let tenant = waiting.tenant.as_ref().map(ToString::to_string);
    let customer = waiting.customer.as_ref().map(|id| format!("customer {id}"));
    let agreement = waiting.license_id.as_ref();
    let agreement = agreement.map(|id| format!("agreement {id}"));
    tenant.or(customer).or(agreement).unwrap_or_default()
}

/// How long something has waited: hours up to two days, then days.
fn age(since: Timestamp, now: Timestamp) -> String {
    let micros = now.as_micros().saturating_sub(since.as_micros());
    let hours = micros.div_euclid(MICROS_PER_HOUR);
    match hours {
        ..48 => format!("{hours} h"),
        _ => format!("{} days", hours / HOURS_PER_DAY),
    }
}

/// Rows whose cells stand below each other; columns without any text are left out.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).filter(|(_, width)| **width > 0);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The worklist for programs.
pub fn worklist_json(found: &[Waiting], point: Point) -> Value {
    let waiting = found.iter().map(|one| waiting_json(one, point.valid_at));
    json!({
        "schema": "actl.worklist/1",
        "position": point.as_of.0,
        "valid_at": point.valid_at.to_string(),
        "waiting": waiting.collect::<Value>(),
    })
}

/// One thing that waits, for programs.
pub fn waiting_json(waiting: &Waiting, now: Timestamp) -> Value {
    let micros = now.as_micros().saturating_sub(waiting.since.as_micros());
    json!({
        "job": waiting.job.as_str(),
        "subject": waiting.subject.to_string(),
        "since": waiting.since.to_string(),
        "age_hours": micros.div_euclid(MICROS_PER_HOUR),
        "due": waiting.due.map(|due| due.to_string()),
        "tenant": waiting.tenant.as_ref().map(|tenant| tenant.as_str()),
        "license_id": waiting.license_id.as_ref().map(|id| id.as_str()),
        "customer": waiting.customer.as_ref().map(|id| id.as_str()),
        "seats": waiting.seats.map(|seats| seats.0),
        "next": waiting.next,
    })
}

/// What is covered: by source with the last day to export, then by tenant and source.
pub fn coverage(found: &Coverage, today: Date) -> String {
    if found.sources.is_empty() {
        return "no evidence is held".to_owned();
    }
    let sources = found.sources.iter().map(|source| {
        let kept = source.retention.as_ref();
        vec![
            source.system.to_string(),
            source.events.to_string(),
            source.first.to_string(),
            source.last.to_string(),
            kept.map_or_else(
                || "not known".to_owned(),
                |kept| format!("{} days", kept.days),
            ),
            export(source, today),
        ]
    });
    let head = ["source", "events", "first", "last", "kept", "export"];
    let mut parts = vec![table::table(&head, &[1], sources.collect())];
    let covered = found.covered.iter().map(|covered| {
        let tenant = covered.tenant.as_ref();
        vec![
            tenant.map_or_else(|| "(no tenant)".to_owned(), ToString::to_string),
            covered.system.to_string(),
            covered.events.to_string(),
            covered.first.to_string(),
            covered.last.to_string(),
            gaps(&covered.gaps),
        ]
    });
    let head = ["tenant", "source", "events", "first", "last", "gaps"];
    parts.push(table::table(&head, &[2], covered.collect()));
    parts.join("\n\n")
}

fn export(source: &SourceHeld, today: Date) -> String {
    match (source.lost, source.export_by) {
        (Some((first, last)), _) => format!("lost {first} to {last}; export today what is left"),
        (None, Some(by)) => format!("by {by}, {} left", counted_days(by.days_since(today))),
        (None, None) => String::new(),
    }
}

fn counted_days(days: i64) -> String {
    match days {
        1 => "1 day".to_owned(),
        _ => format!("{days} days"),
    }
}

fn gaps(gaps: &[(Date, Date)]) -> String {
    let shown = gaps.iter().take(GAPS_SHOWN);
    let mut texts: Vec<String> = shown
        .map(|(first, last)| format!("{first} to {last}"))
        .collect();
    let more = gaps.len().saturating_sub(GAPS_SHOWN);
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    texts.join(", ")
}

/// What is covered, for programs.
pub fn coverage_json(found: &Coverage, point: Point) -> Value {
    json!({
        "schema": "actl.coverage/1",
        "position": point.as_of.0,
        "valid_at": point.valid_at.to_string(),
        "sources": found.sources.iter().map(source_json).collect::<Value>(),
        "covered": found.covered.iter().map(covered_json).collect::<Value>(),
    })
}

/// What is held of one source, for programs.
pub fn source_json(source: &SourceHeld) -> Value {
    json!({
        "source": source.system.as_str(),
        "events": source.events,
        "first": source.first.to_string(),
        "last": source.last.to_string(),
        "retention": source.retention.as_ref().map(|kept| json!({
            "name": kept.name,
            "days": kept.days,
            "from": kept.from,
        })),
        "export_by": source.export_by.map(|day| day.to_string()),
        "lost": source.lost.map(days_json),
    })
}

/// What one source says about one tenant, for programs.
pub fn covered_json(covered: &Covered) -> Value {
    json!({
        "tenant": covered.tenant.as_ref().map(|tenant| tenant.as_str()),
        "source": covered.system.as_str(),
        "events": covered.events,
        "first": covered.first.to_string(),
        "last": covered.last.to_string(),
        "gaps": covered.gaps.iter().copied().map(days_json).collect::<Value>(),
    })
}

fn days_json((first, last): (Date, Date)) -> Value {
    json!({ "first": first.to_string(), "last": last.to_string() })
}
