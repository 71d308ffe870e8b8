use crate::event::event_kind;
use crate::event::protected::Machine;
use crate::id::{Days, Name};
use crate::secret::Last5;

event_kind! {
    /// A machine was issued its own key of 30 days.
    MachineKeyIssued = 1009, version 1, rank 10090, source "S3 (Sell keys service); R22" {
        /// Which machine.
        machine: Machine,
        /// The last five characters of the machine key.
        machine_key_last5: Last5,
        /// How long it licenses.
        ttl_days: Days,
        /// The service that issued it.
        issued_by: Option<Name>,
    }
}
