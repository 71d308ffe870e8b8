use crate::event::event_kind;
use crate::id::SubscriptionId;

event_kind! {
    /// A subscription was cancelled: disabled without grace.
    SubscriptionCancelled = 808, version 1, rank 8080, source "P13" {
        /// Which one.
        subscription: SubscriptionId,
    }
}
