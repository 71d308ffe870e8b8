use crate::event::event_kind;
use crate::event::word::VerificationMethod;
use crate::id::SessionId;

event_kind! {
    /// The portal verified somebody by telephone.
    IdentityVerified = 503, version 1, rank 5030, source "S0 step 4" {
        /// In which session.
        session: SessionId,
        /// By text or by call.
        method: VerificationMethod,
    }
}
