use crate::event::event_kind;
use crate::event::word::BindingBasis;
use crate::id::{ActivationId, LicenseId, OrderId, RedemptionId, SessionId, TenantId};

event_kind! {
    /// An agreement's services were bound to a tenant.
    ServicesBoundToTenant = 605, version 1, rank 6050, source "S2; R10; E1" {
        /// Which agreement.
        license_id: LicenseId,
        /// To which tenant.
        tenant: TenantId,
        /// On what ground.
        basis: BindingBasis,
        /// For which activation.
        activation: Option<ActivationId>,
        /// In which session.
        session: Option<SessionId>,
        /// By which redemption.
        redemption: Option<RedemptionId>,
        /// For which order.
        order: Option<OrderId>,
    }
}
