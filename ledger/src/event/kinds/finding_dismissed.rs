use crate::event::event_kind;
use crate::event::protected::{Note, Person};
use crate::id::{FindingId, Name};

event_kind! {
    /// Somebody dismissed a finding.
    FindingDismissed = 1102, version 1, rank 11020, source "section 5.6; section A" {
        /// Which one.
        finding: FindingId,
        /// Digest of the evidence that was judged.
        evidence_digest: Name,
        /// Who.
        by: Option<Person>,
        /// Why.
        reason: Option<Note>,
    }
}
