use crate::event::event_kind;
use crate::event::protected::{Machine, Person};
use crate::id::{SubscriptionId, TenantId};
use crate::time::Timestamp;

event_kind! {
    /// A seat was revalidated.
    SeatRevalidated = 1012, version 1, rank 10120, source "S3; R22" {
        /// Which machine.
        machine: Machine,
        /// Who.
        user: Option<Person>,
        /// In which tenant.
        tenant: Option<TenantId>,
        /// From which subscription.
        subscription: Option<SubscriptionId>,
        /// Until when it was licensed.
        valid_until_before: Option<Timestamp>,
        /// Until when it is licensed now.
        valid_until: Timestamp,
    }
}
