use crate::event::event_kind;
use crate::id::{LicenseId, SessionId, TenantId};

event_kind! {
    /// A new account profile was created.
    AccountProfileCreated = 506, version 1, rank 5060, source "S2 new customer step 3" {
        /// In which session.
        session: SessionId,
        /// For which agreement.
        license_id: Option<LicenseId>,
        /// In which new tenant.
        tenant: Option<TenantId>,
    }
}
