use crate::event::event_kind;
use crate::event::part::Contact;
use crate::event::word::{Cloud, Program};
use crate::id::{CustomerId, LicenseId, Name, PartnerId, Pcn};
use crate::time::Date;

event_kind! {
    /// An agreement was signed under a program.
    AgreementSigned = 201, version 1, rank 2010, source "section 4.2; E1; R1, R2" {
        /// Its License ID.
        license_id: LicenseId,
        /// Under which program.
        program: Program,
        /// The customer number on it.
        pcn: Pcn,
        /// Whose it is.
        customer: CustomerId,
        /// The reseller.
        partner: Option<PartnerId>,
        /// The distributor.
        distributor: Option<PartnerId>,
        /// Its first day.
        start: Date,
        /// Its last day.
        end: Option<Date>,
        /// The authorization number of the order confirmation (P7).
        authorization_no: Option<Name>,
        /// The people on it, by role.
        contacts: Vec<Contact>,
        /// The cloud that it entitles to (W17).
        cloud: Option<Cloud>,
    }
}
