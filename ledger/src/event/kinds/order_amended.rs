use crate::event::event_kind;
use crate::event::part::{Contact, OrderLine};
use crate::id::{OrderId, TenantId};

event_kind! {
    /// An order was changed before it was activated.
    OrderAmended = 302, version 1, rank 3020, source "section 1.1; section A" {
        /// Which one.
        order: OrderId,
        /// Its lines after the change.
        lines: Vec<OrderLine>,
        /// The tenant that it is now meant for.
        intended_tenant: Option<TenantId>,
        /// Its contacts after the change.
        contacts: Vec<Contact>,
    }
}
