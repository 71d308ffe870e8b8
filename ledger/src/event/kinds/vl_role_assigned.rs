use crate::event::event_kind;
use crate::event::protected::Person;
use crate::event::word::VlRole;
use crate::id::LicenseId;

event_kind! {
    /// Somebody was given a volume-licensing role on a License ID.
    VlRoleAssigned = 204, version 1, rank 2040, source "R13; P2" {
        /// On which agreement.
        license_id: LicenseId,
        /// Who.
        user: Person,
        /// Which role.
        role: VlRole,
        /// Who gave it.
        by: Option<Person>,
    }
}
