use crate::event::event_kind;
use crate::event::field::Count;
use crate::event::protected::Machine;

event_kind! {
    /// Office 365 Desktop Setup ran on a machine.
    DesktopSetupRun = 1004, version 1, rank 10040, source "S3 (Desktop Setup)" {
        /// Which machine.
        machine: Machine,
        /// Updates that it installed.
        updates: Option<Count>,
    }
}
