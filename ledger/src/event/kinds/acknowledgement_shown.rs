use crate::event::event_kind;
use crate::event::word::Acknowledgement;
use crate::id::{LicenseId, SessionId, TenantId};

event_kind! {
    /// The portal acknowledged a created profile or an association with a tenant.
    AcknowledgementShown = 508, version 1, rank 5080, source "S2; R10" {
        /// In which session.
        session: SessionId,
        /// For which agreement.
        license_id: Option<LicenseId>,
        /// With which tenant.
        tenant: Option<TenantId>,
        /// What was acknowledged.
        about: Acknowledgement,
    }
}
