use crate::event::event_kind;
use crate::event::protected::Person;
use crate::event::word::{CaseChannel, CasePurpose};
use crate::id::{CaseId, CustomerId, FindingId, LicenseId, TenantId};

event_kind! {
    /// A support case was opened.
    CaseOpened = 1103, version 1, rank 11030, source "section 1.1 (Support); E3, E4" {
        /// Which case.
        case: CaseId,
        /// What for.
        purpose: CasePurpose,
        /// How.
        channel: CaseChannel,
        /// About which finding.
        finding: Option<FindingId>,
        /// For which customer.
        customer: Option<CustomerId>,
        /// About which agreements.
        license_ids: Vec<LicenseId>,
        /// The tenant that is wrong.
        wrong_tenant: Option<TenantId>,
        /// The tenant that is right.
        right_tenant: Option<TenantId>,
        /// Who asked.
        requested_by: Option<Person>,
    }
}
