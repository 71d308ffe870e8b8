use crate::event::event_kind;
use crate::event::word::SessionEndReason;
use crate::id::SessionId;

event_kind! {
    /// A session ended.
    SessionEnded = 502, version 1, rank 5020, source "S0; R18" {
        /// Which session.
        session: SessionId,
        /// Why.
        reason: SessionEndReason,
    }
}
