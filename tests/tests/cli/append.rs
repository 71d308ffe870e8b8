//! Appending one event under conditions: all of them hold, or nothing happens.

use crate::desk::{Desk, tenant};

#[test]
fn an_event_is_appended_once_and_its_receipt_stays_the_same() {
    let desk = Desk::new();
    let event = tenant(1);
    let append = ["append", "--format", "json"];
    let first = desk.run_with(&append, event.as_bytes()).json();
    assert_eq!(
        (&first["position"], &first["appended"]),
        (&1.into(), &1.into())
    );
    desk.run_with(&append, tenant(2).as_bytes()).json();
    let again = desk.run_with(&append, event.as_bytes()).json();
    assert_eq!(
        (&again["position"], &again["known"]),
        (&1.into(), &1.into())
    );
    assert_eq!(again["recorded_at"], first["recorded_at"]);
    assert_eq!(again["event"], first["event"]);
    let shown = desk.run(&["append", &event]).ok();
    assert!(
        shown.contains("known already") && shown.contains("position  1"),
        "{shown}"
    );
}

#[test]
fn a_condition_that_does_not_hold_refuses_the_event_with_exit_code_4() {
    let desk = Desk::new();
    let subject = "tenant:t1.onmicrosoft.example";
    let absent = ["append", "--expect-absent", subject];
    desk.run_with(&absent, tenant(1).as_bytes()).ok();
    let other = tenant(1).replace("\"r1\"", "\"r1b\"");
    let other = other.as_bytes();
    desk.run_with(&absent, other)
        .failed(4, &[subject, "revision 1"]);
    let revision = format!("{subject}@0");
    desk.run_with(&["append", "--expect", &revision], other)
        .failed(4, &["revision 1, not 0"]);
    let position = format!("{subject}@0");
    let unchanged = ["append", "--expect-unchanged", &position];
    desk.run_with(&unchanged, other)
        .failed(4, &["changed since position 0"]);
    let log = desk.run(&["log", "--format", "jsonl"]).ok();
    assert_eq!(log.lines().count(), 1);
    let revision = format!("{subject}@1");
    let position = format!("{subject}@1");
    let both = [
        "append",
        "--expect",
        &revision,
        "--expect-unchanged",
        &position,
    ];
    desk.run_with(&both, other).ok();
}

#[test]
fn persons_and_keys_can_be_named_in_clear_in_a_condition() {
    let desk = Desk::new();
    let person = "\"actor\":{\"kind\":\"Customer\",\"person\":\"jo@contoso.example\"},\"data\"";
    let event = tenant(1).replace("\"data\"", person);
    desk.run_with(&["append"], event.as_bytes()).ok();
    let other = tenant(2);
    let expect = ["append", "--expect", "person:jo@contoso.example@0"];
    let ran = desk.run_with(&expect, other.as_bytes());
    ran.failed(4, &["person:", "revision 1, not 0"]);
    assert!(!ran.err.contains("jo@"), "{ran:#?}");
    let expect = ["append", "--expect", "person:jo@contoso.example@1"];
    desk.run_with(&expect, other.as_bytes()).ok();
}

#[test]
fn an_event_that_cannot_be_read_makes_no_store() {
    let desk = Desk::new();
    let good = tenant(1);
    for (event, parts) in [
        ("", ["not JSON", "whole JSON object"]),
        ("{", ["not JSON", "whole JSON object"]),
        ("{}", ["line 1, column 1", "missing"]),
        (
            &good.replace("SignUpChoice", "X"),
            ["column 150", "data.created_via"],
        ),
    ] {
        desk.run_with(&["append"], event.as_bytes())
            .failed(2, &parts);
    }
    let condition = ["append", "--expect", "nonsense"];
    desk.run_with(&condition, good.as_bytes())
        .failed(2, &["SUBJECT@NUMBER"]);
    let condition = ["append", "--expect-absent", "tennant:x"];
    desk.run_with(&condition, good.as_bytes())
        .failed(2, &["KIND:ID", "tenant"]);
    assert!(desk.names().is_empty());
}
