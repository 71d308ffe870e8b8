use crate::event::event_kind;
use crate::event::word::ActivationStatus;
use crate::id::{LicenseId, OrderId};

event_kind! {
    /// A portal showed an activation status; it may lag by 24 or 48 hours.
    ActivationStatusObserved = 811, version 1, rank 8110, source "R16; P4" {
        /// For which agreement.
        license_id: LicenseId,
        /// For which order.
        order: Option<OrderId>,
        /// What it showed.
        status: ActivationStatus,
    }
}
