//! Decisions on findings: somebody confirms one, or dismisses it with a reason.
//!
//! A decision is an event that carries the digest of the evidence that it was made on. It holds as
//! long as the evidence is the same; when that changes, the finding is open again.

use super::finding::{Finding, FindingState};
use ledger::event::Fact;
use ledger::event::field::FieldError;
use ledger::event::json::read_fact;
use ledger::secret::Keyring;
use ledger::time::Occurred;
use serde_json::json;

/// What somebody decides about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Confirmed,
    /// Nothing is wrong.
    Dismissed,
}

/// Who decides what, when, and why.
#[derive(Debug, Clone)]
pub struct Decision<'d> {
    /// What.
    pub verdict: Verdict,
    /// The address of the person who decides; sealed in the event.
    pub by: &'d str,
    /// Why; sealed in the event.
    pub reason: &'d str,
    /// When.
    pub at: Occurred,
}

impl Finding {
    /// Whether this was decided already, on the evidence that there is now.
    pub fn is_decided(&self, verdict: Verdict) -> bool {
        match self.state {
            FindingState::Confirmed => verdict == Verdict::Confirmed,
            FindingState::Dismissed => verdict == Verdict::Dismissed,
            FindingState::Open | FindingState::Reopened | FindingState::Compensated => false,
        }
    }

    /// The event that records a decision on this finding as it is now. Pure. Person and reason are
    /// protected with the keyring on the way; the error names the field that cannot be read, and
    /// does not repeat it.
    pub fn decide(
        &self,
        decision: &Decision<'_>,
        keyring: &mut dyn Keyring,
    ) -> Result<Fact, FieldError> {
        let kind = match decision.verdict {
            Verdict::Confirmed => "FindingConfirmed",
            Verdict::Dismissed => "FindingDismissed",
        };
        let digest = self.evidence_digest();
        let value = json!({
            "kind": kind,
            "occurred_at": decision.at.to_string(),
            // One record a decision: a later one is another, and does not replace it.
            "source": { "system": "actl", "record": format!("{kind} {} {}", self.id, decision.at) },
            "correlation": self.id.as_str(),
            "data": {
                "finding": self.id.as_str(),
                "evidence_digest": digest,
                "by": decision.by,
                "reason": decision.reason,
            },
        });
        read_fact(&value, keyring)
    }
}
