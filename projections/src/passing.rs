//! What the passing of time alone does to a value: when it changes although nothing happens.

use ledger::time::{Date, Timestamp};

/// A change that no event makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passing<T> {
    /// The first moment at which the new value holds.
    pub at: Timestamp,
    /// The value before.
    pub before: T,
    /// The value from then on.
    pub after: T,
}

/// At most so many changes are looked for; a lifecycle has far fewer.
const CHANGES_MAX: usize = 64;

/// The changes of a value after `from` and up to `to`, in order, exact to a step of the clock.
///
/// `steps` is how fine the clock is, in microseconds: the value is read at `from` plus whole steps,
/// and at `to`. A value that time alone changed has to stay changed, at least until the next change:
/// one that comes back to what it was at `from` within the window is not seen to have gone. All
/// lifecycles of the domain (grace, disabled, deleted, expired) are of this sort.
///
/// Costs two readings, and for every change one reading for each doubling of the window's steps.
pub fn passing<T: PartialEq + Clone>(
    from: Timestamp,
    to: Timestamp,
    step: i64,
    value: &mut dyn FnMut(Timestamp) -> T,
) -> Vec<Passing<T>> {
    let step = step.max(1);
    let moment = |index: i64| {
        let micros = from.as_micros().saturating_add(index.saturating_mul(step));
        Timestamp::from_micros(micros.min(to.as_micros()))
    };
    let window = to.as_micros().saturating_sub(from.as_micros());
    let last = window.div_euclid(step) + i64::from(window.rem_euclid(step) != 0);
    let steps = steps(last, &mut |index| value(moment(index)));
    let changes = steps.into_iter().map(|(index, before, after)| Passing {
        at: moment(index),
        before,
        after,
    });
    changes.collect()
}

/// The changes of a value over the UTC days from an instant on: each with the first day at whose end
/// it is another. What is said of [`passing`] holds of this.
pub fn passing_days<T: PartialEq + Clone>(
    from: Timestamp,
    days: u32,
    value: &mut dyn FnMut(Timestamp) -> T,
) -> Vec<(Date, T, T)> {
    let today = from.date();
    // The end of today is one step away, those of the days after it follow.
    let day = |index: i64| today.plus_days(index - 1);
    let steps = steps(i64::from(days) + 1, &mut |index| match index {
        0 => value(from),
        index => value(end_of(day(index))),
    });
    let changes = steps.into_iter();
    changes
        .map(|(index, before, after)| (day(index), before, after))
        .collect()
}

/// The last moment of a UTC day.
pub fn end_of(day: Date) -> Timestamp {
    Timestamp::from_micros(day.plus_days(1).start().as_micros().saturating_sub(1))
}

/// The changes of a value over steps from 0 to `last`: at which step, from what, to what.
fn steps<T: PartialEq + Clone>(last: i64, value: &mut dyn FnMut(i64) -> T) -> Vec<(i64, T, T)> {
    let mut changes = Vec::new();
    if last <= 0 {
        return changes;
    }
    let end = value(last);
    let mut at = 0;
    let mut now = value(at);
    while now != end && changes.len() < CHANGES_MAX {
        // The value at `same` is still the present one, that at `other` is not.
        let (mut same, mut other, mut next) = (at, last, end.clone());
        while other - same > 1 {
            let middle = same + (other - same) / 2;
            let there = value(middle);
            if there == now {
                same = middle;
            } else {
                other = middle;
                next = there;
            }
        }
        changes.push((other, std::mem::replace(&mut now, next.clone()), next));
        at = other;
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    /// A value that is the number of limits that have passed.
    fn staircase(limits: &[i64], from: i64, to: i64, step: i64) -> Vec<(i64, usize, usize)> {
        let mut value = |when: Timestamp| limits.iter().filter(|l| **l <= when.as_micros()).count();
        let found = passing(at(from), at(to), step, &mut value);
        let plain = found.iter().map(|p| (p.at.as_micros(), p.before, p.after));
        plain.collect()
    }

    #[test]
    fn every_stair_is_found_where_it_is_whatever_the_window() {
        let limits = [3, 7, 8, 20];
        for from in -3..25 {
            for to in from..25 {
                let wanted: Vec<_> = (0..)
                    .zip(limits)
                    .filter(|(_, limit)| from < *limit && *limit <= to)
                    .map(|(index, limit)| (limit, index, index + 1))
                    .collect();
                assert_eq!(staircase(&limits, from, to, 1), wanted, "{from} to {to}");
            }
        }
    }

    #[test]
    fn a_coarser_clock_tells_the_first_step_at_which_the_value_is_another() {
        assert_eq!(staircase(&[7], 0, 25, 10), [(10, 0, 1)]);
        assert_eq!(staircase(&[7, 8], 0, 25, 10), [(10, 0, 2)]);
        assert_eq!(staircase(&[23], 0, 25, 10), [(25, 0, 1)]);
        assert_eq!(staircase(&[26], 0, 25, 10), []);
        assert_eq!(staircase(&[1], 5, 5, 10), []);
    }

    #[test]
    fn days_are_told_from_today_to_the_last_one_and_not_beyond() {
        let noon = Timestamp::parse("2024-03-11T12:00:00Z").unwrap();
        let told = |limit: &str, days| {
            let limit = Timestamp::parse(limit).unwrap();
            let found = passing_days(noon, days, &mut |when| when >= limit);
            found.first().map(|(on, _, _)| on.to_string())
        };
        for (limit, on) in [
            ("2024-03-11T11:59:59Z", None),
            ("2024-03-11T12:00:01Z", Some("2024-03-11")),
            ("2024-03-12T00:00:00Z", Some("2024-03-12")),
            ("2024-03-14T23:59:59Z", Some("2024-03-14")),
            ("2024-03-15T00:00:00Z", None),
        ] {
            assert_eq!(told(limit, 3).as_deref(), on, "{limit}");
        }
    }
}
