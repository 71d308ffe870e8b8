use crate::event::event_kind;
use crate::event::part::Money;
use crate::id::LotId;

event_kind! {
    /// Credit of a lot was used.
    CreditConsumed = 902, version 1, rank 9020, source "section 5.4" {
        /// Which lot.
        lot: LotId,
        /// How much.
        amount: Money,
    }
}
