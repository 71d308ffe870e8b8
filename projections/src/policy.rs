//! Policies: what no source settles, decided by a named rule with a version.
//!
//! An event may name the policies that decided it; where it names none, those of [`Policies`] apply,
//! whose defaults are the decisions of DOMAIN section A. A fold says which policies decided in it,
//! as `name@version`.

use ledger::event::Fact;
use ledger::event::word::Program;
use ledger::time::Date;
use std::fmt;

/// A policy as views name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Policy {
    /// Its name, as events carry it.
    pub name: &'static str,
    /// Raised when the rule behind the name changes.
    pub version: u32,
    /// What it decides, and how.
    pub doc: &'static str,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// Declares sets of policies of which one is in force: a name and a meaning each.
macro_rules! policies {
    ($($(#[doc = $doc:literal])+ $set:ident {
        $($(#[doc = $vdoc:literal])+ $(#[$default:meta])? $variant:ident = $name:literal),+ $(,)?
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub enum $set { $($(#[doc = $vdoc])+ $(#[$default])? $variant),+ }

        impl $set {
            /// Every policy of the set.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The policy as views name it.
            pub fn policy(self) -> Policy {
                match self {
                    $(Self::$variant => Policy {
                        name: $name,
                        version: 1,
                        doc: concat!($($vdoc),+).trim_ascii(),
                    }),+
                }
            }

            /// The policy of the set that a fact names.
            pub fn named(fact: &Fact) -> Option<Self> {
                if fact.policies.is_empty() {
                    return None;
                }
                let named = |policy: &Self| names(fact, policy.policy().name);
                Self::ALL.iter().copied().find(named)
            }
        }
    )+

        /// Every policy.
        pub fn all() -> Vec<Policy> {
            [$($set::ALL.iter().map(|policy| policy.policy()).collect::<Vec<_>>()),+].concat()
        }
    };
}

policies! {
    /// When a term that starts on a day ends: the last day served (section A, "Dates").
    TermEnd {
        /// On the same day of the month; what portals print.
        #[default]
        OnAnniversary = "end_on_anniversary",
        /// On the day before the anniversary.
        DayBeforeAnniversary = "end_day_before_anniversary",
    }

    /// What adding seats does to the end date (section 6).
    AddEnd {
        /// The end date stays (S0).
        #[default]
        Keep = "add_keep_end",
        /// Time left is averaged over old and new seats, in whole days (P10 to P12).
        PooledAverage = "pooled_average",
    }

    /// What a renewal in time does to the end date (section 6).
    RenewEnd {
        /// Twelve months from the end that it had (S0).
        #[default]
        FromEnd = "renew_from_end",
        /// Twelve months from the day of the redemption.
        FromRedemption = "renew_from_redemption",
        /// Time left is averaged over old and new seats, in whole days (P10 to P12).
        PooledAverage = "pooled_average",
    }

    /// What a renewal does to the seats (section A, "Conservation").
    RenewSeats {
        /// The seats are those of the renewal's keys.
        #[default]
        Set = "renew_sets_seats",
        /// The seats stay.
        Keep = "renew_keeps_seats",
    }

    /// Which machine of a user loses its place to a sixth one (section 5.5).
    Bump {
        /// The one that was validated least recently; then the one installed first; then by id (P19).
        #[default]
        LeastRecentlyValidated = "bump_least_recently_validated",
        /// The one that was installed first; then by id.
        FirstInstalled = "bump_first_installed",
    }

    /// What a machine does that learns of a cancelled subscription (R24 against R23).
    Cancellation {
        /// It is reduced at that contact (R24 to the letter).
        #[default]
        ReducesAtContact = "cancel_reduces_at_contact",
        /// It has its extended grace first, as after deprovisioning (R23).
        GraceFirst = "cancel_grace_first",
    }
}

/// Whether a fact says that a policy of this name decided it.
pub fn names(fact: &Fact, policy: &str) -> bool {
    fact.policies.iter().any(|p| p.name.as_str() == policy)
}

impl TermEnd {
    /// The last day of a term of some months that starts on a day.
    pub fn end(self, start: Date, months: u32) -> Date {
        let anniversary = start.plus_months(months, start.day_of_month());
        match self {
            Self::OnAnniversary => anniversary,
            Self::DayBeforeAnniversary => anniversary.plus_days(-1),
        }
    }
}

/// Which policies decide where an event names none, and the limits that they work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policies {
    /// When terms end.
    pub term_end: TermEnd,
    /// What adding seats does to the end.
    pub add_end: AddEnd,
    /// What renewing does to the end.
    pub renew_end: RenewEnd,
    /// What renewing does to the seats.
    pub renew_seats: RenewSeats,
    /// Which machine is bumped.
    pub bump: Bump,
    /// What a cancellation does to a machine.
    pub cancellation: Cancellation,
    /// Time limits and counts.
    pub limits: Limits,
}

/// How long a subscription stays after its end, in whole days (section 5.3; E7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Afterlife {
    /// Days of grace.
    pub grace_days: i64,
    /// Days disabled after grace.
    pub disabled_days: i64,
}

/// Months that an activation key or a renewal adds, by default (R15).
pub const TERM_MONTHS: u32 = 12;
/// Days that a trial lasts, by default (R11).
pub const TRIAL_DAYS: i64 = 30;
/// Days after a trial's end until its data is deleted, by default (R11, P13).
pub const TRIAL_DATA_DAYS: i64 = 30;
/// Days that a machine key licenses, by default (R22).
pub const MACHINE_KEY_DAYS: i64 = 30;
/// Days of out-of-box and of extended grace, by default (R21).
pub const SEAT_GRACE_DAYS: i64 = 30;
/// Installs of one user that count at the same time, by default (R25).
pub const INSTALLS_PER_USER: usize = 5;

/// Time limits and counts, all parameters: they drifted over the years and differ between offers
/// (E12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Months that an activation key or a renewal adds (R15).
    pub term_months: u32,
    /// Days that a trial lasts (R11).
    pub trial_days: i64,
    /// Days after a trial's end until its data is deleted (R11, P13).
    pub trial_data_days: i64,
    /// What follows the end under Open programs, and where the program is not known (section 5.3).
    pub open: Afterlife,
    /// What follows the end under Enterprise, Campus, Schools and MPSA (section 5.3).
    pub enterprise: Afterlife,
    /// Months that a lot of credit lasts (R17).
    pub credit_months: u32,
    /// Days that a machine key licenses (R22).
    pub machine_key_days: i64,
    /// Days of out-of-box grace (R21).
    pub oob_grace_days: i64,
    /// Days of extended grace (R21).
    pub extended_grace_days: i64,
    /// Installs of one user in one tenant that count at the same time (R25).
    pub installs_per_user: usize,
    /// Months after the order until an activation link ends, where no source says (P4).
    pub link_months: u32,
    /// Hours within which a status that lags is no contradiction (R16, S0).
    pub status_lag_hours: i64,
    /// Hours after which a status that still lags is late (R16, P4).
    pub status_late_hours: i64,
    /// Hours before the usage date at which a reservation can last be cancelled (P33).
    pub reservation_cancel_hours: i64,
    /// Days within which an order can be returned (E5, P14).
    pub return_days: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            term_months: TERM_MONTHS,
            trial_days: TRIAL_DAYS,
            trial_data_days: TRIAL_DATA_DAYS,
            open: Afterlife {
                grace_days: 30,
                disabled_days: 90,
            },
            enterprise: Afterlife {
                grace_days: 90,
                disabled_days: 60,
            },
            credit_months: TERM_MONTHS,
            machine_key_days: MACHINE_KEY_DAYS,
            oob_grace_days: SEAT_GRACE_DAYS,
            extended_grace_days: SEAT_GRACE_DAYS,
            installs_per_user: INSTALLS_PER_USER,
            link_months: 6,
            status_lag_hours: 24,
            status_late_hours: 48,
            reservation_cancel_hours: 72,
            return_days: 60,
        }
    }
}

impl Limits {
    /// What follows the end of a subscription, by program.
    pub fn afterlife(&self, program: Option<Program>) -> Afterlife {
        match is_enterprise(program) {
            true => self.enterprise,
            false => self.open,
        }
    }
}

/// Whether terms are aligned with the agreement and mail goes to the Online Services Manager (E7,
/// R4): every program but the Open ones.
pub fn is_enterprise(program: Option<Program>) -> bool {
    match program {
        Some(
            Program::Enterprise | Program::Campus | Program::Schools | Program::ProductsAndServices,
        ) => true,
        Some(Program::OpenLicense | Program::OpenValue | Program::OpenValueSubscription) | None => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_policy_name_means_one_rule() {
        let all = all();
        let names: BTreeSet<&str> = all.iter().map(|policy| policy.name).collect();
        // The pooled average is one rule, whether seats are added or renewed.
        assert_eq!(names.len(), all.len() - 1);
        assert!(all.iter().all(|policy| !policy.doc.is_empty()));
    }
}
