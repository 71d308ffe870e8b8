use crate::event::event_kind;
use crate::id::{SubscriptionId, TenantId};
use crate::time::Date;

event_kind! {
    /// The customer was told that trial data will be deleted.
    TrialDeletionAdvised = 611, version 1, rank 6110, source "S2; R11" {
        /// In which tenant.
        tenant: TenantId,
        /// The trial's subscription.
        subscription: SubscriptionId,
        /// The day of deletion.
        delete_on: Date,
    }
}
