use crate::event::event_kind;
use crate::id::{LicenseId, Seats, SubscriptionId, TenantId};
use crate::time::Date;

event_kind! {
    /// A trial became a paid subscription.
    TrialConverted = 608, version 1, rank 6080, source "S2; R9" {
        /// In which tenant.
        tenant: TenantId,
        /// The trial's subscription.
        subscription: SubscriptionId,
        /// The agreement that pays for it.
        license_id: Option<LicenseId>,
        /// Whether data and settings were kept.
        retain: bool,
        /// Its seats from now on.
        seats: Option<Seats>,
        /// Its last day from now on.
        end: Option<Date>,
    }
}
