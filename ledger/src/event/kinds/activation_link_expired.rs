use crate::event::event_kind;
use crate::id::LinkId;

event_kind! {
    /// A source reported that a link had expired.
    ActivationLinkExpired = 409, version 1, rank 4090, source "P4; section 4.3" {
        /// Which link.
        link: LinkId,
    }
}
