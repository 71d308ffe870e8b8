use crate::event::event_kind;
use crate::event::protected::Person;
use crate::event::word::AuthorizingRole;
use crate::id::{CaseId, Name, TenantId};

event_kind! {
    /// Somebody with the authority agreed to a compensation.
    AuthorizationReceived = 1105, version 1, rank 11050, source "E3; section 5.6" {
        /// For which case.
        case: CaseId,
        /// Who agreed.
        from: Person,
        /// In which role.
        role: AuthorizingRole,
        /// The tenant whose administrator agreed.
        tenant: Option<TenantId>,
        /// Reference to the proof: a mail's or a form's number.
        proof: Option<Name>,
    }
}
