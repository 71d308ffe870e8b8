use crate::event::event_kind;
use crate::event::protected::{Network, Person};
use crate::event::word::AuthMethod;
use crate::id::{LicenseId, Name, SessionId, TenantId};

event_kind! {
    /// Somebody signed in at a portal.
    SessionStarted = 501, version 1, rank 5010, source "S0; S1; E17; R18, R20" {
        /// Which session.
        session: SessionId,
        /// The root authentication that it derives from (P28).
        root_session: Option<SessionId>,
        /// Who.
        principal: Option<Person>,
        /// The principal's own tenant.
        home_tenant: Option<TenantId>,
        /// The tenant that the session is in.
        resource_tenant: Option<TenantId>,
        /// How it was authenticated.
        auth: AuthMethod,
        /// The agreement that it was opened for, where the source says.
        license_id: Option<LicenseId>,
        /// Fingerprint of the browser.
        browser: Option<Name>,
        /// From which address.
        network: Option<Network>,
    }
}
