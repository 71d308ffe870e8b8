//! Points in time as they are given on the command line.

use crate::error::Failure;
use ledger::event::Event;
use ledger::id::Position;
use ledger::time::{Occurred, Timestamp};

const TIME_FORMS: &str = "write an instant with its offset (2024-03-11T09:42:00Z), a minute (2024-03-11T09:42Z), a day (2024-03-11) or a month (2024-03); a day or a month means its last moment";

/// A point on the recorded axis: what the ledger had taken in by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// Everything up to and with this position.
    Position(Position),
    /// Everything that was recorded at this instant or before.
    Time(Timestamp),
}

impl AsOf {
    /// Reads a position (digits alone) or a time.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let text = text.trim();
        if text.bytes().all(|b| b.is_ascii_digit())
            && let Ok(position) = text.parse()
        {
            return Ok(Self::Position(Position(position)));
        }
        last_moment(text).map(Self::Time).ok_or_else(|| {
            Failure::new(
                "cannot read --as-of",
                "it is neither a position nor a time",
                format!("a position is a whole number; for a time {TIME_FORMS}"),
            )
        })
    }

    /// Whether an event had been recorded by then.
    pub fn includes(self, event: &Event) -> bool {
        match self {
            Self::Position(position) => event.position <= position,
            Self::Time(time) => event.recorded_at <= time,
        }
    }
}

/// Reads a point on the valid axis: what had happened by then.
pub fn valid_at(text: &str) -> Result<Timestamp, Failure> {
    last_moment(text.trim())
        .ok_or_else(|| Failure::new("cannot read --valid-at", "it is no time", TIME_FORMS))
}

/// Reads a time as the interval that it means: an instant, a minute, a day or a month.
pub fn interval(text: &str) -> Result<Occurred, Failure> {
    Occurred::parse(text.trim())
        .ok_or_else(|| Failure::new("cannot read a time", "it is no time", TIME_FORMS))
}

fn last_moment(text: &str) -> Option<Timestamp> {
    Occurred::parse(text).map(Occurred::last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_a_position_and_everything_else_is_a_time() {
        assert_eq!(AsOf::parse("12").ok(), Some(AsOf::Position(Position(12))));
        let day = AsOf::parse("2024-03-11").ok();
        let end = Timestamp::parse("2024-03-11T23:59:59.999999Z").map(AsOf::Time);
        assert_eq!(day, end);
        for wrong in ["", "yesterday", "2024-13-01", "-1"] {
            assert!(AsOf::parse(wrong).is_err(), "{wrong}");
            assert!(valid_at(wrong).is_err(), "{wrong}");
        }
    }
}
