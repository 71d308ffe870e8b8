use crate::event::event_kind;
use crate::id::OrderId;

event_kind! {
    /// An order was cancelled before it was activated.
    OrderCancelled = 303, version 1, rank 3030, source "section 1.1; section A" {
        /// Which one.
        order: OrderId,
    }
}
