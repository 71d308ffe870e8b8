//! What a portal showed of an activation, and whether it lags behind what is known (R16).

use crate::policy::Limits;
use crate::view::shown;
use ledger::event::word::ActivationStatus;
use ledger::time::Timestamp;
use serde::Serialize;

/// How a shown status stands to a landing that had happened before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Lag {
    /// It shows what is so.
    InStep,
    /// "Not activated" within the first limit (24 hours, S0): lag, no contradiction.
    WithinFirstLimit,
    /// "Not activated" within the second limit (48 hours, P4): lag by the older text only.
    WithinSecondLimit,
    /// "Not activated" after that: a contradiction.
    Contradicts,
    /// "Activated", though nothing is known to have landed.
    Unexplained,
}

/// The last status that a portal showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PortalStatus {
    /// What it showed.
    pub shown: &'static str,
    /// When.
    #[serde(serialize_with = "shown")]
    pub at: Timestamp,
    /// Whole hours since the landing, where one had happened before.
    pub hours_after_landing: Option<i64>,
    /// How it stands to the landing; absent where there is nothing to compare.
    pub lag: Option<Lag>,
}

const MICROS_PER_HOUR: i64 = 3_600_000_000;

impl PortalStatus {
    /// Judges a status that was shown at an instant against the landing that had happened by then.
    pub fn judge(
        status: ActivationStatus,
        at: Timestamp,
        landed_at: Option<Timestamp>,
        limits: &Limits,
    ) -> Self {
        let since = landed_at.filter(|landed| *landed <= at);
        let hours =
            since.map(|landed| at.as_micros().saturating_sub(landed.as_micros()) / MICROS_PER_HOUR);
        let lag = match (status, hours) {
            (ActivationStatus::Activated, Some(_)) => Some(Lag::InStep),
            (ActivationStatus::Activated, None) => Some(Lag::Unexplained),
            (ActivationStatus::NotActivated | ActivationStatus::Pending, None) => None,
            (ActivationStatus::NotActivated | ActivationStatus::Pending, Some(hours)) => {
                Some(if hours < limits.status_lag_hours {
                    Lag::WithinFirstLimit
                } else if hours < limits.status_late_hours {
                    Lag::WithinSecondLimit
                } else {
                    Lag::Contradicts
                })
            }
        };
        Self {
            shown: status.as_str(),
            at,
            hours_after_landing: hours,
            lag,
        }
    }
}
