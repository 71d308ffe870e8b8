use crate::event::event_kind;
use crate::id::{OrderId, PartnerId};

event_kind! {
    /// An order went along the distribution chain.
    OrderRelayed = 304, version 1, rank 3040, source "section 1.1 (Distributor)" {
        /// Which one.
        order: OrderId,
        /// Who passed it on.
        from: PartnerId,
        /// Who received it.
        to: PartnerId,
    }
}
