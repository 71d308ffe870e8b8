use crate::event::event_kind;
use crate::event::protected::{Machine, Person};
use crate::id::{SubscriptionId, TenantId};

event_kind! {
    /// A user's seat was provisioned on a machine.
    SeatProvisioned = 1007, version 1, rank 10070, source "S3; section A" {
        /// Which machine.
        machine: Machine,
        /// Who.
        user: Person,
        /// In which tenant.
        tenant: TenantId,
        /// From which subscription.
        subscription: Option<SubscriptionId>,
    }
}
