use crate::event::event_kind;
use crate::id::{LicenseId, RedemptionId, Seats, Sku, SubscriptionId, TenantId};
use crate::time::Date;

event_kind! {
    /// A subscription began.
    SubscriptionStarted = 801, version 1, rank 8010, source "E7; section A" {
        /// Which one.
        subscription: SubscriptionId,
        /// In which tenant.
        tenant: TenantId,
        /// Of what.
        sku: Sku,
        /// Under which agreement.
        license_id: Option<LicenseId>,
        /// By which redemption.
        redemption: Option<RedemptionId>,
        /// How many seats.
        seats: Seats,
        /// Its last day.
        end: Option<Date>,
    }
}
