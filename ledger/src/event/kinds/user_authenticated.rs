use crate::event::event_kind;
use crate::event::protected::{Machine, Person};
use crate::id::{Name, TenantId};

event_kind! {
    /// A user's id was authenticated on a machine.
    UserAuthenticated = 1006, version 1, rank 10060, source "S3 (IDCRL); R26" {
        /// Which machine.
        machine: Machine,
        /// Who.
        user: Person,
        /// In which tenant.
        tenant: Option<TenantId>,
        /// Through which library, IDCRL for instance.
        library: Option<Name>,
    }
}
