use crate::event::event_kind;
use crate::event::part::{RedeemedKey, RedemptionEffect};
use crate::event::protected::Person;
use crate::event::word::RedemptionMode;
use crate::id::{LicenseId, OrderId, RedemptionId, SessionId, TenantId};

event_kind! {
    /// Keys were redeemed in a tenant.
    KeysRedeemed = 709, version 1, rank 7090, source "S0; R13 to R16; section A" {
        /// Which redemption.
        redemption: RedemptionId,
        /// The agreement that the source names.
        license_id: Option<LicenseId>,
        /// The order that the source names.
        order: Option<OrderId>,
        /// The tenant that the keys landed in.
        tenant: TenantId,
        /// In which session.
        session: Option<SessionId>,
        /// Who pressed Redeem.
        redeemer: Option<Person>,
        /// Which keys, and how many seats each.
        keys: Vec<RedeemedKey>,
        /// How they were redeemed.
        mode: RedemptionMode,
        /// What the source saw of each subscription before and after.
        effects: Vec<RedemptionEffect>,
    }
}
