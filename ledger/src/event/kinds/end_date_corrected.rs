use crate::event::event_kind;
use crate::id::{CaseId, SubscriptionId};
use crate::time::Date;

event_kind! {
    /// A subscription's end date was corrected.
    EndDateCorrected = 1110, version 1, rank 11100, source "section 9.1; section A" {
        /// Which one.
        subscription: SubscriptionId,
        /// The last day before.
        from: Option<Date>,
        /// The last day now.
        to: Date,
        /// Under which case.
        case: Option<CaseId>,
    }
}
