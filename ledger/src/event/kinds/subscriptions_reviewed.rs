use crate::event::event_kind;
use crate::event::protected::Person;
use crate::id::{SessionId, SubscriptionId, TenantId};

event_kind! {
    /// Somebody looked at the created subscriptions: the first moment a mistake could be noticed.
    SubscriptionsReviewed = 509, version 1, rank 5090, source "S2 steps 7 and 8; section A" {
        /// In which tenant.
        tenant: TenantId,
        /// In which session.
        session: Option<SessionId>,
        /// Who.
        person: Option<Person>,
        /// What was shown.
        subscriptions: Vec<SubscriptionId>,
    }
}
