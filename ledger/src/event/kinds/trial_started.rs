use crate::event::event_kind;
use crate::event::protected::Person;
use crate::id::{CustomerId, Seats, Sku, SubscriptionId, TenantId};
use crate::time::Date;

event_kind! {
    /// A trial began.
    TrialStarted = 607, version 1, rank 6070, source "S2; R11" {
        /// In which tenant.
        tenant: TenantId,
        /// Its subscription.
        subscription: SubscriptionId,
        /// Whose it is, where the source says.
        customer: Option<CustomerId>,
        /// Who opened it.
        contact: Option<Person>,
        /// What is tried.
        sku: Option<Sku>,
        /// How many seats.
        seats: Option<Seats>,
        /// Its last day; 30 days by the rule.
        ends: Option<Date>,
    }
}
