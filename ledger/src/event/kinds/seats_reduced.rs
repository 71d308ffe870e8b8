use crate::event::event_kind;
use crate::id::{Seats, SubscriptionId};

event_kind! {
    /// A source reported fewer seats.
    SeatsReduced = 804, version 1, rank 8040, source "E9" {
        /// Which one.
        subscription: SubscriptionId,
        /// How many went.
        removed: Seats,
    }
}
