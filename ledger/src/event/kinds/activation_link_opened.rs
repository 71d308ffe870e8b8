use crate::event::event_kind;
use crate::event::protected::Network;
use crate::id::{LicenseId, LinkId, SessionId};

event_kind! {
    /// An activation link was opened.
    ActivationLinkOpened = 408, version 1, rank 4080, source "section 4.2; W2" {
        /// Which link.
        link: LinkId,
        /// The agreement that the page was for.
        license_id: Option<LicenseId>,
        /// In which session.
        session: Option<SessionId>,
        /// From which address.
        network: Option<Network>,
    }
}
