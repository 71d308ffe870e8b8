//! INV005: who may redeem.

use super::{Check, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "INV005",
    name: "redeemer entitled and administrator",
    severity: Severity::High,
    meaning: "Whoever redeems received the mail, had it forwarded, or holds a redeeming role on the License ID, and administers the tenant at that time (invariant 5).",
    needs: "nothing of its own: see where it is checked",
    counter_evidence: "as for the rule that reports it",
    false_positives: "as for the rule that reports it",
    compensation: "as the rule says that reports it, or as `actl doctor` says",
    parameters: &[],
    inputs: &[],
    check: Check::Elsewhere(
        "WTR003 reports somebody who was not entitled, WTR004 somebody who did not administer the tenant",
    ),
};
