use crate::event::event_kind;
use crate::event::part::{Contact, PolicyRef};
use crate::event::word::ContactRole;
use crate::id::{ActivationId, LicenseId, OrderId};

event_kind! {
    /// A recipient for the activation email was chosen.
    ActivationEmailScheduled = 401, version 1, rank 4010, source "R4; section 4.2" {
        /// For which agreement.
        license_id: LicenseId,
        /// For which order.
        order: Option<OrderId>,
        /// For which activation.
        activation: Option<ActivationId>,
        /// The rule that chose.
        rule: PolicyRef,
        /// Whom it could choose from.
        candidates: Vec<Contact>,
        /// Whom it chose; absent if there was nobody.
        chosen_role: Option<ContactRole>,
    }
}
