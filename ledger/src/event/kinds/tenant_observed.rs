use crate::event::event_kind;
use crate::event::protected::Domain;
use crate::event::word::{Cloud, CreatedVia};
use crate::id::{CustomerId, DomainName, Name, TenantId};
use crate::time::Date;

event_kind! {
    /// A source described a tenant.
    TenantObserved = 104, version 1, rank 1040, source "section A; W5, W9, W17, W18" {
        /// Which one.
        tenant: TenantId,
        /// Its first domain, under which portals list it.
        initial_domain: Option<DomainName>,
        /// Its verified domains.
        domains: Vec<Domain>,
        /// The organisation's name in it.
        name: Option<Name>,
        /// ISO 3166 code.
        country: Option<Name>,
        /// The cloud that it lives in.
        cloud: Option<Cloud>,
        /// How it came to be.
        created_via: Option<CreatedVia>,
        /// The day it came to be.
        created_on: Option<Date>,
        /// The customer whose tenant it is, where the source says so.
        owner: Option<CustomerId>,
    }
}
