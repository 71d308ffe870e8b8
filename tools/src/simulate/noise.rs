//! What real sources do to the record: they lose some of it, say some of it twice, late, or by a
//! clock that is wrong. A profile has a name, and its shares stand here and in the command's help.

use super::outbox::{System, plus_seconds};
use super::random::Random;
use ledger::time::Timestamp;

/// How noisy the sources are. Shares are in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noise {
    /// The name of the profile.
    pub name: &'static str,
    /// Share of the landings that go wrong where nobody asks for another, in millionths.
    pub wrong_ppm: u32,
    /// Share of the sign-in records that are missing: sign-in logs are kept for weeks (E16).
    sign_ins_missing: u32,
    /// Share of the forwards that are missing: mail leaves no trace outside its own systems (W3).
    forwards_missing: u32,
    /// Share of the records that come again.
    repeated: u32,
    /// Share of the repeated landings, mails and sessions that another system reports as its own.
    by_another_system: u32,
    /// Share of the records that arrive days to weeks after they should, and do not say so.
    late: u32,
    /// Share of the machines' records that carry the time of a wrong clock (E15).
    clocks_wrong: u32,
    /// Share of the portals' sign-in and mail records that are off by up to a minute.
    clocks_skewed: u32,
    /// How long a portal may go on showing an activation as not done, in minutes (P4: 48 hours).
    pub status_lag_minutes_max: u32,
}

impl Noise {
    /// Sources that keep everything; a tenth of it comes to be known late, and says so.
    pub const NONE: Self = Self {
        name: "none",
        wrong_ppm: 0,
        sign_ins_missing: 0,
        forwards_missing: 0,
        repeated: 0,
        by_another_system: 0,
        late: 0,
        clocks_wrong: 0,
        clocks_skewed: 0,
        status_lag_minutes_max: 1300,
    };

    /// Sources as they are.
    pub const DEFAULT: Self = Self {
        name: "default",
        wrong_ppm: 10_000,
        sign_ins_missing: 200,
        forwards_missing: 100,
        repeated: 400,
        by_another_system: 250,
        late: 50,
        clocks_wrong: 20,
        clocks_skewed: 100,
        status_lag_minutes_max: 2800,
    };

    /// The profiles.
    pub const PROFILES: &[Self] = &[Self::NONE, Self::DEFAULT];

    /// The profile of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::PROFILES
            .iter()
            .find(|profile| profile.name == name)
            .copied()
    }
}

/// What becomes of one record.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// When the record says that it happened.
    pub says: Timestamp,
    /// Seconds by which it arrives later than it should.
    pub late_seconds: u32,
    /// Seconds after which it comes again, and whether another system says it then.
    pub again: Option<(u32, bool)>,
}

/// Kinds whose natural key is theirs alone, so that two systems can report the same one: key and
/// tenant, order, message, session (DOMAIN section A, "Landing").
const REPORTED_TWICE: &[&str] = &[
    "KeysRedeemed",
    "ServicesBoundToTenant",
    "ServicesAutoAssigned",
    "ActivationEmailSent",
    "SessionStarted",
];

const DAY: u32 = 24 * 3600;

impl Noise {
    /// Decides what becomes of a record; `None` loses it.
    pub fn fate(
        &self,
        random: &mut Random,
        kind: &str,
        system: System,
        at: Timestamp,
    ) -> Option<Fate> {
        let missing = match kind {
            "SessionStarted" => self.sign_ins_missing,
            "ActivationEmailForwarded" => self.forwards_missing,
            _ => 0,
        };
        if random.chance(missing) {
            return None;
        }
        let says = if system.is_a_machines() && random.chance(self.clocks_wrong) {
            let days = i64::from(random.between(1, 40));
            let ahead = random.chance(500);
            at.plus_days(if ahead { days } else { -days })
        } else if system.is_of_sign_ins() && random.chance(self.clocks_skewed) {
            let skew = i64::from(random.below(120)) - 60;
            Timestamp::from_micros(at.as_micros() + skew * 1_000_000)
        } else {
            at
        };
        let late_seconds = match random.chance(self.late) {
            true => random.between(DAY, 30 * DAY),
            false => 0,
        };
        let again = random.chance(self.repeated).then(|| {
            let after = random.between(0, 21 * DAY);
            let by_another =
                REPORTED_TWICE.contains(&kind) && random.chance(self.by_another_system);
            (after, by_another)
        });
        Some(Fate {
            says,
            late_seconds,
            again,
        })
    }
}

impl Fate {
    /// What becomes of a record where there is no noise.
    pub fn undisturbed(at: Timestamp) -> Self {
        Self {
            says: at,
            late_seconds: 0,
            again: None,
        }
    }

    /// When it arrives, if it should arrive then.
    pub fn arrives(&self, should: Timestamp) -> Timestamp {
        plus_seconds(should, self.late_seconds)
    }
}
