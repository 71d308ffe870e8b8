use crate::event::event_kind;
use crate::event::protected::Person;
use crate::id::{CaseId, Sku, TenantId};

event_kind! {
    /// Users were given seats of another tenant or subscription.
    SeatsReassigned = 1111, version 1, rank 11110, source "section 9.1; W23" {
        /// The tenant that they work in now.
        tenant: TenantId,
        /// The tenant whose seats they held.
        from_tenant: Option<TenantId>,
        /// Of what.
        sku: Option<Sku>,
        /// Who.
        users: Vec<Person>,
        /// Under which case.
        case: Option<CaseId>,
    }
}
