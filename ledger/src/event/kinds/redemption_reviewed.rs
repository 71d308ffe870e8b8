use crate::event::event_kind;
use crate::id::{RedemptionId, Seats};
use crate::time::Date;

event_kind! {
    /// The portal showed seats and end date before Redeem was pressed.
    RedemptionReviewed = 704, version 1, rank 7040, source "S0 admin center step 6" {
        /// In which redemption.
        redemption: RedemptionId,
        /// The seats that were shown.
        shown_seats: Option<Seats>,
        /// The end date that was shown.
        shown_end: Option<Date>,
    }
}
