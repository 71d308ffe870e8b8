use crate::event::event_kind;
use crate::event::protected::{Machine, Person};

event_kind! {
    /// Office asked a user for credentials.
    UserPrompted = 1005, version 1, rank 10050, source "S3 (OOB_GRACE)" {
        /// Which machine.
        machine: Machine,
        /// Whom.
        user: Option<Person>,
    }
}
