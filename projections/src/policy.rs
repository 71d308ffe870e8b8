//! Policies: what no source settles, decided by a named rule with a version.
//!
//! An event may name the policies that decided it; where it names none, the defaults here apply.

use ledger::event::Fact;
use ledger::event::word::Program;
use ledger::time::Date;

/// When a term that starts on a day ends: the last day served (section A, "Dates").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TermEnd {
    /// On the same day of the month; what portals print. The default.
    #[default]
    OnAnniversary,
    /// On the day before.
    DayBeforeAnniversary,
}

impl TermEnd {
    /// The policy's name, as events carry it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnAnniversary => "end_on_anniversary",
            Self::DayBeforeAnniversary => "end_day_before_anniversary",
        }
    }

    /// The policy that a fact names, else the default.
    pub fn of(fact: &Fact) -> Self {
        let other = Self::DayBeforeAnniversary;
        match names(fact, other.name()) {
            true => other,
            false => Self::OnAnniversary,
        }
    }

    /// The last day of a term of some months that starts on a day.
    pub fn end(self, start: Date, months: u32) -> Date {
        let anniversary = start.plus_months(months, start.day_of_month());
        match self {
            Self::OnAnniversary => anniversary,
            Self::DayBeforeAnniversary => anniversary.plus_days(-1),
        }
    }
}

/// Whether a fact says that a policy of this name decided it.
pub fn names(fact: &Fact, policy: &str) -> bool {
    fact.policies.iter().any(|p| p.name.as_str() == policy)
}

/// How long a subscription stays after its end, in whole days (section 5.3; E7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Afterlife {
    /// Days of grace.
    pub grace_days: i64,
    /// Days disabled after grace.
    pub disabled_days: i64,
}

impl Afterlife {
    /// By program: the Open row, or the Enterprise row of section 5.3.
    pub fn of(program: Option<Program>) -> Self {
        match program {
            Some(
                Program::Enterprise
                | Program::Campus
                | Program::Schools
                | Program::ProductsAndServices,
            ) => Self {
                grace_days: 90,
                disabled_days: 60,
            },
            Some(Program::OpenLicense | Program::OpenValue | Program::OpenValueSubscription)
            | None => Self {
                grace_days: 30,
                disabled_days: 90,
            },
        }
    }
}

/// Months that an activation key or a renewal adds (R15).
pub const TERM_MONTHS: u32 = 12;
/// Days that a trial lasts (R11).
pub const TRIAL_DAYS: i64 = 30;
/// Days after a trial's end until its data is deleted (R11, P13).
pub const TRIAL_DATA_DAYS: i64 = 30;
/// Days that a machine key licenses (R22).
pub const MACHINE_KEY_DAYS: i64 = 30;
/// Days of out-of-box and of extended grace (R21).
pub const SEAT_GRACE_DAYS: i64 = 30;
/// Installs of one user that count at the same time (R25).
pub const INSTALLS_PER_USER: usize = 5;

/// Which policies decide where an event names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policies {
    /// When terms end.
    pub term_end: TermEnd,
}
