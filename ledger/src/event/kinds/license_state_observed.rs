use crate::event::event_kind;
use crate::event::protected::{Machine, Person};
use crate::event::word::LicenseState;
use crate::id::{Minutes, Name, TenantId};
use crate::secret::Last5;

event_kind! {
    /// A tool printed the licence state of a product on a machine.
    LicenseStateObserved = 1018, version 1, rank 10180, source "S3 (OSPP); E13, E14" {
        /// Which machine.
        machine: Machine,
        /// Who was signed in.
        user: Option<Person>,
        /// The tenant that the licence hangs on, where the tool says.
        tenant: Option<TenantId>,
        /// The licence's name.
        product: Option<Name>,
        /// The licence's description, its channel in it.
        description: Option<Name>,
        /// The licence's SKU id.
        sku_id: Option<Name>,
        /// The state.
        state: LicenseState,
        /// The error code.
        error_code: Option<Name>,
        /// Minutes of grace that remain.
        remaining_minutes: Option<Minutes>,
        /// The expiration as printed: local time of an unknown zone.
        expires: Option<Name>,
        /// The last five characters of the installed machine key.
        machine_key_last5: Option<Last5>,
        /// The tool.
        tool: Name,
    }
}
