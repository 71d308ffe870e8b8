use crate::event::event_kind;
use crate::event::protected::Domain;
use crate::id::TenantId;

event_kind! {
    /// A domain was removed from a tenant.
    DomainRemoved = 615, version 1, rank 6150, source "section 4.2" {
        /// Which tenant.
        tenant: TenantId,
        /// Which domain.
        domain: Domain,
    }
}
