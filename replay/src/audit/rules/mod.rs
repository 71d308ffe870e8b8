//! The audit rules: one file and one registry line each.
//!
//! A rule judges one landing. It sees the evidence, the expectation and the other landings, and says
//! whether it fires, how badly, and which events speak for and against. Rules share nothing but that.

mod wtr001;
mod wtr002;
mod wtr005;
mod wtr006;
mod wtr008;
mod wtr010;
mod wtr027;

use super::evidence::Evidence;
use super::expectation::{Basis, Expectation, Verdict};
use super::finding::{Confidence, Severity};
use super::landing::Landing;
use super::others::Others;
use ledger::id::EventId;
use ledger::time::Timestamp;

/// Every rule, in the order of their codes.
pub const RULES: &[Rule] = &[
    wtr001::RULE,
    wtr002::RULE,
    wtr005::RULE,
    wtr006::RULE,
    wtr008::RULE,
    wtr010::RULE,
    wtr027::RULE,
];

/// A named threshold of a rule.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: i64,
    /// Its unit.
    pub unit: &'static str,
    /// What it decides.
    pub doc: &'static str,
}

/// One rule: its documentation, and its check.
pub struct Rule {
    /// `WTR` and the number of the W list.
    pub code: &'static str,
    /// A few words.
    pub name: &'static str,
    /// How bad it usually is.
    pub severity: Severity,
    /// What it means when it fires.
    pub meaning: &'static str,
    /// What it needs to know.
    pub needs: &'static str,
    /// What speaks against it.
    pub counter_evidence: &'static str,
    /// When it may be wrong.
    pub false_positives: &'static str,
    /// What to do about it.
    pub compensation: &'static str,
    /// Its thresholds.
    pub parameters: &'static [Parameter],
    /// The fields that it reads, as `Kind.field`; a test checks that they exist.
    pub inputs: &'static [&'static str],
    /// The check.
    pub check: fn(&Case<'_>) -> Option<Hit>,
}

impl Rule {
    /// The rule of a code, in either case.
    pub fn of_code(code: &str) -> Option<&'static Self> {
        RULES
            .iter()
            .find(|rule| rule.code.eq_ignore_ascii_case(code))
    }
}

/// One landing before the rules.
pub struct Case<'c> {
    /// The landing.
    pub landing: &'c Landing,
    /// Where it should have gone.
    pub expectation: &'c Expectation,
    /// How it compares.
    pub verdict: Verdict,
    /// The evidence.
    pub evidence: &'c Evidence,
    /// The other landings.
    pub others: Others<'c>,
    /// What counts as known.
    pub cutoff: Option<Timestamp>,
}

impl Case<'_> {
    /// What an expectation was made from, to ask more of it.
    pub fn basis(&self) -> Basis<'_> {
        Basis {
            evidence: self.evidence,
            others: self.others,
            cutoff: self.cutoff,
        }
    }

    /// Whether the landing is where it was expected: then no rule accuses it.
    pub fn is_as_expected(&self) -> bool {
        self.verdict == Verdict::AsExpected
    }

    /// Whether the landing is known to be somewhere else than expected.
    pub fn is_elsewhere(&self) -> bool {
        self.verdict == Verdict::Elsewhere
    }
}

/// A rule that fired.
#[derive(Debug, Clone)]
pub struct Hit {
    /// How bad it is here.
    pub severity: Severity,
    /// How sure the rule is of its own evidence.
    pub confidence: Confidence,
    /// The events that speak for it, and why.
    pub evidence: Vec<(EventId, String)>,
    /// The events that speak against it, and why.
    pub counter_evidence: Vec<(EventId, String)>,
}

impl Hit {
    fn new(severity: Severity, thousandths: u16) -> Self {
        Self {
            severity,
            confidence: Confidence::thousandths(thousandths),
            evidence: Vec::new(),
            counter_evidence: Vec::new(),
        }
    }
}
