//! Which findings of a report are wanted.

use super::finding::{Confidence, Finding, Severity};
use super::report::Report;
use super::rules::RULES;
use ledger::time::Timestamp;

/// Which findings are wanted; the default wants all.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Codes, or beginnings of codes; empty for all.
    pub select: Vec<String>,
    /// Codes, or beginnings of codes, that are not wanted.
    pub ignore: Vec<String>,
    /// The least confidence.
    pub min_confidence: Option<Confidence>,
    /// The least severity.
    pub min_severity: Option<Severity>,
    /// Only what went wrong at this instant or later.
    pub since: Option<Timestamp>,
}

impl Selection {
    /// Whether a text is a code, or the beginning of one, in either case.
    pub fn is_of_some_rule(text: &str) -> bool {
        !text.is_empty() && RULES.iter().any(|rule| begins(rule.code, text))
    }

    /// Whether a finding is wanted: one of its codes is selected and not ignored, and it is sure, bad
    /// and late enough.
    pub fn wants(&self, finding: &Finding) -> bool {
        let named = |list: &[String], code: &str| list.iter().any(|text| begins(code, text));
        let code = |code: &&&str| {
            (self.select.is_empty() || named(&self.select, code)) && !named(&self.ignore, code)
        };
        finding.codes.iter().any(|one| code(&one))
            && self
                .min_confidence
                .is_none_or(|least| finding.confidence >= least)
            && self
                .min_severity
                .is_none_or(|least| finding.severity >= least)
            && self.since.is_none_or(|since| finding.at.last() >= since)
    }
}

impl Report {
    /// Keeps the findings that are wanted, and counts the others.
    #[must_use]
    pub fn selected(mut self, selection: &Selection) -> Self {
        let all = self.findings.len();
        self.findings.retain(|finding| selection.wants(finding));
        self.left_out += all - self.findings.len();
        self
    }
}

fn begins(code: &str, text: &str) -> bool {
    code.get(..text.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(text))
}
