use crate::event::event_kind;
use crate::event::protected::Machine;
use crate::id::{Days, Name};

event_kind! {
    /// The parameters of time based licensing were set for a machine.
    TblParametersSet = 1010, version 1, rank 10100, source "S3 (AVS, TBL)" {
        /// Which machine.
        machine: Machine,
        /// How long a licence lasts.
        ttl_days: Days,
        /// How long the extended grace lasts.
        grace_days: Option<Days>,
        /// The service that set them, AVS for instance.
        service: Option<Name>,
    }
}
