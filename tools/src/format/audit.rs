//! The audit's report: for people, and as JSON.

use ledger::id::EventId;
use ledger::time::{Occurred, Precision, Timestamp};
use replay::audit::clean::Clean;
use replay::audit::expectation::{Expectation, Wanted};
use replay::audit::finding::{About, Exhibit, Finding, FindingState};
use replay::audit::report::Report;
use replay::audit::rules::Rule;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The name and version of the JSON form.
pub const SCHEMA: &str = "activation-ledger/audit/1";

/// How many lines about what is clean are shown before the rest is counted.
const CLEAN_LINES_MAX: usize = 60;
const LABEL_WIDTH: usize = 10;

/// Where events come from, as `FILE:LINE`; empty for a store.
pub type Origins = BTreeMap<EventId, String>;

/// The JSON form of a report: the same bytes for the same input on every machine.
pub fn json(report: &Report, origins: &Origins) -> Value {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|f| finding(f, origins))
        .collect();
    let not_judged: Vec<Value> = report
        .not_judged
        .iter()
        .map(|one| json!({ "landing": one.landing, "tenant": one.tenant, "needs": one.needs }))
        .collect();
    let lines = |list: &[Clean]| {
        let line = |one: &Clean| json!({ "subject": one.subject, "customer": one.customer, "line": one.line });
        list.iter().map(line).collect::<Vec<Value>>()
    };
    json!({
        "schema": SCHEMA,
        "valid_at": report.valid_at.to_string(),
        "events": report.events,
        "tenants": report.tenants,
        "findings": findings,
        "left_out": report.left_out,
        "judged": report.judged,
        "not_judged": not_judged,
        "clean": lines(&report.without.clean),
        "unexplained": lines(&report.without.unexplained),
    })
}

/// The JSON form of one finding.
pub fn finding(finding: &Finding, origins: &Origins) -> Value {
    let exhibits = |list: &[Exhibit]| list.iter().map(|e| exhibit(e, origins)).collect::<Vec<_>>();
    let path: Vec<Value> = finding
        .path
        .iter()
        .map(|step| json!({ "at": step.at.to_string(), "what": step.what }))
        .collect();
    let mut value = json!({
        "id": finding.id.as_str(),
        "codes": finding.codes,
        "severity": finding.severity.as_str(),
        "confidence": finding.confidence,
        "state": finding.state,
        "about": finding.subject(),
        "at": finding.at.to_string(),
        "customer": finding.customer.as_ref().map(|c| c.as_str()),
        "license_id": finding.license_id.as_ref().map(|l| l.as_str()),
        "subjects": finding.subjects,
        "evidence": exhibits(&finding.evidence),
        "counter_evidence": exhibits(&finding.counter_evidence),
        "evidence_digest": finding.evidence_digest(),
        "path": path,
        "effects": finding.effects,
        "summary": finding.summary,
        "next_step": finding.next_step,
    });
    if let (Value::Object(map), Some(landed)) = (&mut value, finding.landed()) {
        map.insert("landing".to_owned(), json!(landed.landing));
        map.insert(
            "actual".to_owned(),
            json!({ "tenant": landed.actual.as_str() }),
        );
        map.insert("expected".to_owned(), expectation(&landed.expected));
        if let Some(then) = &landed.expected_then {
            map.insert("expected_then".to_owned(), expectation(then));
        }
    }
    value
}

pub(super) fn expectation(expectation: &Expectation) -> Value {
    let mut value = json!({
        "kind": expectation.kind(),
        "tenant": expectation.tenant().map(|tenant| tenant.as_str()),
        "source": expectation.source.as_str(),
        "confidence": expectation.confidence,
    });
    if let (Value::Object(map), Wanted::Existing(tenants)) = (&mut value, &expectation.wanted)
        && tenants.len() > 1
    {
        let all: Vec<&str> = tenants.iter().map(|tenant| tenant.as_str()).collect();
        map.insert("tenants".to_owned(), json!(all));
        map.insert("contested".to_owned(), json!(expectation.contested));
    }
    value
}

fn exhibit(exhibit: &Exhibit, origins: &Origins) -> Value {
    let mut value = json!({
        "event": exhibit.event.to_string(),
        "at": exhibit.at.to_string(),
        "why": exhibit.why,
    });
    if let (Value::Object(map), Some(origin)) = (&mut value, origins.get(&exhibit.event)) {
        map.insert("origin".to_owned(), json!(origin));
    }
    value
}

/// The report for people, at a width in characters. `latest` says that the instant is the latest
/// event's, and `all` that every clean line is shown.
pub fn text(report: &Report, origins: &Origins, latest: bool, all: bool, width: usize) -> String {
    let mut out = headline(report, latest);
    for finding in &report.findings {
        let _ = write!(out, "\n\n{}", block(finding, origins, width));
    }
    if report.judged == 0 && report.not_judged.is_empty() {
        out.push_str("\n\nNo licence landed anywhere in this history.");
    }
    if !report.not_judged.is_empty() {
        out.push_str("\n\nNot judged: nothing says which tenant was meant");
        let rows = report.not_judged.iter();
        let rows = rows.map(|one| vec![format!("  {}", one.landing), format!("in {}", one.tenant)]);
        let _ = write!(out, "\n{}", columns(rows.collect()));
        if let Some(one) = report.not_judged.first() {
            let _ = write!(out, "\n  would settle it: {}", one.needs);
        }
    }
    for (title, lines) in [
        (
            "Elsewhere than expected, though no rule accuses it: look at these",
            &report.without.unexplained,
        ),
        ("Nothing found", &report.without.clean),
    ] {
        if lines.is_empty() {
            continue;
        }
        let _ = write!(out, "\n\n{title}");
        let shown = if all { usize::MAX } else { CLEAN_LINES_MAX };
        let rows = lines.iter().take(shown).map(|one| {
            let customer = one.customer.clone().unwrap_or_default();
            vec![format!("  {}", one.subject), customer, one.line.clone()]
        });
        let _ = write!(out, "\n{}", columns(rows.collect()));
        let hidden = lines.len().saturating_sub(shown);
        if hidden > 0 {
            let _ = write!(out, "\n  and {hidden} more; --all shows them");
        }
    }
    out
}

fn columns(rows: Vec<Vec<String>>) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |index: usize| {
        let cells = rows.iter().filter_map(|row| row.get(index));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    }
}

/// How much was found, of how much.
pub(super) fn counts(report: &Report) -> String {
    let settled = report.findings.iter().filter(|f| !f.is_open()).count();
    let mut parts = vec![counted(report.findings.len(), "finding", "findings")];
    if settled > 0 {
        parts.push(format!("{settled} of them settled"));
    }
    if report.left_out > 0 {
        parts.push(format!("{} left out by the options", report.left_out));
    }
    parts.push(counted(report.events, "event", "events"));
    parts.push(counted(report.tenants, "tenant", "tenants"));
    let judged = counted(report.judged, "landing judged", "landings judged");
    parts.push(match report.not_judged.len() {
        0 => judged,
        not => format!("{judged}, {not} not"),
    });
    parts.join(" · ")
}

fn headline(report: &Report, latest: bool) -> String {
    let at = moment(report.valid_at);
    let why = if latest { ", the latest event" } else { "" };
    format!("{}\nvalid at {at}{why}", counts(report))
}

fn moment(at: Timestamp) -> String {
    when(Occurred::at(at))
}

/// A time for people: `2024-03-11 09:42`, or the day or month if no more is known.
pub(super) fn when(at: Occurred) -> String {
    let text = at.start.to_string();
    match at.precision {
        Precision::Instant | Precision::Minute => text.get(..16).unwrap_or(&text).replace('T', " "),
        Precision::Day | Precision::Month => at.to_string(),
    }
}

fn block(finding: &Finding, origins: &Origins, width: usize) -> String {
    let rules = finding.codes.iter().map(|code| match Rule::of_code(code) {
        Some(rule) => format!("{code} {}", rule.name),
        None => (*code).to_owned(),
    });
    let rules = rules.collect::<Vec<_>>().join(" · ");
    let state = match finding.state {
        FindingState::Open => "",
        FindingState::Reopened => "  open again: the evidence has changed",
        FindingState::Confirmed => "  confirmed",
        FindingState::Dismissed => "  dismissed",
        FindingState::Compensated => "  compensated",
    };
    let head = format!(
        "{}  {}  {}{state}  {rules}",
        finding.id,
        finding.severity.as_str(),
        finding.confidence.word()
    );
    let mut lines = wrapped(&head, "", "  ", width);
    lines.extend(wrapped(&finding.summary, "  ", "  ", width));
    let mut label = |label: &str, text: &str| {
        let first = format!("  {label:LABEL_WIDTH$}");
        let rest = " ".repeat(LABEL_WIDTH + 2);
        lines.extend(wrapped(text, &first, &rest, width));
    };
    if let About::Subject(subject) = &finding.about {
        label("about", &subject.to_string());
    }
    if let Some(landed) = finding.landed() {
        label("expected", &expected(&landed.expected));
        if let Some(then) = &landed.expected_then {
            let then = expected(then);
            label(
                "then",
                &format!("{then} was expected by what was known then"),
            );
        }
    }
    if !finding.path.is_empty() {
        label("path", &path(finding));
    }
    for (word, exhibits) in [
        ("for", &finding.evidence),
        ("against", &finding.counter_evidence),
    ] {
        for (index, (exhibit, places)) in grouped(exhibits, origins).iter().enumerate() {
            let word = if index == 0 { word } else { "" };
            let text = format!("{}  {}  [{places}]", when(exhibit.at), exhibit.why);
            label(word, &text);
        }
    }
    for (index, effect) in finding.effects.iter().enumerate() {
        label(if index == 0 { "effect" } else { "" }, effect);
    }
    if let Some(portal) = &finding.portal {
        label("portal", portal);
    }
    label("next", &finding.next_step);
    lines.join("\n")
}

/// The steps to the landing; the year stands with the first.
fn path(finding: &Finding) -> String {
    let steps = finding.path.iter().enumerate().map(|(index, step)| {
        let at = if index == 0 {
            when(step.at)
        } else {
            short(step.at)
        };
        format!("{} {at}", step.what)
    });
    steps.collect::<Vec<_>>().join(" → ")
}

/// Exhibits that show the same at the same time stand in one line, with the places of all.
fn grouped<'e>(exhibits: &'e [Exhibit], origins: &Origins) -> Vec<(&'e Exhibit, String)> {
    let mut groups: Vec<(&Exhibit, String)> = Vec::new();
    for exhibit in exhibits {
        let place = origins.get(&exhibit.event).cloned();
        let place = place.unwrap_or_else(|| format!("event {}", exhibit.event));
        let same = |other: &Exhibit| other.at == exhibit.at && other.why == exhibit.why;
        match groups.iter_mut().find(|(other, _)| same(other)) {
            Some((_, places)) => {
                places.push_str(", ");
                places.push_str(&place);
            }
            None => groups.push((exhibit, place)),
        }
    }
    groups
}

/// Month and day, with the time where it is known: the year stands in the evidence below.
fn short(at: Occurred) -> String {
    let text = when(at);
    match at.precision {
        Precision::Instant | Precision::Minute | Precision::Day => {
            text.get(5..).map_or_else(|| text.clone(), str::to_owned)
        }
        Precision::Month => text,
    }
}

pub(super) fn expected(expectation: &Expectation) -> String {
    let why = expectation.source.why();
    let wanted = match &expectation.wanted {
        Wanted::Existing(tenants) => {
            let names: Vec<&str> = tenants.iter().map(|tenant| tenant.as_str()).collect();
            names.join(" or ")
        }
        Wanted::BornOfThisChoice => "a new tenant, made by this choice".to_owned(),
        Wanted::Unknown => return format!("the right tenant {why}"),
    };
    match expectation.contested {
        true => format!("{wanted}: the binding is contested"),
        false => format!("{wanted}, which {why}"),
    }
}

pub(super) fn wrapped(text: &str, first: &str, rest: &str, width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width)
        .initial_indent(first)
        .subsequent_indent(rest)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(text, options)
        .into_iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}
