use crate::event::event_kind;
use crate::event::word::Scenario;
use crate::id::{ActivationId, LicenseId, Name, SubscriptionId, TenantId};

event_kind! {
    /// Somebody assessed which activation scenario a customer is in.
    ScenarioAssessed = 601, version 1, rank 6010, source "S2; R9; section A" {
        /// For which agreement.
        license_id: LicenseId,
        /// For which activation.
        activation: Option<ActivationId>,
        /// Which one.
        scenario: Scenario,
        /// Who assessed it: an office or a system.
        by: Option<Name>,
        /// The trial's tenant.
        trial_tenant: Option<TenantId>,
        /// The trial's subscription.
        trial_subscription: Option<SubscriptionId>,
    }
}
