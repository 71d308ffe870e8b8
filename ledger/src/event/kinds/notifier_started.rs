use crate::event::event_kind;
use crate::event::protected::{Machine, Person};

event_kind! {
    /// The agent's notifier was started for a user.
    NotifierStarted = 1003, version 1, rank 10030, source "S3 (OSA Notifier)" {
        /// Which machine.
        machine: Machine,
        /// For whom.
        user: Option<Person>,
    }
}
