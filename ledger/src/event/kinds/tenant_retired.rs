use crate::event::event_kind;
use crate::id::{CaseId, TenantId};

event_kind! {
    /// A duplicate tenant was retired.
    TenantRetired = 1114, version 1, rank 11140, source "section 9.1; W10" {
        /// Which one.
        tenant: TenantId,
        /// Under which case.
        case: Option<CaseId>,
    }
}
