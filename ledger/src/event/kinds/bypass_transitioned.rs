use crate::event::event_kind;
use crate::id::{LicenseId, SubscriptionId, TenantId};

event_kind! {
    /// A never activated BPOS-S subscription was transitioned.
    BypassTransitioned = 310, version 1, rank 3100, source "S2; R3; W21" {
        /// The agreement that it was bought under.
        license_id: LicenseId,
        /// The subscription that is bypassed.
        bpos_subscription: SubscriptionId,
        /// The tenant that it was transitioned into, where the source says.
        tenant: Option<TenantId>,
        /// Whether it had never been activated; it must not have been.
        never_activated: bool,
        /// Whether it was a trial; it must not be one.
        trial: bool,
    }
}
