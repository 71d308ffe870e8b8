use crate::event::event_kind;
use crate::event::word::RejectionCode;
use crate::id::{RedemptionId, SessionId, TenantId};
use crate::secret::KeyFingerprint;

event_kind! {
    /// A key was refused.
    KeyRejected = 703, version 1, rank 7030, source "E8; P5; W8" {
        /// In which redemption.
        redemption: RedemptionId,
        /// Which key.
        key: KeyFingerprint,
        /// Why.
        code: RejectionCode,
        /// The tenant that was signed in to.
        tenant: Option<TenantId>,
        /// In which session.
        session: Option<SessionId>,
    }
}
