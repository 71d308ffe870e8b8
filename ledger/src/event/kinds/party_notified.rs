use crate::event::event_kind;
use crate::event::word::{CaseChannel, NotifiedParty};
use crate::id::{CaseId, CustomerId, TenantId};

event_kind! {
    /// A party was notified.
    PartyNotified = 1113, version 1, rank 11130, source "section 9.1" {
        /// Under which case.
        case: Option<CaseId>,
        /// Which party.
        party: NotifiedParty,
        /// Which customer.
        customer: Option<CustomerId>,
        /// Whose administrators.
        tenant: Option<TenantId>,
        /// How.
        channel: CaseChannel,
    }
}
