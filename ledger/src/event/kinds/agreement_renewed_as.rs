use crate::event::event_kind;
use crate::id::{LicenseId, Pcn};

event_kind! {
    /// An agreement was renewed under a new License ID.
    AgreementRenewedAs = 202, version 1, rank 2020, source "section 4.2; E2c; W14" {
        /// The one that ends.
        old_license_id: LicenseId,
        /// The one that follows.
        new_license_id: LicenseId,
        /// The customer number on the old one.
        pcn_old: Pcn,
        /// The customer number on the new one.
        pcn_new: Pcn,
    }
}
