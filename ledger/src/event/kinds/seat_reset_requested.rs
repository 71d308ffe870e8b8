use crate::event::event_kind;
use crate::event::protected::{Machine, Person};
use crate::id::CaseId;

event_kind! {
    /// Somebody was asked to reset a seat and sign in again.
    SeatResetRequested = 1112, version 1, rank 11120, source "section 9.1; W22, W23" {
        /// Which machine.
        machine: Machine,
        /// Whom.
        user: Option<Person>,
        /// Under which case.
        case: Option<CaseId>,
    }
}
