use crate::event::event_kind;
use crate::id::{RedemptionId, Seats, SubscriptionId};
use crate::time::Date;

event_kind! {
    /// A source reported that a subscription was renewed.
    SubscriptionRenewed = 802, version 1, rank 8020, source "S0; R15" {
        /// Which one.
        subscription: SubscriptionId,
        /// Its seats afterwards.
        seats: Option<Seats>,
        /// Its last day afterwards.
        end: Option<Date>,
        /// By which redemption.
        redemption: Option<RedemptionId>,
    }
}
