use crate::event::event_kind;
use crate::id::RedemptionId;

event_kind! {
    /// Redeem was pressed; without an outcome the outcome is unknown.
    RedemptionSubmitted = 707, version 1, rank 7070, source "S0 admin center step 6; section A" {
        /// In which redemption.
        redemption: RedemptionId,
    }
}
