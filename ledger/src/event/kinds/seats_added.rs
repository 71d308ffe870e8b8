use crate::event::event_kind;
use crate::id::{RedemptionId, Seats, SubscriptionId};

event_kind! {
    /// A source reported added seats.
    SeatsAdded = 803, version 1, rank 8030, source "S0; R15" {
        /// Which one.
        subscription: SubscriptionId,
        /// How many were added.
        added: Seats,
        /// By which redemption.
        redemption: Option<RedemptionId>,
    }
}
