use crate::event::event_kind;
use crate::event::protected::Person;
use crate::id::{Sku, SubscriptionId, TenantId};

event_kind! {
    /// Licences were assigned to users.
    LicensesAssigned = 812, version 1, rank 8120, source "section 4.2" {
        /// In which tenant.
        tenant: TenantId,
        /// Of what.
        sku: Sku,
        /// From which subscription, where the source says.
        subscription: Option<SubscriptionId>,
        /// To whom.
        users: Vec<Person>,
    }
}
