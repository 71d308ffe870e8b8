use crate::event::event_kind;
use crate::id::OrderId;

event_kind! {
    /// A reservation was cancelled, at the latest 72 hours before its usage date.
    ReservationCancelled = 306, version 1, rank 3060, source "P33" {
        /// Which one.
        order: OrderId,
    }
}
