use crate::event::event_kind;
use crate::event::protected::Person;
use crate::event::word::VlRole;
use crate::id::LicenseId;

event_kind! {
    /// A volume-licensing role was taken away.
    VlRoleRemoved = 205, version 1, rank 2050, source "P2" {
        /// On which agreement.
        license_id: LicenseId,
        /// From whom.
        user: Person,
        /// Which role.
        role: VlRole,
        /// Who took it.
        by: Option<Person>,
    }
}
