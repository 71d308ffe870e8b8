use crate::event::event_kind;
use crate::event::protected::Machine;

event_kind! {
    /// The subscription agent's core service was started on a machine.
    AgentStarted = 1002, version 1, rank 10020, source "S3 (agent service)" {
        /// Which machine.
        machine: Machine,
    }
}
