use crate::event::event_kind;
use crate::event::protected::Person;
use crate::event::word::TenantRole;
use crate::id::TenantId;

event_kind! {
    /// An administrator role in a tenant was taken away.
    TenantRoleRemoved = 106, version 1, rank 1060, source "section A; W4" {
        /// Where.
        tenant: TenantId,
        /// From whom.
        user: Person,
        /// Which role.
        role: TenantRole,
    }
}
