use crate::event::event_kind;
use crate::event::protected::Machine;
use crate::id::Seconds;

event_kind! {
    /// A machine's clock was seen to be wrong.
    ClockSkewObserved = 1019, version 1, rank 10190, source "E15" {
        /// Which machine.
        machine: Machine,
        /// By how much; positive when ahead.
        offset_seconds: Seconds,
    }
}
