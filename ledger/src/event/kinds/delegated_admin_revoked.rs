use crate::event::event_kind;
use crate::id::TenantId;

event_kind! {
    /// A delegation of administration ended.
    DelegatedAdminRevoked = 108, version 1, rank 1080, source "section 4.2" {
        /// The tenant that had delegated.
        tenant: TenantId,
        /// The partner's tenant.
        partner_tenant: TenantId,
    }
}
