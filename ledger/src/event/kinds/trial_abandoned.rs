use crate::event::event_kind;
use crate::id::{SubscriptionId, TenantId};

event_kind! {
    /// A trial was left behind for a new tenant.
    TrialAbandoned = 609, version 1, rank 6090, source "S2; R9" {
        /// In which tenant.
        tenant: TenantId,
        /// The trial's subscription.
        subscription: SubscriptionId,
    }
}
