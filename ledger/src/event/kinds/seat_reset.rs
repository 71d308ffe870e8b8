use crate::event::event_kind;
use crate::event::protected::Machine;
use crate::event::word::ResetTool;

event_kind! {
    /// A seat's licence was removed on the machine, to be set up again.
    SeatReset = 1017, version 1, rank 10170, source "S3 (Osaui); E15; W22" {
        /// Which machine.
        machine: Machine,
        /// With which tool.
        tool: ResetTool,
    }
}
