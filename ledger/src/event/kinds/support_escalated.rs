use crate::event::event_kind;
use crate::id::{CaseId, PartnerId};

event_kind! {
    /// A case was escalated along the channel.
    SupportEscalated = 1104, version 1, rank 11040, source "S1; section A" {
        /// Which case.
        case: CaseId,
        /// By whom.
        from: PartnerId,
        /// To whom; absent for the vendor.
        to: Option<PartnerId>,
    }
}
