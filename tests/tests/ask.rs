//! What people ask on the first day, told again by the obvious way: a forecast is what folding every
//! view at the end of every day shows, a worklist is what a small history leaves open, and coverage is
//! the days that the events name.

use ledger::event::Event;
use ledger::event::json::read_fact;
use ledger::secret::PublicKeyring;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
use projections::ask::coverage::{GAP_DAYS, Gathering, Retention};
use projections::ask::forecast::{Coming, Horizon, forecast};
use projections::ask::worklist::{Job, Patience, worklist};
use projections::passing::end_of;
use projections::view::view;
use projections::{Histories, Point, Seen};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::story;

fn events(facts: &[Value]) -> Vec<Event> {
    let read = |value: &Value| read_fact(value, &mut PublicKeyring).expect("an event");
    story::record(facts.iter().map(read).collect::<Vec<_>>())
}

fn fact(number: usize, kind: &str, at: &str, system: &str, data: Value) -> Value {
    json!({
        "kind": kind, "occurred_at": at,
        "source": { "system": system, "record": format!("r{number}") }, "data": data
    })
}

fn day(text: &str) -> Date {
    Date::parse(text).expect("a day")
}

fn at(text: &str) -> Point {
    Point::valid(Timestamp::parse(text).expect("an instant"))
}

/// The days on which the state of a subject is another at their end than at the end of the day before.
fn turns(histories: &Histories, from: Point, days: i64, subject: &Subject) -> Vec<(Date, Value)> {
    let state = |valid_at| {
        let seen = Seen::new(histories, Point { valid_at, ..from });
        view(&seen, subject).map_or(Value::Null, |view| view["state"].clone())
    };
    let mut now = state(from.valid_at);
    let mut turns = Vec::new();
    for ahead in 0..=days {
        let on = from.valid_at.date().plus_days(ahead);
        let next = state(end_of(on));
        if next != now {
            turns.push((on, next.clone()));
            now = next;
        }
    }
    turns
}

#[test]
fn a_forecast_is_what_folding_every_view_on_every_day_shows() {
    const DAYS: u32 = 130;
    let mut told = BTreeSet::new();
    for story in story::all().into_iter().step_by(5) {
        let events = story::record(story.facts.clone());
        let last = events.iter().map(|event| event.occurred_at.last()).max();
        let point = Point::valid(last.expect("a story has events"));
        let histories = Histories::gather(events);
        let seen = Seen::new(&histories, point);
        let horizon = Horizon {
            days: DAYS,
            healthy_seats: true,
        };
        let found = forecast(&seen, horizon);
        let mut found: Vec<(Subject, Date)> = found
            .ahead
            .into_iter()
            .filter(|ahead| ahead.what != Coming::LinkExpires && ahead.what != Coming::CancelBy)
            .map(|ahead| {
                told.insert(ahead.what);
                (ahead.subject, ahead.on)
            })
            .collect();
        found.sort();
        let mut wanted = Vec::new();
        for (kind, states) in [
            (SubjectKind::Key, &["Void"][..]),
            (SubjectKind::Credit, &["Expired"]),
            (SubjectKind::Seat, &["ExtendedGrace", "Notifications"]),
            (
                SubjectKind::Subscription,
                &["Grace", "Disabled", "TrialExpired", "Deleted"],
            ),
        ] {
            for id in seen.subjects(kind, None, usize::MAX) {
                let subject = Subject::new(kind, id);
                for (on, state) in turns(&histories, point, i64::from(DAYS), &subject) {
                    if states.iter().any(|one| state == *one) {
                        wanted.push((subject.clone(), on));
                    }
                }
            }
        }
        wanted.sort();
        assert_eq!(found, wanted, "{}", story.name);
    }
    assert!(told.contains(&Coming::SeatReduced), "{told:?}");
}

fn ordered(number: usize, order: &str, license_id: &str, at: &str) -> Value {
    fact(
        number,
        "OrderPlaced",
        at,
        "order-desk",
        json!({
            "order": order, "license_id": license_id, "program": "Enterprise", "placed_by": "Vendor",
            "end_customer": "C-1", "lines": [{ "sku": "O365-E3", "kind": "Seats", "seats": 7 }]
        }),
    )
}

#[test]
fn the_worklist_tells_an_order_from_the_day_on_that_its_patience_ends() {
    let histories = Histories::gather(events(&[ordered(1, "PO-1", "L-1", "2024-03-01")]));
    let jobs = |when: &str| {
        let seen = Seen::new(&histories, at(when));
        let found = worklist(&seen, &Patience::default());
        found
            .into_iter()
            .map(|one| (one.job, one.subject.id, one.seats.map(|s| s.0)))
            .collect::<Vec<_>>()
    };
    assert_eq!(jobs("2024-03-07T23:59:59Z"), []);
    let waits = (Job::OrderNotActivated, "PO-1".to_owned(), Some(7));
    assert_eq!(jobs("2024-03-08T00:00:00Z"), [waits]);
}

#[test]
fn a_redemption_of_unknown_outcome_waits_until_its_outcome_is_known() {
    let submitted = fact(
        1,
        "RedemptionSubmitted",
        "2024-03-01T10:00:00Z",
        "vl-portal",
        json!({ "redemption": "rd-1" }),
    );
    let redeemed = fact(
        2,
        "KeysRedeemed",
        "2024-03-04T10:00:00Z",
        "admin-center",
        json!({
            "redemption": "rd-1", "tenant": "a.onmicrosoft.example", "mode": "NewSubscription",
            "keys": [{ "key": "AAAAA-BBBBB-CCCCC-DDDDD-EEEE3", "seats": 5 }]
        }),
    );
    let histories = Histories::gather(events(&[submitted, redeemed]));
    let waits = |when: &str| {
        let seen = Seen::new(&histories, at(when));
        let found = worklist(&seen, &Patience::default());
        found.iter().any(|one| one.job == Job::OutcomeUnknown)
    };
    assert!(!waits("2024-03-02T09:59:59Z"));
    assert!(waits("2024-03-02T10:00:00Z"));
    assert!(waits("2024-03-04T09:59:59Z"));
    assert!(!waits("2024-03-04T10:00:00Z"));
}

#[test]
fn coverage_tells_gaps_and_the_last_day_to_export() {
    let tenant = "a.onmicrosoft.example";
    let observed = |number, on: &str| {
        fact(
            number,
            "DomainVerified",
            on,
            "graph",
            json!({ "tenant": tenant, "domain": "a.example" }),
        )
    };
    let events = events(&[
        observed(1, "2024-01-01"),
        observed(2, "2024-02-01"),
        observed(3, "2024-03-04"),
        ordered(4, "PO-1", "L-1", "2024-03-05"),
    ]);
    let mut gathering = Gathering::default();
    events.iter().for_each(|event| gathering.take(event));
    let histories = Histories::gather(events);
    let kept = Retention {
        name: "graph".to_owned(),
        systems: vec!["graph".to_owned()],
        days: 30,
        from: "this test".to_owned(),
    };
    let held = |when: &str| {
        let seen = Seen::new(&histories, at(when));
        gathering.finish(&seen, std::slice::from_ref(&kept), GAP_DAYS)
    };
    let found = held("2024-03-10T00:00:00Z");
    let of_graph = found
        .covered
        .iter()
        .find(|one| one.system.as_str() == "graph");
    let of_graph = of_graph.expect("graph covers the tenant");
    assert_eq!(of_graph.tenant.as_ref().map(|t| t.as_str()), Some(tenant));
    // 31 days from 1 January to 1 February are no gap, 32 days to 4 March are one.
    assert_eq!(of_graph.gaps, [(day("2024-02-02"), day("2024-03-03"))]);
    let of_desk = found
        .covered
        .iter()
        .find(|one| one.system.as_str() == "order-desk");
    assert_eq!(of_desk.map(|one| one.tenant.clone()), Some(None));
    let source = |found: projections::ask::coverage::Coverage| {
        let mut sources = found.sources.into_iter();
        sources
            .find(|one| one.system.as_str() == "graph")
            .expect("it is held")
    };
    let in_time = source(found);
    assert_eq!(in_time.export_by, Some(day("2024-04-03")));
    assert_eq!(in_time.lost, None);
    assert_eq!(source(held("2024-04-03T12:00:00Z")).lost, None);
    let late = source(held("2024-04-05T12:00:00Z"));
    assert_eq!(late.lost, Some((day("2024-03-04"), day("2024-03-05"))));
}
