use crate::event::event_kind;
use crate::id::{CaseId, LicenseId, OrderId, Seats};
use crate::secret::KeyFingerprint;

event_kind! {
    /// A key was replaced by a new one.
    KeyReissued = 1107, version 1, rank 11070, source "E4; W26" {
        /// The neutralised key.
        old_key: KeyFingerprint,
        /// The key that takes its place.
        new_key: KeyFingerprint,
        /// Under which case.
        case: Option<CaseId>,
        /// For which order.
        order: Option<OrderId>,
        /// Under which agreement.
        license_id: Option<LicenseId>,
        /// Seats that it carries.
        seats: Option<Seats>,
    }
}
