use crate::event::event_kind;
use crate::event::protected::{Machine, Person};
use crate::id::TenantId;
use crate::time::Timestamp;

event_kind! {
    /// A seat became licensed.
    SeatLicensed = 1011, version 1, rank 10110, source "S3; R21, R22" {
        /// Which machine.
        machine: Machine,
        /// Who.
        user: Option<Person>,
        /// In which tenant.
        tenant: Option<TenantId>,
        /// Until when it is licensed.
        valid_until: Timestamp,
    }
}
