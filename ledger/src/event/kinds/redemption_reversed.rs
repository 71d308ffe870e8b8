use crate::event::event_kind;
use crate::event::part::ReversalEffect;
use crate::id::{CaseId, LicenseId, LotId, RedemptionId, TenantId};
use crate::secret::KeyFingerprint;

event_kind! {
    /// A redemption was reversed by the vendor.
    RedemptionReversed = 1106, version 1, rank 11060, source "E4; section 9.1" {
        /// Which one.
        redemption: RedemptionId,
        /// The tenant that it had landed in.
        tenant: Option<TenantId>,
        /// The agreement that it was for.
        license_id: Option<LicenseId>,
        /// Under which case.
        case: Option<CaseId>,
        /// The keys that are neutralised.
        keys: Vec<KeyFingerprint>,
        /// What it took from each subscription.
        effects: Vec<ReversalEffect>,
        /// The credit lots that it ended.
        lots: Vec<LotId>,
    }
}
