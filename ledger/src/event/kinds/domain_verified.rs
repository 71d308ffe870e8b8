use crate::event::event_kind;
use crate::event::protected::Domain;
use crate::id::TenantId;

event_kind! {
    /// A tenant proved that a domain is its own.
    DomainVerified = 614, version 1, rank 6140, source "section 4.2" {
        /// Which tenant.
        tenant: TenantId,
        /// Which domain.
        domain: Domain,
    }
}
