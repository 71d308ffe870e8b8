use crate::event::event_kind;
use crate::id::{RedemptionId, TenantId};
use crate::secret::KeyFingerprint;

event_kind! {
    /// A key was typed, or stood in the window already.
    KeyEntered = 702, version 1, rank 7020, source "S0; R14" {
        /// In which redemption.
        redemption: RedemptionId,
        /// Which key.
        key: KeyFingerprint,
        /// The tenant that was signed in to.
        tenant: Option<TenantId>,
    }
}
