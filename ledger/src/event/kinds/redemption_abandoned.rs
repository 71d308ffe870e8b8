use crate::event::event_kind;
use crate::event::word::RedemptionStep;
use crate::id::RedemptionId;

event_kind! {
    /// A redemption was given up.
    RedemptionAbandoned = 708, version 1, rank 7080, source "section A" {
        /// Which one.
        redemption: RedemptionId,
        /// How far it came.
        last_step: RedemptionStep,
    }
}
