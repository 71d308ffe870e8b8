use crate::event::event_kind;
use crate::id::SubscriptionId;

event_kind! {
    /// A source reported that a subscription was disabled.
    SubscriptionDisabled = 806, version 1, rank 8060, source "P13; section 4.3" {
        /// Which one.
        subscription: SubscriptionId,
    }
}
