use crate::event::event_kind;
use crate::id::{LicenseId, MessageId, Name, TenantId};

event_kind! {
    /// The provisioning of a service was confirmed by mail.
    ProvisioningConfirmed = 613, version 1, rank 6130, source "S2 step 6; R10" {
        /// In which tenant.
        tenant: TenantId,
        /// For which agreement.
        license_id: Option<LicenseId>,
        /// Which service.
        service: Name,
        /// By which message.
        message: Option<MessageId>,
    }
}
