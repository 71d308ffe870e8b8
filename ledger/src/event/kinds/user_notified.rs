use crate::event::event_kind;
use crate::event::protected::{Machine, Person};
use crate::event::word::NotifiedCondition;

event_kind! {
    /// The notifier told a user about an error condition.
    UserNotified = 1020, version 1, rank 10200, source "S3 (notifier)" {
        /// Which machine.
        machine: Machine,
        /// Whom.
        user: Option<Person>,
        /// About what.
        condition: NotifiedCondition,
    }
}
