use crate::event::event_kind;
use crate::id::SubscriptionId;
use crate::time::Date;

event_kind! {
    /// A disabled subscription was made active again.
    SubscriptionReactivated = 809, version 1, rank 8090, source "P13" {
        /// Which one.
        subscription: SubscriptionId,
        /// Its last day afterwards.
        end: Option<Date>,
    }
}
