use crate::event::event_kind;
use crate::event::part::Money;
use crate::id::LotId;

event_kind! {
    /// A source reported that what was left of a lot had expired.
    CreditExpired = 903, version 1, rank 9030, source "section 4.3; section 5.4" {
        /// Which lot.
        lot: LotId,
        /// How much was left.
        amount: Option<Money>,
    }
}
