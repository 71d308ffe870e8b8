use crate::event::event_kind;
use crate::event::word::AutoAssignCriterion;
use crate::id::{ActivationId, LicenseId, OrderId, TenantId};

event_kind! {
    /// Services were assigned to a tenant without anybody's choice.
    ServicesAutoAssigned = 606, version 1, rank 6060, source "E2; W13, W14" {
        /// Which agreement.
        license_id: LicenseId,
        /// To which tenant.
        tenant: TenantId,
        /// By which criterion.
        criterion: AutoAssignCriterion,
        /// For which order.
        order: Option<OrderId>,
        /// For which activation.
        activation: Option<ActivationId>,
    }
}
