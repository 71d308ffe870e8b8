use crate::event::event_kind;
use crate::id::{LicenseId, OrderId, Seats, Sku};
use crate::time::Date;

event_kind! {
    /// Licences were reserved for a later usage date.
    ReservationPlaced = 305, version 1, rank 3050, source "P33" {
        /// The reservation's number.
        order: OrderId,
        /// The agreement that it is under.
        license_id: LicenseId,
        /// What.
        sku: Sku,
        /// How many.
        seats: Seats,
        /// The first day of use.
        usage_date: Date,
    }
}
