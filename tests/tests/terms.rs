//! Terms and seats as laws: whatever was redeemed, and whatever of it was reversed, a subscription is
//! what its other redemptions alone would have made of it. End dates are computed, never restored.

use ledger::time::Date;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value, json};
use tests::arbitrary::Dice;
use tests::told::Told;

/// What was done on a day.
#[derive(Debug, Clone, Copy)]
enum Done {
    Add(u32),
    Renew(u32),
}

/// 29 February 2024, as a number of days after the first one.
const LEAP_DAY: i64 = 424;

/// The day of a number of days after the first one, as the calendar has it.
fn day(number: i64) -> Date {
    Date::new(2023, 1, 1).expect("a day").plus_days(number)
}

fn is_leap(year: i16) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The same day a year later by hand; where February has no such day, its last one.
fn a_year_later(from: Date, anchor: i8) -> Date {
    let date = from.civil().expect("a day");
    let (year, month) = (date.year() + 1, date.month());
    let last = match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    Date::new(year, month, anchor.min(last)).expect("a day")
}

/// The rules of section 6 and of section A, step by step, and nothing else.
fn by_hand(began: i64, done: &[(i64, Done)]) -> (u32, Date) {
    let mut anchor = day(began).day_of_month();
    let mut seats = 50;
    let mut end = a_year_later(day(began), anchor);
    for (on, what) in done {
        match *what {
            Done::Add(more) => seats += more,
            Done::Renew(all) => {
                seats = all;
                // In grace still from the end that it had; after that from the day itself.
                if day(*on) <= end.plus_days(30) {
                    end = a_year_later(end, anchor);
                } else {
                    anchor = day(*on).day_of_month();
                    end = a_year_later(day(*on), anchor);
                }
            }
        }
    }
    (seats, end)
}

fn key(number: usize) -> String {
    format!("TERMS-{number:05}-BCDFG-HJKMP-QR{number:03}")
}

fn line(told: Told, number: usize, on: i64, what: Done) -> Told {
    let (mode, seats) = match what {
        Done::Add(seats) => ("AddKeepEnd", seats),
        Done::Renew(seats) => ("RenewPlus12", seats),
    };
    let at = format!("{}T{:02}:00:00Z", day(on), 1 + number % 20);
    told.and(&at, "KeysRedeemed", json!({
        "redemption": format!("rd-{number}"), "tenant": "a.example", "mode": mode,
        "keys": [{ "key": key(number), "seats": seats }], "effects": [{ "subscription": "sub" }],
    }))
}

fn done() -> impl Strategy<Value = (i64, Done)> {
    let what = prop_oneof![
        (1_u32..50).prop_map(Done::Add),
        (1_u32..200).prop_map(Done::Renew),
    ];
    // Renewed early, one term follows the other; late, a term begins anew.
    (prop_oneof![1_i64..600, 1_i64..2500], what)
}

fn some_of_it() -> impl Strategy<Value = (Vec<(i64, Done)>, Vec<usize>)> {
    prop::collection::vec(done(), 0..8).prop_flat_map(|done| {
        let all: Vec<usize> = (0..done.len()).collect();
        let length = all.len();
        (Just(done), subsequence(all, 0..=length))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_subscription_is_what_the_redemptions_that_stand_make_of_it(
        // Every other one begins on 29 February.
        began in prop_oneof![Just(LEAP_DAY), 0_i64..1200], (mut done, reversed) in some_of_it(), arrival in any::<u64>(),
    ) {
        done.iter_mut().for_each(|(on, _)| *on += began);
        done.sort_by_key(|(on, _)| *on);
        // One redemption a day: what comes first on a day is another law.
        done.dedup_by_key(|(on, _)| *on);
        let mut told = Told::new().and(&format!("{}T00:30:00Z", day(began)), "SubscriptionStarted", json!({
            "subscription": "sub", "tenant": "a.example", "sku": "E3", "seats": 50,
        }));
        for (number, (on, what)) in done.iter().enumerate() {
            told = line(told, number, *on, *what);
        }
        for number in reversed.iter().filter(|number| **number < done.len()) {
            told = told.and("2035-01-01T00:00:00Z", "RedemptionReversed", json!({
                "redemption": format!("rd-{number}"),
                "keys": if number % 2 == 0 { json!([key(*number)]) } else { json!([]) },
            }));
        }
        Dice::new(arrival).shuffle(&mut told.0);
        let standing = done.iter().enumerate().filter(|(number, _)| !reversed.contains(number));
        let standing: Vec<(i64, Done)> = standing.map(|(_, done)| *done).collect();
        let (seats, end) = by_hand(began, &standing);
        let seen = told.view("subscription:sub", "2035-06-01T00:00:00Z");
        prop_assert_eq!(&seen["seats"], &Value::from(seats));
        prop_assert_eq!(&seen["end"], &Value::from(end.to_string()));
        // Before the reversals were known, all of it stood.
        let (seats, end) = by_hand(began, &done);
        let before = told.view("subscription:sub", "2034-06-01T00:00:00Z");
        prop_assert_eq!(&before["seats"], &Value::from(seats));
        prop_assert_eq!(&before["end"], &Value::from(end.to_string()));
    }
}
