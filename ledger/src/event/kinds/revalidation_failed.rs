use crate::event::event_kind;
use crate::event::protected::Machine;
use crate::event::word::RevalidationFailure;

event_kind! {
    /// A revalidation failed.
    RevalidationFailed = 1013, version 1, rank 10130, source "S3; R23" {
        /// Which machine.
        machine: Machine,
        /// Why.
        cause: RevalidationFailure,
    }
}
