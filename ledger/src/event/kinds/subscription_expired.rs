use crate::event::event_kind;
use crate::id::SubscriptionId;

event_kind! {
    /// A source reported that a subscription ended and its grace began.
    SubscriptionExpired = 805, version 1, rank 8050, source "P13; section 4.3" {
        /// Which one.
        subscription: SubscriptionId,
    }
}
