use crate::event::event_kind;
use crate::event::protected::Person;
use crate::id::{SessionId, TenantId};

event_kind! {
    /// A new online services id was added.
    OnlineServicesIdAdded = 507, version 1, rank 5070, source "S2 new customer step 4" {
        /// In which session.
        session: SessionId,
        /// The new id.
        user: Person,
        /// In which tenant.
        tenant: TenantId,
    }
}
