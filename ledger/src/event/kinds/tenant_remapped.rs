use crate::event::event_kind;
use crate::event::part::RemapMove;
use crate::id::{CaseId, LicenseId, Pcn};

event_kind! {
    /// The vendor moved whole agreements to another tenant; no data moves.
    TenantRemapped = 1108, version 1, rank 11080, source "E3; P6; W25" {
        /// The customer number that was remapped.
        pcn: Pcn,
        /// What moved from where to where.
        moves: Vec<RemapMove>,
        /// The agreements for which it was requested.
        requested: Vec<LicenseId>,
        /// Under which case.
        case: Option<CaseId>,
    }
}
