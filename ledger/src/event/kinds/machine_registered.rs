use crate::event::event_kind;
use crate::event::protected::{Machine, Person};
use crate::id::TenantId;

event_kind! {
    /// The subscription service registered a machine for a user.
    MachineRegistered = 1008, version 1, rank 10080, source "S3 (OSS); R25" {
        /// Which machine.
        machine: Machine,
        /// For whom.
        user: Person,
        /// In which tenant.
        tenant: TenantId,
    }
}
