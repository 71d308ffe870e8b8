//! The audit's report as SARIF 2.1.0, for systems that collect results of analyses.
//!
//! A finding is a result; its identity is a fingerprint, so that a collector knows it again, and the
//! digest of its evidence a partial one. A dismissed finding is a suppressed result.

use super::audit::Origins;
use replay::audit::Severity;
use replay::audit::finding::{Exhibit, Finding, FindingState};
use replay::audit::report::Report;
use replay::audit::rules::{RULES, Rule};
use serde_json::{Map, Value, json};

const VERSION: &str = "2.1.0";
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log: one run, with every rule and every finding.
pub fn json(report: &Report, origins: &Origins) -> Value {
    let rules: Vec<Value> = RULES.iter().map(rule).collect();
    let results = report.findings.iter().map(|one| result(one, origins));
    json!({
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [{
            "tool": { "driver": {
                "name": "actl",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<Value>>(),
            "properties": {
                "valid_at": report.valid_at.to_string(),
                "events": report.events,
                "judged": report.judged,
                "not_judged": report.not_judged.len(),
                "left_out": report.left_out,
            },
        }],
    })
}

fn rule(rule: &Rule) -> Value {
    let help = format!(
        "Needs: {}. Against it: {}. May be wrong: {}. What to do: {}.",
        rule.needs, rule.counter_evidence, rule.false_positives, rule.compensation
    );
    json!({
        "id": rule.code,
        "shortDescription": { "text": rule.name },
        "fullDescription": { "text": rule.meaning },
        "help": { "text": help },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
    }
}

fn result(finding: &Finding, origins: &Origins) -> Value {
    let worst = finding
        .codes
        .iter()
        .filter_map(|code| Rule::of_code(code))
        .max_by_key(|rule| (rule.severity, std::cmp::Reverse(rule.code)));
    let code = worst.map_or("", |rule| rule.code);
    let index = RULES.iter().position(|rule| rule.code == code);
    let mut location = Map::new();
    let about = finding.subject();
    let kind = about.split_once(':').map_or("", |(kind, _)| kind);
    location.insert(
        "logicalLocations".to_owned(),
        json!([{ "fullyQualifiedName": about, "kind": kind }]),
    );
    let last = finding.evidence.iter().rev();
    let place = last
        .filter_map(|exhibit| origins.get(&exhibit.event))
        .next();
    if let Some(physical) = place.and_then(|place| physical(place)) {
        location.insert("physicalLocation".to_owned(), physical);
    }
    let exhibits = finding.evidence.iter().map(|one| ("for", one));
    let exhibits = exhibits.chain(finding.counter_evidence.iter().map(|one| ("against", one)));
    let related = exhibits.map(|(side, one)| related(side, one, origins));
    let settled = finding.state == FindingState::Compensated;
    let suppressions = match finding.state {
        FindingState::Dismissed => json!([{ "kind": "external", "status": "accepted" }]),
        FindingState::Open
        | FindingState::Reopened
        | FindingState::Confirmed
        | FindingState::Compensated => json!([]),
    };
    json!({
        "ruleId": code,
        "ruleIndex": index,
        "kind": if settled { "informational" } else { "fail" },
        "level": if settled { "none" } else { level(finding.severity) },
        "message": { "text": format!("{} Next: {}.", finding.summary, finding.next_step) },
        "locations": [location],
        "relatedLocations": related.collect::<Vec<Value>>(),
        "fingerprints": { "activationLedgerFinding/v1": finding.id.as_str() },
        "partialFingerprints": { "activationLedgerEvidence/v1": finding.evidence_digest() },
        "suppressions": suppressions,
        "properties": {
            "codes": finding.codes,
            "severity": finding.severity.as_str(),
            "confidence": finding.confidence,
            "state": finding.state,
            "at": finding.at.to_string(),
            "customer": finding.customer.as_ref().map(|customer| customer.as_str()),
            "license_id": finding.license_id.as_ref().map(|license| license.as_str()),
            "expected": finding.landed().map(super::csv::wanted),
            "actual": finding.landed().map(|landed| landed.actual.as_str()),
        },
    })
}

fn related(side: &str, exhibit: &Exhibit, origins: &Origins) -> Value {
    let text = format!("{side}: {} {}", exhibit.at, exhibit.why);
    let event = format!("event:{}", exhibit.event);
    let mut location = Map::new();
    location.insert("message".to_owned(), json!({ "text": text }));
    location.insert(
        "logicalLocations".to_owned(),
        json!([{ "fullyQualifiedName": event, "kind": "event" }]),
    );
    let place = origins.get(&exhibit.event);
    if let Some(physical) = place.and_then(|place| physical(place)) {
        location.insert("physicalLocation".to_owned(), physical);
    }
    Value::Object(location)
}

/// The place `FILE:LINE` of an event.
fn physical(place: &str) -> Option<Value> {
    let (file, line) = place.rsplit_once(':')?;
    let line: u64 = line.parse().ok().filter(|line| *line > 0)?;
    let uri: String = file
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    Some(json!({ "artifactLocation": { "uri": uri }, "region": { "startLine": line } }))
}
