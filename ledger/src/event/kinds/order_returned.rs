use crate::event::event_kind;
use crate::id::{Days, OrderId};

event_kind! {
    /// An order went back whole along the chain.
    OrderReturned = 307, version 1, rank 3070, source "E5; P14" {
        /// Which one.
        order: OrderId,
        /// Whether all of it went back; anything else is against the rule.
        whole: bool,
        /// Days since it was issued; at most 60.
        within_days: Option<Days>,
    }
}
