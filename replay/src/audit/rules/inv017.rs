//! INV017: any point in both times can be had again.

use super::{Check, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "INV017",
    name: "late events change no past",
    severity: Severity::High,
    meaning: "What was known at a recorded time about a valid time can be had again at any later time (invariant 17).",
    needs: "nothing of its own: see where it is checked",
    counter_evidence: "as for the rule that reports it",
    false_positives: "as for the rule that reports it",
    compensation: "as the rule says that reports it, or as `actl doctor` says",
    parameters: &[],
    inputs: &[],
    check: Check::Elsewhere(
        "views and findings are folds of the events up to the asked position; property tests compare them with a full fold at every corner",
    ),
};
