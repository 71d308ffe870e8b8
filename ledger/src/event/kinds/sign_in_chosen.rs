use crate::event::event_kind;
use crate::event::protected::Person;
use crate::id::{ActivationId, LicenseId, LinkId, SessionId, TenantId};

event_kind! {
    /// Sign In was chosen; once for ever.
    SignInChosen = 602, version 1, rank 6020, source "S2; R8, R9" {
        /// For which agreement.
        license_id: LicenseId,
        /// For which activation.
        activation: Option<ActivationId>,
        /// Through which link.
        link: Option<LinkId>,
        /// In which session.
        session: Option<SessionId>,
        /// By whom.
        principal: Option<Person>,
        /// The tenant that was signed in to, where the source says.
        tenant: Option<TenantId>,
    }
}
