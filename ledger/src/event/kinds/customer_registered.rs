use crate::event::event_kind;
use crate::event::protected::Domain;
use crate::id::{CustomerId, Name, Pcn};

event_kind! {
    /// A legal customer became known, with its names, customer numbers and verified domains.
    CustomerRegistered = 101, version 1, rank 1010, source "section 4.2; section A" {
        /// Who it is.
        customer: CustomerId,
        /// Names that it goes by.
        names: Vec<Name>,
        /// Its customer numbers at the vendor.
        pcns: Vec<Pcn>,
        /// Domains that it has proved to own.
        verified_domains: Vec<Domain>,
        /// ISO 3166 code of its seat.
        country: Option<Name>,
    }
}
