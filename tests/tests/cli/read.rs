//! Reading: what is listed, shown and found, in every format, and how a command ends.

use crate::desk::{Desk, tenant, tenants};
use std::io::{BufRead, BufReader};

const KEY: &str = "QQQQQ-WWWWW-RRRRR-TTTTT-YYYY7";

fn desk() -> Desk {
    let desk = Desk::new();
    let issued = format!(
        "{{\"kind\":\"KeyIssued\",\"occurred_at\":\"2024-03-05T08:00:00Z\",\"source\":{{\"system\":\"vlsc\",\"record\":\"k1\"}},\"data\":{{\"key\":\"{KEY}\",\"license_id\":\"88213345\",\"order\":\"PO-77\",\"line\":1}}}}\n"
    );
    let verified = "{\"kind\":\"DomainVerified\",\"occurred_at\":\"2024-03-12\",\"source\":{\"system\":\"graph\",\"record\":\"d1\"},\"data\":{\"tenant\":\"t1.onmicrosoft.example\",\"domain\":\"contoso.example\"}}\n";
    desk.file(
        "events.jsonl",
        format!("{}{issued}{verified}", tenants(0..3)),
    );
    desk.run(&["import", "events.jsonl"]).ok();
    desk
}

#[test]
fn the_log_is_listed_whole_or_by_subject_or_kind_and_in_parts() {
    let desk = desk();
    let count = |more: &[&str]| {
        let arguments = [&["log", "--format", "jsonl"], more].concat();
        desk.run(&arguments).ok().lines().count()
    };
    assert_eq!(count(&[]), 6);
    assert_eq!(count(&["--subject", "tenant:t1.onmicrosoft.example"]), 2);
    assert_eq!(
        count(&[
            "--subject",
            "tenant:T1.onmicrosoft.example",
            "--kind",
            "DomainVerified"
        ]),
        1
    );
    assert_eq!(count(&["--subject", &format!("key:{KEY}")]), 1);
    assert_eq!(count(&["--kind", "TenantCreated"]), 3);
    assert_eq!(count(&["--after", "4"]), 2);
    assert_eq!(count(&["--limit", "2"]), 2);
    assert_eq!(count(&["--as-of", "4"]), 4);
    assert_eq!(count(&["--as-of", "2000-01-01"]), 0);
    assert_eq!(count(&["--as-of", "2999-01-01"]), 6);
    let document = desk.run(&["log", "--format", "json"]).json();
    assert_eq!(document["schema"], "actl.log/1");
    assert_eq!(document["events"].as_array().map(Vec::len), Some(6));
    let none = desk
        .run(&["log", "--format", "json", "--after", "9"])
        .json();
    assert_eq!(none["events"].as_array().map(Vec::len), Some(0));
    let table = desk.run(&["log"]).ok();
    let issued = table
        .lines()
        .find(|line| line.contains("KeyIssued"))
        .unwrap();
    assert!(
        issued.contains("key:…YYYY7") && issued.contains("agreement:88213345"),
        "{table}"
    );
}

#[test]
fn one_event_is_shown_by_its_position_or_its_id() {
    let desk = desk();
    let by_position = desk.run(&["show", "4", "--format", "json"]).json();
    assert_eq!(by_position["kind"], "KeyIssued");
    let id = by_position["id"].as_str().unwrap();
    assert_eq!(
        desk.run(&["show", id, "--format", "json"]).json(),
        by_position
    );
    let page = desk.run(&["show", id]).ok();
    assert!(page.contains("data.license_id"), "{page}");
    desk.run(&["show", "99"])
        .failed(2, &["no such event", "last position is 6"]);
    desk.run(&["show", "0"]).failed(2, &["neither"]);
    desk.run(&["show", "x"]).failed(2, &["neither"]);
    desk.run(&["show", &"0".repeat(32)])
        .failed(2, &["no such event"]);
}

#[test]
fn things_are_found_by_whatever_is_at_hand() {
    let desk = desk();
    let found = |text: &str| {
        let answer = desk.run(&["find", text, "--format", "json"]).json();
        let found = answer["found"].as_array().unwrap().clone();
        let kinds = found
            .iter()
            .map(|one| one["kind"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(found("yyyy7"), ["key"]);
    assert_eq!(found(KEY), ["key"]);
    assert_eq!(found("88213345"), ["agreement"]);
    assert_eq!(found("PO-77"), ["order"]);
    assert_eq!(found("t2.onmicrosoft.example"), ["tenant"]);
    assert_eq!(found("onmicrosoft"), ["tenant", "tenant", "tenant"]);
    assert_eq!(found("contoso.example"), ["tenant"]);
    assert!(found("nobody@contoso.example").is_empty());
    assert!(found("zzzzz").is_empty());
    let table = desk.run(&["find", "88213345"]).ok();
    assert!(
        table.contains("agreement:88213345") && table.contains("events"),
        "{table}"
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let desk = Desk::new();
    desk.file("events.jsonl", tenants(0..3000));
    desk.run(&["import", "events.jsonl"]).ok();
    let mut child = desk.command(&["log"]).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn wrong_arguments_help_and_version_end_as_they_should() {
    let desk = Desk::new();
    for arguments in [
        &["nonsense"][..],
        &[],
        &["log", "--limit", "x"],
        &["import"],
    ] {
        let ran = desk.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:#?}");
        assert!(!ran.err.is_empty());
    }
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["import", "--help"],
        &["help", "log"],
    ] {
        let ran = desk.run(arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:#?}");
    }
    let schema = desk.run(&["schema", "events"]).json();
    assert_eq!(schema["title"], "Activation ledger event");
}

#[test]
fn messages_are_coloured_only_when_asked_for() {
    let desk = Desk::new();
    let coloured = |arguments: &[&str]| desk.run(arguments).err.contains('\u{1b}');
    assert!(!coloured(&["log"]));
    assert!(coloured(&["log", "--color", "always"]));
    assert!(!coloured(&["log", "--color", "never"]));
    desk.file("events.jsonl", tenant(1));
    assert!(!desk.run(&["import", "events.jsonl"]).err.contains('\u{1b}'));
}

#[test]
fn a_simulated_history_can_be_imported_and_is_the_same_every_time() {
    let desk = Desk::new();
    let simulate = [
        "simulate",
        "--seed",
        "7",
        "--customers",
        "2",
        "--months",
        "4",
    ];
    let lines = desk.run(&simulate).ok();
    assert_eq!(desk.run(&simulate).ok(), lines);
    let answer = desk
        .run_with(&["import", "-", "--format", "json"], lines.as_bytes())
        .json();
    assert_eq!(answer["refused"], 0);
    assert_eq!(answer["appended"], lines.lines().count());
    desk.run(&["simulate", "--start", "soon"])
        .failed(2, &["no day"]);
}
