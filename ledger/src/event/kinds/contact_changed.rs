use crate::event::event_kind;
use crate::event::protected::Person;
use crate::event::word::{ChangeChannel, ContactRole};
use crate::id::LicenseId;

event_kind! {
    /// A contact of an agreement was changed, by form, support or partner. It sends no mail.
    ContactChanged = 203, version 1, rank 2030, source "R6; section 4.2; W19" {
        /// Which agreement.
        license_id: LicenseId,
        /// Which role.
        role: ContactRole,
        /// Who had it.
        old: Option<Person>,
        /// Who has it now.
        new: Option<Person>,
        /// How it was changed.
        via: ChangeChannel,
    }
}
