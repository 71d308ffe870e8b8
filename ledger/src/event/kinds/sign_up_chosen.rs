use crate::event::event_kind;
use crate::event::protected::Person;
use crate::id::{ActivationId, LicenseId, LinkId, SessionId};

event_kind! {
    /// Sign Up was chosen; once for ever.
    SignUpChosen = 603, version 1, rank 6030, source "S2; R8, R9" {
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
    }
}
