use crate::event::event_kind;
use crate::event::part::Money;
use crate::id::{LicenseId, LotId, RedemptionId, SessionId, SubscriptionId, TenantId};
use crate::secret::KeyFingerprint;
use crate::time::Date;

event_kind! {
    /// A lot of prepaid Azure credit was activated.
    CreditLotActivated = 901, version 1, rank 9010, source "S0; R17; E11" {
        /// Which lot.
        lot: LotId,
        /// By which key.
        key: KeyFingerprint,
        /// The directory of the Azure subscription.
        tenant: Option<TenantId>,
        /// The Azure subscription.
        azure_subscription: SubscriptionId,
        /// Under which agreement.
        license_id: Option<LicenseId>,
        /// By which redemption.
        redemption: Option<RedemptionId>,
        /// In which session.
        session: Option<SessionId>,
        /// Whether it began a new Azure subscription or was added to one.
        new_subscription: bool,
        /// How much.
        amount: Money,
        /// The first day.
        activated_on: Date,
        /// The last day; 12 months by the rule.
        expires_on: Option<Date>,
    }
}
