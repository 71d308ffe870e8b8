//! INV001: one choice per activation.

use super::{Check, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "INV001",
    name: "one choice per activation",
    severity: Severity::High,
    meaning: "One activation has one choice, and nothing changes it (invariant 1).",
    needs: "nothing of its own: see where it is checked",
    counter_evidence: "as for the rule that reports it",
    false_positives: "as for the rule that reports it",
    compensation: "as the rule says that reports it, or as `actl doctor` says",
    parameters: &[],
    inputs: &[],
    check: Check::Elsewhere("CHO001 reports a second choice"),
};
