use crate::event::event_kind;
use crate::id::{RedemptionId, Seats, SubscriptionId};
use crate::time::Date;

event_kind! {
    /// Somebody reported that a redemption's outcome was not what was expected.
    RedemptionOutcomeDiverged = 710, version 1, rank 7100, source "section 4.2; invariant 6" {
        /// Which redemption.
        redemption: RedemptionId,
        /// Which subscription.
        subscription: Option<SubscriptionId>,
        /// Seats that were expected.
        seats_expected: Option<Seats>,
        /// Seats that there were.
        seats_observed: Option<Seats>,
        /// The end date that was expected.
        end_expected: Option<Date>,
        /// The end date that there was.
        end_observed: Option<Date>,
    }
}
