use crate::event::event_kind;
use crate::event::word::{DelegationKind, TenantRole};
use crate::id::{PartnerId, TenantId};
use crate::time::Date;

event_kind! {
    /// A tenant delegated administration to a partner.
    DelegatedAdminGranted = 107, version 1, rank 1070, source "section 4.2; section A; W7" {
        /// The tenant that delegates.
        tenant: TenantId,
        /// The partner that it delegates to.
        partner: Option<PartnerId>,
        /// The partner's tenant.
        partner_tenant: TenantId,
        /// The roles that go with it.
        roles: Vec<TenantRole>,
        /// What sort of delegation it is.
        kind: DelegationKind,
        /// The last day of it.
        until: Option<Date>,
    }
}
