use crate::event::event_kind;
use crate::event::word::DomainOption;
use crate::id::{DomainName, SessionId};

event_kind! {
    /// Somebody chose which domain to use.
    DomainOptionChosen = 505, version 1, rank 5050, source "S0 step 5" {
        /// In which session.
        session: SessionId,
        /// Own, new or later.
        option: DomainOption,
        /// The domain.
        domain: Option<DomainName>,
    }
}
