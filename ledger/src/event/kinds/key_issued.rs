use crate::event::event_kind;
use crate::event::field::Count;
use crate::event::part::Money;
use crate::id::{LicenseId, OrderId, Seats};
use crate::secret::KeyFingerprint;
use crate::time::Date;

event_kind! {
    /// An activation key was issued for an order line.
    KeyIssued = 308, version 1, rank 3080, source "S0; R12; section 4.2" {
        /// Which key.
        key: KeyFingerprint,
        /// For which order.
        order: OrderId,
        /// For which of its lines, from 1.
        line: Count,
        /// The agreement that it is under.
        license_id: LicenseId,
        /// Seats that it carries; absent for credit.
        seats: Option<Seats>,
        /// Credit that it carries.
        amount: Option<Money>,
        /// The last day on which it can be redeemed.
        expires_on: Option<Date>,
    }
}
