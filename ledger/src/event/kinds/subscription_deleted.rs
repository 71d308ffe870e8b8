use crate::event::event_kind;
use crate::id::SubscriptionId;

event_kind! {
    /// A subscription was deleted for ever.
    SubscriptionDeleted = 807, version 1, rank 8070, source "P13" {
        /// Which one.
        subscription: SubscriptionId,
    }
}
