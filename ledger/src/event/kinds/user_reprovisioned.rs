use crate::event::event_kind;
use crate::event::protected::Person;
use crate::id::{Sku, TenantId};

event_kind! {
    /// A user was given the subscription again.
    UserReprovisioned = 1016, version 1, rank 10160, source "S3" {
        /// In which tenant.
        tenant: TenantId,
        /// Who.
        user: Person,
        /// Of what.
        sku: Option<Sku>,
    }
}
