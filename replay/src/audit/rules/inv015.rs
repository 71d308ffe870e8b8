//! INV015: the chain is whole.

use super::{Check, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "INV015",
    name: "log intact, order of import without effect",
    severity: Severity::Critical,
    meaning: "The log is whole and its recorded times never go back; the same events give the same views and findings whatever the order of import (invariant 15).",
    needs: "nothing of its own: see where it is checked",
    counter_evidence: "as for the rule that reports it",
    false_positives: "as for the rule that reports it",
    compensation: "as the rule says that reports it, or as `actl doctor` says",
    parameters: &[],
    inputs: &[],
    check: Check::Elsewhere(
        "`actl verify` reads the log again and recomputes every hash; property tests shuffle, reverse and double all stories and compare state hashes and findings",
    ),
};
