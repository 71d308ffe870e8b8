use crate::event::event_kind;
use crate::event::protected::Machine;
use crate::id::Name;

event_kind! {
    /// The Office suite was installed on a machine.
    OfficeInstalled = 1001, version 1, rank 10010, source "S3; R21; section 5.5" {
        /// Which machine.
        machine: Machine,
        /// Which install, where the source tells them apart.
        install: Option<Name>,
        /// Which version.
        version: Option<Name>,
        /// Which product.
        product: Option<Name>,
    }
}
