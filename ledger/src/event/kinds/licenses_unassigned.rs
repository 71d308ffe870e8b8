use crate::event::event_kind;
use crate::event::protected::Person;
use crate::id::{Sku, SubscriptionId, TenantId};

event_kind! {
    /// Licences were taken from users.
    LicensesUnassigned = 813, version 1, rank 8130, source "section 4.2" {
        /// In which tenant.
        tenant: TenantId,
        /// Of what.
        sku: Sku,
        /// From which subscription, where the source says.
        subscription: Option<SubscriptionId>,
        /// From whom.
        users: Vec<Person>,
    }
}
