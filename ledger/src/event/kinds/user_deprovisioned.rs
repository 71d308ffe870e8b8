use crate::event::event_kind;
use crate::event::protected::Person;
use crate::id::{Sku, TenantId};

event_kind! {
    /// A user lost the subscription.
    UserDeprovisioned = 1015, version 1, rank 10150, source "S3; R23" {
        /// In which tenant.
        tenant: TenantId,
        /// Who.
        user: Person,
        /// Of what.
        sku: Option<Sku>,
    }
}
