use crate::event::event_kind;
use crate::event::protected::Person;
use crate::event::word::TenantRole;
use crate::id::TenantId;
use crate::time::Timestamp;

event_kind! {
    /// Somebody was given an administrator role in a tenant.
    TenantRoleAssigned = 105, version 1, rank 1050, source "section A; R13; W4" {
        /// Where.
        tenant: TenantId,
        /// Who.
        user: Person,
        /// Which role.
        role: TenantRole,
        /// When it ends by itself (privileged identity management).
        until: Option<Timestamp>,
    }
}
