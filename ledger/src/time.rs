//! Time: instants, days, and how precisely a source knew them.
//!
//! Everything is UTC. This crate never reads the clock: see [`Clock`].

use jiff::fmt::temporal::Pieces;
use jiff::{SignedDuration, civil};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An instant in microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

const MICROS_PER_DAY: i64 = 86_400_000_000;

const EPOCH: civil::Date = civil::date(1970, 1, 1);

impl Timestamp {
    /// The latest instant that can be written, 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// From microseconds since 1970; values past [`Timestamp::MAX`] are cut to it.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(-Self::MAX.0, Self::MAX.0))
    }

    /// As it was stored.
    pub(crate) fn of_stored(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 instant with its offset, for example `2024-03-11T09:42:00Z`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Some(Self::from_micros(instant.as_microsecond()));
        }
        Self::parse_at_the_end(text)
    }

    /// The last day of year 9999, a sentinel of many systems: `jiff::Timestamp` ends a day before
    /// it, so that every instant has a civil time in every zone.
    fn parse_at_the_end(text: &str) -> Option<Self> {
        let pieces = Pieces::parse(text).ok()?;
        let offset = pieces.to_numeric_offset()?.seconds();
        let local = pieces.date().to_datetime(pieces.time()?);
        let since = local.duration_since(EPOCH.to_datetime(civil::Time::midnight()));
        let utc = since.checked_sub(SignedDuration::from_secs(i64::from(offset)))?;
        Some(Self::from_micros(i64::try_from(utc.as_micros()).ok()?))
    }

    /// The UTC day that this instant falls on.
    pub fn date(self) -> Date {
        let days = self.0.div_euclid(MICROS_PER_DAY);
        Date(i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// This instant moved by whole days, cut to what can be written.
    pub fn plus_days(self, days: i64) -> Self {
        Self::from_micros(self.0.saturating_add(days.saturating_mul(MICROS_PER_DAY)))
    }

    /// This instant moved by whole minutes, cut to what can be written.
    pub fn plus_minutes(self, minutes: i64) -> Self {
        Self::from_micros(self.0.saturating_add(minutes.saturating_mul(60_000_000)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epoch = EPOCH.to_datetime(civil::Time::midnight());
        write!(
            f,
            "{}Z",
            epoch.saturating_add(SignedDuration::from_micros(self.0))
        )
    }
}

/// A UTC day, in days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Date(i32);

impl Date {
    /// As it was stored.
    pub(crate) fn of_stored(day_number: i32) -> Self {
        Self(day_number)
    }

    /// Its number as it is stored.
    pub(crate) fn day_number(self) -> i32 {
        self.0
    }

    /// Reads `2024-03-11`; an instant (`2018-05-10T00:00:00Z`) is read as its UTC day.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 10 {
            return Timestamp::parse(text).map(Timestamp::date);
        }
        let date: civil::Date = text.parse().ok()?;
        Some(Self::from_civil(date))
    }

    /// From a calendar day.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        civil::Date::new(year, month, day)
            .ok()
            .map(Self::from_civil)
    }

    fn from_civil(date: civil::Date) -> Self {
        let days = date.duration_since(EPOCH).as_secs() / 86_400;
        Self(i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// The calendar day, or `None` past year 9999.
    pub fn civil(self) -> Option<civil::Date> {
        let since = SignedDuration::from_secs(i64::from(self.0) * 86_400);
        EPOCH.checked_add(since).ok()
    }

    /// Midnight UTC at the start of this day.
    pub fn start(self) -> Timestamp {
        Timestamp::from_micros(i64::from(self.0).saturating_mul(MICROS_PER_DAY))
    }

    /// This day moved by whole days.
    pub fn plus_days(self, days: i64) -> Self {
        let moved = i64::from(self.0).saturating_add(days);
        let last = Timestamp::MAX.date().0;
        Self(i32::try_from(moved).unwrap_or(last).min(last))
    }

    /// Whole days from `earlier` to this day; negative if it is later.
    pub fn days_since(self, earlier: Self) -> i64 {
        i64::from(self.0) - i64::from(earlier.0)
    }

    /// This day moved by whole calendar months, the day of the month being `anchor_day` where the
    /// month has it and the month's last day where it has not (section 6). Cut to 9999-12-31.
    pub fn plus_months(self, months: u32, anchor_day: i8) -> Self {
        let end_of_time = Timestamp::MAX.date();
        let Some(date) = self.civil() else {
            return end_of_time;
        };
        let total = i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
        let Some(total) = i32::try_from(months)
            .ok()
            .and_then(|m| total.checked_add(m))
        else {
            return end_of_time;
        };
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        let (Ok(year), Ok(month)) = (i16::try_from(year), i8::try_from(month)) else {
            return end_of_time;
        };
        let Ok(first) = civil::Date::new(year, month, 1) else {
            return end_of_time;
        };
        let day = anchor_day.clamp(1, first.days_in_month());
        Self::new(year, month, day).unwrap_or(end_of_time)
    }

    /// The day of the month, 1 to 31.
    pub fn day_of_month(self) -> i8 {
        self.civil().map_or(31, |date| date.day())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some(date) => write!(f, "{date}"),
            None => write!(f, "day {}", self.0),
        }
    }
}

/// How precisely a source knew when something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Precision {
    /// To the instant.
    Instant,
    /// To the minute.
    Minute,
    /// To the UTC day.
    Day,
    /// To the calendar month.
    Month,
}

impl Precision {
    /// The one of a number, as it is stored.
    pub(crate) fn of_stored(number: u32) -> Option<Self> {
        let all = [Self::Instant, Self::Minute, Self::Day, Self::Month];
        all.get(usize::try_from(number).ok()?).copied()
    }
}

/// When something happened, as its source claims: an interval that starts at `start` and is as
/// long as its precision. Storage contract: field order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Occurred {
    /// The first instant at which it can have happened.
    pub start: Timestamp,
    /// How long the interval is.
    pub precision: Precision,
}

impl Occurred {
    /// Known to the instant.
    pub fn at(start: Timestamp) -> Self {
        Self {
            start,
            precision: Precision::Instant,
        }
    }

    /// Reads an instant (`2024-03-11T09:42:00Z`), a minute (`2024-03-11T09:42Z`), a day
    /// (`2024-03-11`) or a month (`2024-03`): the form says the precision.
    pub fn parse(text: &str) -> Option<Self> {
        let (start, precision) = match text.len() {
            7 => (
                Date::parse(&format!("{text}-01"))?.start(),
                Precision::Month,
            ),
            10 => (Date::parse(text)?.start(), Precision::Day),
            17 if text.ends_with('Z') => {
                let minute = text.strip_suffix('Z')?;
                let start = Timestamp::parse(&format!("{minute}:00Z"))?;
                (start, Precision::Minute)
            }
            _ => (Timestamp::parse(text)?, Precision::Instant),
        };
        Some(Self { start, precision })
    }

    /// The last instant at which it can have happened.
    pub fn last(self) -> Timestamp {
        let after = match self.precision {
            Precision::Instant => return self.start,
            Precision::Minute => self.start.plus_minutes(1),
            Precision::Day => self.start.plus_days(1),
            Precision::Month => self.start.date().plus_months(1, 1).start(),
        };
        Timestamp::from_micros(after.as_micros() - 1)
    }

    /// Whether this certainly happened before `other`; overlapping intervals are "order unknown".
    pub fn certainly_before(self, other: Self) -> bool {
        self.last() < other.start
    }
}

impl fmt::Display for Occurred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.start.date();
        match self.precision {
            Precision::Instant => write!(f, "{}", self.start),
            Precision::Minute => {
                let text = self.start.to_string();
                write!(f, "{}Z", text.get(..16).unwrap_or(&text))
            }
            Precision::Day => write!(f, "{date}"),
            Precision::Month => {
                let text = date.to_string();
                f.write_str(text.get(..7).unwrap_or(&text))
            }
        }
    }
}

/// Where the ledger's time comes from. The libraries never read the wall clock themselves.
pub trait Clock: Send {
    /// The present instant. It may go backwards: recorded time takes the later of this and the
    /// last recorded instant.
    fn now(&mut self) -> Timestamp;
}

/// A clock that always tells the same instant: for replays and tests.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&mut self) -> Timestamp {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn twelve_months_keep_the_anchor_day_over_leap_years() {
        let start = day("2024-02-29");
        let once = start.plus_months(12, 29);
        assert_eq!(once, day("2025-02-28"));
        assert_eq!(start.plus_months(48, 29), day("2028-02-29"));
        assert_eq!(once.plus_months(36, 29), day("2028-02-29"));
        assert_eq!(day("2023-03-15").plus_months(12, 15), day("2024-03-15"));
    }

    #[test]
    fn the_sentinel_of_partner_data_is_read_and_does_not_overflow() {
        let sentinel = day("9999-12-10T00:00:00Z");
        assert_eq!(sentinel.to_string(), "9999-12-10");
        assert_eq!(sentinel.plus_months(12, 10), Timestamp::MAX.date());
        assert_eq!(sentinel.plus_days(90), Timestamp::MAX.date());
    }

    #[test]
    fn the_last_day_that_can_be_written_is_read_as_well() {
        let last = Timestamp::MAX.date();
        assert_eq!(last.to_string(), "9999-12-31");
        for text in [
            "9999-12-31",
            "9999-12-31T00:00:00Z",
            "9999-12-31T23:00:00+02:00",
        ] {
            assert_eq!(day(text), last);
        }
        for text in [
            "9999-12-31T23:59:59.999999Z",
            "1969-07-20T20:17:40Z",
            "2024-03-11T09:42:07.5Z",
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
        let cut = Timestamp::parse("9999-12-31T23:59:59-05:00");
        assert_eq!(cut, Some(Timestamp::MAX));
        assert_eq!(Timestamp::parse("9999-12-31T23:59:59"), None);
    }

    #[test]
    fn the_form_says_the_precision_and_survives_a_round_trip() {
        for text in [
            "2024-03",
            "2024-03-11",
            "2024-03-11T09:42Z",
            "2024-03-11T09:42:07Z",
        ] {
            let occurred = Occurred::parse(text).unwrap();
            assert_eq!(occurred.to_string(), text);
        }
        let offset = Occurred::parse("2024-03-31T02:30:00+02:00").unwrap();
        assert_eq!(offset.to_string(), "2024-03-31T00:30:00Z");
    }

    #[test]
    fn a_day_and_an_instant_within_it_have_no_known_order() {
        let whole = Occurred::parse("2024-03-11").unwrap();
        let within = Occurred::parse("2024-03-11T09:42:00Z").unwrap();
        let after = Occurred::parse("2024-03-12T00:00:00Z").unwrap();
        assert!(!whole.certainly_before(within) && !within.certainly_before(whole));
        assert!(whole.certainly_before(after));
    }
}
