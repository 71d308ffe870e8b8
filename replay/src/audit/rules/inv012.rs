//! INV012: five installs, and whom a bump is for.

use super::{Check, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "INV012",
    name: "five installs, and each bump names its beneficiary",
    severity: Severity::Medium,
    meaning: "No user counts with more than five installs, and a machine that loses its place loses it to a named one (invariant 12).",
    needs: "nothing of its own: see where it is checked",
    counter_evidence: "as for the rule that reports it",
    false_positives: "as for the rule that reports it",
    compensation: "as the rule says that reports it, or as `actl doctor` says",
    parameters: &[],
    inputs: &[],
    check: Check::Elsewhere(
        "SEA004 reports more than five; MachineBumped cannot be recorded without its beneficiary",
    ),
};
