use crate::event::event_kind;
use crate::id::{SubscriptionId, TenantId};

event_kind! {
    /// A source reported that a trial had ended.
    TrialExpired = 610, version 1, rank 6100, source "S2; section 4.3" {
        /// In which tenant.
        tenant: TenantId,
        /// The trial's subscription.
        subscription: SubscriptionId,
    }
}
