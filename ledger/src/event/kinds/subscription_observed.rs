use crate::event::event_kind;
use crate::id::{Seats, Sku, SubscriptionId, TenantId};
use crate::time::Date;

event_kind! {
    /// A source showed the counters of a subscription.
    SubscriptionObserved = 810, version 1, rank 8100, source "section A; P27" {
        /// In which tenant.
        tenant: TenantId,
        /// Of what.
        sku: Sku,
        /// Which one, where the source says.
        subscription: Option<SubscriptionId>,
        /// Seats that can be used.
        enabled: Seats,
        /// Seats in grace.
        warning: Seats,
        /// Seats that are disabled.
        suspended: Seats,
        /// Seats that are assigned.
        consumed: Option<Seats>,
        /// The day of the next change.
        next_lifecycle: Option<Date>,
        /// The partner tenant that created it; no accusation.
        owner_tenant: Option<TenantId>,
    }
}
