use crate::event::event_kind;
use crate::event::word::{CaseOutcome, Residual};
use crate::id::CaseId;

event_kind! {
    /// A case was closed.
    CaseClosed = 1115, version 1, rank 11150, source "section 5.6" {
        /// Which one.
        case: CaseId,
        /// How it ended.
        outcome: CaseOutcome,
        /// What could not be undone.
        residuals: Vec<Residual>,
    }
}
