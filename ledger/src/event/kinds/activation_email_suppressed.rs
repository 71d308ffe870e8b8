use crate::event::event_kind;
use crate::event::word::SuppressedReason;
use crate::id::{ActivationId, LicenseId, OrderId};

event_kind! {
    /// No activation email was sent, for a reason.
    ActivationEmailSuppressed = 403, version 1, rank 4030, source "R7" {
        /// For which agreement.
        license_id: LicenseId,
        /// For which order.
        order: Option<OrderId>,
        /// For which activation.
        activation: Option<ActivationId>,
        /// Why not.
        reason: SuppressedReason,
    }
}
