//! What tools printed of a machine's licences: eight states, several products (E13, E14).

use super::SeatState;
use crate::view::{shown, shown_option};
use ledger::event::kinds::LicenseStateObserved;
use ledger::event::word::LicenseState;
use ledger::id::{Name, TenantId};
use ledger::secret::Last5;
use ledger::time::Timestamp;
use serde::Serialize;

/// What stands in the description of a subscription's licence, among the others of a machine.
const SUBSCRIPTION_CHANNEL: &str = "SUB";

/// A product's licence as a tool printed it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Printed {
    /// The licence's SKU id.
    pub sku_id: Option<Name>,
    /// The licence's description, its channel in it.
    pub description: Option<Name>,
    /// The state, one of eight (E13).
    pub state: &'static str,
    /// When it was printed.
    #[serde(serialize_with = "shown")]
    pub at: Timestamp,
    /// The error code.
    pub error_code: Option<Name>,
    /// Minutes of grace that remained.
    pub remaining_minutes: Option<u32>,
    /// The same in whole days, as tools round it.
    pub remaining_days: Option<u32>,
    /// The expiration as printed.
    pub expires: Option<Name>,
    /// The tenant that the licence hangs on, where the tool says.
    pub tenant: Option<TenantId>,
    /// The last five characters of the installed machine key.
    #[serde(serialize_with = "shown_option")]
    pub machine_key_last5: Option<Last5>,
    /// The tool.
    pub tool: Name,
    #[serde(skip)]
    pub(super) word: LicenseState,
}

const MINUTES_PER_DAY: u32 = 24 * 60;

impl Printed {
    pub(super) fn of(printed: &LicenseStateObserved, at: Timestamp) -> Self {
        let remaining = printed.remaining_minutes.map(|minutes| minutes.0);
        Self {
            sku_id: printed.sku_id.clone(),
            description: printed.description.clone(),
            state: printed.state.as_str(),
            at,
            error_code: printed.error_code.clone(),
            remaining_minutes: remaining,
            remaining_days: remaining.map(|minutes| minutes / MINUTES_PER_DAY),
            expires: printed.expires.clone(),
            tenant: printed.tenant.clone(),
            machine_key_last5: printed.machine_key_last5,
            tool: printed.tool.clone(),
            word: printed.state,
        }
    }

    /// Whether it is the licence of a subscription: its tool names a tenant, or its description the
    /// channel of time based subscriptions.
    fn is_subscription(&self) -> bool {
        let channel = |text: &Name| {
            text.as_str()
                .to_ascii_uppercase()
                .contains(SUBSCRIPTION_CHANNEL)
        };
        self.tenant.is_some() || self.description.as_ref().is_some_and(channel)
    }

    /// How much the state lets its user do, most first: a stale grace beside an active licence means
    /// nothing.
    fn rank(&self) -> u8 {
        match self.word {
            LicenseState::Licensed => 0,
            LicenseState::OobGrace | LicenseState::ExtendedGrace => 1,
            LicenseState::OotGrace | LicenseState::NonGenuineGrace => 2,
            LicenseState::Notifications => 3,
            LicenseState::Unlicensed => 4,
            LicenseState::Unknown => 5,
        }
    }
}

/// The print that speaks for the seat: of the subscription's licences, else of all, the ones printed
/// last; of these the one that lets its user do most.
pub(super) fn speaking<'p>(
    printed: impl Iterator<Item = &'p Printed> + Clone,
) -> Option<&'p Printed> {
    let some_are = printed.clone().any(Printed::is_subscription);
    let of_seat = printed.filter(|one| !some_are || one.is_subscription());
    let last = of_seat.clone().map(|one| one.at).max()?;
    let at_last = of_seat.filter(|one| one.at == last);
    at_last.min_by_key(|one| one.rank())
}

/// The state of four that a print amounts to; `None` where it says nothing about the four.
pub(super) fn of_four(state: LicenseState) -> Option<SeatState> {
    match state {
        LicenseState::Licensed => Some(SeatState::Licensed),
        LicenseState::OobGrace => Some(SeatState::OobGrace),
        LicenseState::ExtendedGrace => Some(SeatState::ExtendedGrace),
        LicenseState::Notifications => Some(SeatState::Notifications),
        LicenseState::Unlicensed
        | LicenseState::OotGrace
        | LicenseState::NonGenuineGrace
        | LicenseState::Unknown => None,
    }
}
