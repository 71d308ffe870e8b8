use crate::event::event_kind;
use crate::event::word::{RedemptionEntry, RedemptionFlow};
use crate::id::{LicenseId, OrderId, RedemptionId, SessionId};

event_kind! {
    /// Somebody opened the activation window.
    RedemptionStarted = 701, version 1, rank 7010, source "S0; R19; section A" {
        /// Which redemption.
        redemption: RedemptionId,
        /// For which agreement.
        license_id: Option<LicenseId>,
        /// For which order.
        order: Option<OrderId>,
        /// In which session.
        session: Option<SessionId>,
        /// Through which flow; recorded, never inferred from a date.
        flow: RedemptionFlow,
        /// From which page.
        entry: RedemptionEntry,
    }
}
