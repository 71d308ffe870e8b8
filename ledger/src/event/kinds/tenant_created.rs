use crate::event::event_kind;
use crate::event::word::CreatedVia;
use crate::id::{ActivationId, DomainName, LicenseId, Name, SessionId, TenantId};

event_kind! {
    /// A tenant came to be.
    TenantCreated = 604, version 1, rank 6040, source "S2; section 4.2; W18" {
        /// Which one.
        tenant: TenantId,
        /// Its first domain.
        initial_domain: Option<DomainName>,
        /// The company name in it.
        company: Option<Name>,
        /// ISO 3166 code.
        country: Option<Name>,
        /// How.
        created_via: CreatedVia,
        /// The activation whose choice created it.
        activation: Option<ActivationId>,
        /// In which session.
        session: Option<SessionId>,
        /// The agreement whose choice created it.
        license_id: Option<LicenseId>,
    }
}
