use crate::event::event_kind;
use crate::event::part::{Contact, OrderLine};
use crate::event::word::{PlacedBy, Program};
use crate::id::{ActivationId, CustomerId, LicenseId, OrderId, PartnerId, TenantId};
use crate::time::Date;

event_kind! {
    /// An order was entered by the vendor or a partner.
    OrderPlaced = 301, version 1, rank 3010, source "S2 step 1; R1, R2; section 4.2" {
        /// Its number.
        order: OrderId,
        /// The agreement that it is under.
        license_id: LicenseId,
        /// The activation that it begins.
        activation: Option<ActivationId>,
        /// Under which program.
        program: Program,
        /// What was ordered.
        lines: Vec<OrderLine>,
        /// Who entered it.
        placed_by: PlacedBy,
        /// The reseller.
        partner: Option<PartnerId>,
        /// The distributor.
        distributor: Option<PartnerId>,
        /// Who will use it.
        end_customer: CustomerId,
        /// The tenant that it is meant for, where the order names one.
        intended_tenant: Option<TenantId>,
        /// The first day of use.
        usage_date: Option<Date>,
        /// The contacts on the order, as they were then.
        contacts: Vec<Contact>,
    }
}
