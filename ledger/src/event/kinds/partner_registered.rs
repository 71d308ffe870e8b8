use crate::event::event_kind;
use crate::event::protected::Domain;
use crate::event::word::PartnerKind;
use crate::id::{CustomerId, PartnerId, TenantId};

event_kind! {
    /// A reseller or distributor became known, with the tenants that are its own.
    PartnerRegistered = 103, version 1, rank 1030, source "section A; W6" {
        /// Who it is.
        partner: PartnerId,
        /// Its place in the channel.
        kind: PartnerKind,
        /// The customer that it is itself, when it buys for its own use.
        customer: Option<CustomerId>,
        /// Tenants that are its own.
        tenants: Vec<TenantId>,
        /// Domains that are its own.
        domains: Vec<Domain>,
    }
}
