use crate::event::event_kind;
use crate::event::word::RedemptionMode;
use crate::id::RedemptionId;

event_kind! {
    /// The mode of a redemption was chosen.
    RedemptionModeChosen = 706, version 1, rank 7060, source "S0 admin center step 7; R15, R17" {
        /// In which redemption.
        redemption: RedemptionId,
        /// Which mode.
        mode: RedemptionMode,
    }
}
