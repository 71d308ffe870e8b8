use crate::event::event_kind;
use crate::id::{CaseId, LinkId};
use crate::time::Date;

event_kind! {
    /// Support made an expired link work again.
    ActivationLinkReactivated = 410, version 1, rank 4100, source "P4; section 1.1" {
        /// Which link.
        link: LinkId,
        /// Under which case.
        case: Option<CaseId>,
        /// Its new last day.
        link_expires: Option<Date>,
    }
}
