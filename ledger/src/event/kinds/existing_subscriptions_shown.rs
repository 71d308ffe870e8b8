use crate::event::event_kind;
use crate::event::part::ShownSubscription;
use crate::id::RedemptionId;

event_kind! {
    /// The portal showed the existing subscriptions and asked how to redeem.
    ExistingSubscriptionsShown = 705, version 1, rank 7050, source "S0 admin center step 7; section A" {
        /// In which redemption.
        redemption: RedemptionId,
        /// What was shown.
        shown: Vec<ShownSubscription>,
    }
}
