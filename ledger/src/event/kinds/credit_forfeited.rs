use crate::event::event_kind;
use crate::event::part::Money;
use crate::event::word::ForfeitReason;
use crate::id::LotId;

event_kind! {
    /// What was left of a lot was forfeited.
    CreditForfeited = 904, version 1, rank 9040, source "E11" {
        /// Which lot.
        lot: LotId,
        /// How much was left.
        amount: Option<Money>,
        /// Why.
        reason: ForfeitReason,
    }
}
