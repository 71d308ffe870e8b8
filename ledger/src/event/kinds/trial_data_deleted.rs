use crate::event::event_kind;
use crate::id::{SubscriptionId, TenantId};

event_kind! {
    /// A trial's data was deleted.
    TrialDataDeleted = 612, version 1, rank 6120, source "S2; P13" {
        /// In which tenant.
        tenant: TenantId,
        /// The trial's subscription.
        subscription: SubscriptionId,
    }
}
