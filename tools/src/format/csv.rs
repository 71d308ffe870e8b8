//! The audit's findings as a table for spreadsheets: one line a finding.

use crate::error::Failure;
use replay::audit::expectation::Wanted;
use replay::audit::finding::{Finding, Landed};
use replay::audit::report::Report;

const COLUMNS: [&str; 15] = [
    "finding",
    "codes",
    "severity",
    "confidence",
    "state",
    "at",
    "about",
    "customer",
    "license_id",
    "order",
    "expected",
    "actual",
    "summary",
    "next_step",
    "evidence_digest",
];

/// The findings as CSV (RFC 4180), with a header line.
pub fn text(report: &Report) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| {
        let hint = "this is a mistake in the program; please report it";
        Failure::new("cannot write the table", error.to_string(), hint)
    };
    writer.write_record(COLUMNS).map_err(failed)?;
    for finding in &report.findings {
        writer.write_record(row(finding)).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| {
        let hint = "this is a mistake in the program; please report it";
        Failure::new("cannot write the table", error.to_string(), hint)
    })?;
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

fn row(finding: &Finding) -> [String; 15] {
    let codes: Vec<&str> = finding.codes.iter().copied().collect();
    let landed = finding.landed();
    [
        finding.id.to_string(),
        codes.join(" "),
        finding.severity.as_str().to_owned(),
        finding.confidence.word().to_owned(),
        format!("{:?}", finding.state).to_lowercase(),
        finding.at.to_string(),
        finding.subject(),
        named(finding.customer.as_ref()),
        named(finding.license_id.as_ref()),
        named(finding.order.as_ref()),
        landed.map_or_else(String::new, wanted),
        named(landed.map(|landed| &landed.actual)),
        plain(&finding.summary),
        plain(&finding.next_step),
        finding.evidence_digest(),
    ]
}

fn named<T: ToString>(id: Option<&T>) -> String {
    id.map_or_else(String::new, |id| plain(&id.to_string()))
}

/// The expected tenant, or the tenants that are equally likely.
pub(super) fn wanted(landed: &Landed) -> String {
    match &landed.expected.wanted {
        Wanted::Existing(tenants) => {
            let names: Vec<&str> = tenants.iter().map(|tenant| tenant.as_str()).collect();
            names.join(" ")
        }
        Wanted::BornOfThisChoice => "a new tenant".to_owned(),
        Wanted::Unknown => "unknown".to_owned(),
    }
}

/// A text that no spreadsheet takes for a formula: sources can name a customer as they like.
fn plain(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}
