use crate::event::event_kind;
use crate::id::{LicenseId, RedemptionId, SessionId};

event_kind! {
    /// Somebody ticked the box of being the right person.
    ConfirmationGiven = 510, version 1, rank 5100, source "S0 admin center step 4; R13" {
        /// In which session.
        session: SessionId,
        /// For which redemption.
        redemption: Option<RedemptionId>,
        /// For which agreement.
        license_id: Option<LicenseId>,
    }
}
