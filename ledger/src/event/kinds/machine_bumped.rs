use crate::event::event_kind;
use crate::event::protected::{Machine, Person};
use crate::id::TenantId;

event_kind! {
    /// A machine lost its place to another one of the same user.
    MachineBumped = 1014, version 1, rank 10140, source "S3; R23, R25" {
        /// Which machine.
        machine: Machine,
        /// Whose it is.
        user: Option<Person>,
        /// In which tenant.
        tenant: Option<TenantId>,
        /// The machine that took its place.
        beneficiary: Machine,
    }
}
