use crate::event::event_kind;
use crate::id::{CaseId, Seats, SubscriptionId};

event_kind! {
    /// Seats went from one subscription to another.
    SeatsTransferred = 1109, version 1, rank 11090, source "section 9.1" {
        /// From which one.
        from: SubscriptionId,
        /// To which one.
        to: SubscriptionId,
        /// How many.
        seats: Seats,
        /// Under which case.
        case: Option<CaseId>,
    }
}
