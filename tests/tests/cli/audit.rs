//! The audit's commands: what is shown, what a decision does to a finding, and that the same evidence
//! keeps it and other evidence opens it again.

use crate::desk::{Desk, tenants};
use serde_json::Value;

const STORY: &str = "partner-redeems-into-its-own-tenant";
const JUDGE: &str = "wanda.okafor@distributor.example";

fn story(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    std::fs::read_to_string(folder.join(name).join("events.jsonl")).expect("the story is there")
}

fn imported(text: &str) -> Desk {
    let desk = Desk::new();
    desk.file("events.jsonl", text);
    desk.run(&["import", "events.jsonl"]).ok();
    desk
}

/// The findings that the audit of the store shows, and its exit code.
fn findings(desk: &Desk, more: &[&str]) -> (Vec<Value>, i32) {
    let ran = desk.run(&[&["audit", "replay", "--format", "jsonl"], more].concat());
    let lines = ran.out.lines();
    let values = lines.map(|line| serde_json::from_str(line).expect("a finding"));
    (values.collect(), ran.code)
}

fn state(desk: &Desk) -> String {
    let (findings, _) = findings(desk, &[]);
    assert_eq!(findings.len(), 1);
    findings[0]["state"].as_str().expect("a state").to_owned()
}

#[test]
fn a_decision_holds_while_the_evidence_is_the_same_and_is_open_again_when_it_changes() {
    let text = story(STORY);
    let desk = imported(&text);
    let (found, code) = findings(&desk, &[]);
    assert_eq!((found.len(), code), (1, 1));
    let id = found[0]["id"].as_str().expect("an id");
    let decide = |what: &str| {
        let arguments = [
            "audit",
            what,
            id,
            "--by",
            JUDGE,
            "--reason",
            "asked the customer",
        ];
        desk.run(&[&arguments[..], &["--format", "json"]].concat())
            .json()
    };
    let first = decide("confirm");
    assert_eq!(first["recorded"], "recorded");
    assert_eq!(first["evidence_digest"], found[0]["evidence_digest"]);
    assert_eq!(state(&desk), "Confirmed");
    assert_eq!(decide("confirm")["recorded"], "recorded already");
    assert_eq!(decide("dismiss")["recorded"], "recorded");
    assert_eq!(state(&desk), "Dismissed");
    // The same sources once more are no other evidence.
    desk.run(&["import", "events.jsonl"]).ok();
    assert_eq!(state(&desk), "Dismissed");
    // Another system reports the redemption as well.
    let redeemed = text
        .lines()
        .find(|line| line.contains("\"KeysRedeemed\""))
        .expect("a line");
    let mut again: Value = serde_json::from_str(redeemed).expect("JSON");
    again["source"] = serde_json::json!({ "system": "second-portal", "record": "sp-1" });
    desk.run_with(&["append"], again.to_string().as_bytes())
        .ok();
    assert_eq!(state(&desk), "Reopened");
    // Who decided is sealed, and no answer has it.
    let log = desk.run(&["log", "--format", "jsonl"]).ok();
    assert!(log.contains("FindingDismissed") && !log.contains("wanda.okafor"));
}

#[test]
fn a_decision_needs_a_finding_an_address_and_a_reason() {
    let desk = imported(&story(STORY));
    let decide = |id: &str, by: &str, reason: &str| {
        desk.run(&["audit", "confirm", id, "--by", by, "--reason", reason])
    };
    let (found, _) = findings(&desk, &[]);
    let id = found[0]["id"].as_str().expect("an id");
    decide("F-NOTHING", JUDGE, "why").failed(2, &["no such finding"]);
    decide(id, "nobody", "why").failed(2, &["is no address"]);
    decide(id, JUDGE, " ").failed(2, &["needs a reason"]);
    assert_eq!(state(&desk), "Open");
}

#[test]
fn what_is_shown_can_be_chosen_and_the_exit_code_follows() {
    let desk = imported(&format!("{}{}", story(STORY), story("mail-nobody-opened")));
    let codes = |more: &[&str]| {
        let (found, code) = findings(&desk, more);
        let codes = found
            .iter()
            .flat_map(|one| one["codes"].as_array().cloned().expect("codes"));
        let codes: Vec<String> = codes
            .map(|code| code.as_str().expect("text").to_owned())
            .collect();
        (codes.join(" "), code)
    };
    let at = ["--valid-at", "2021-12-01"];
    let with = |more: &[&'static str]| codes(&[&at[..], more].concat());
    assert_eq!(with(&[]), ("WTR006 EML003 EML004".to_owned(), 1));
    assert_eq!(with(&["--select", "wtr"]), ("WTR006".to_owned(), 1));
    assert_eq!(
        with(&["--select", "EML004,INV"]),
        ("EML003 EML004".to_owned(), 1)
    );
    assert_eq!(with(&["--ignore", "EML"]), ("WTR006".to_owned(), 1));
    assert_eq!(with(&["--ignore", "EML,WTR"]), (String::new(), 0));
    assert_eq!(
        with(&["--min-severity", "critical"]),
        ("WTR006".to_owned(), 1)
    );
    assert_eq!(with(&["--min-confidence", "0.99"]), (String::new(), 0));
    assert_eq!(with(&["--since", "2021-08-01"]), ("WTR006".to_owned(), 1));
    for wrong in [
        ["--select", "XYZ"],
        ["--ignore", ""],
        ["--min-confidence", "2"],
        ["--min-severity", "bad"],
        ["--since", "soon"],
    ] {
        desk.run(&[&["audit", "replay"], &wrong[..]].concat())
            .failed(2, &[]);
    }
}

#[test]
fn a_walk_shows_what_each_event_changed_which_rules_woke_and_why_the_others_did_not() {
    let desk = imported(&story(STORY));
    let walk = |more: &[&str]| {
        let arguments = [
            "audit",
            "replay",
            "--subject",
            "agreement:19510955",
            "--step",
        ];
        desk.run(&[&arguments[..], more].concat())
    };
    let whole = walk(&["--format", "json"]);
    assert_eq!(whole.code, 1);
    let whole: Value = serde_json::from_str(&whole.out).expect("JSON");
    let steps = whole["steps"].as_array().expect("steps");
    let kind = |kind: &str| {
        let of = |step: &&Value| step["events"][0]["kind"] == kind;
        steps.iter().find(of).expect("a step")
    };
    let ordered = kind("OrderPlaced")["changes"].as_array().expect("changes");
    assert!(
        ordered
            .iter()
            .any(|one| one["field"] == "state" && one["after"] == "Ordered")
    );
    let answers = kind("KeysRedeemed")["answers"].as_array().expect("answers");
    let woke: Vec<&str> = answers
        .iter()
        .filter(|one| one["woke"] == true)
        .filter_map(|one| one["code"].as_str())
        .collect();
    assert_eq!(woke, ["WTR006"]);
    let silent = answers
        .iter()
        .find(|one| one["code"] == "WTR010")
        .expect("an answer");
    assert_eq!(silent["why"], "nobody signed up");
    // Up to the order nothing has landed, and no rule wakes.
    let placed = kind("OrderPlaced")["events"][0]["event"]
        .as_str()
        .expect("an id");
    let before = walk(&["--until", placed, "--format", "json"]);
    assert_eq!(before.code, 0);
    let before: Value = serde_json::from_str(&before.out).expect("JSON");
    let count = before["steps"].as_array().map(Vec::len);
    assert_eq!(
        count,
        steps
            .iter()
            .position(|one| one == kind("OrderPlaced"))
            .map(|at| at + 1)
    );
    walk(&["--until", "zz"]).failed(2, &["no event id"]);
}

/// What the kept findings and a replay of the same store say, in two forms.
fn both(desk: &Desk, valid_at: &str) -> [(String, i32); 2] {
    ["audit", "audit replay"].map(|command| {
        let asked = command.split(' ').collect::<Vec<_>>();
        let run = |format: &str| {
            let more = ["--valid-at", valid_at, "--all", "--format", format];
            desk.run(&[&asked[..], &more].concat())
        };
        let (text, json) = (run("table"), run("json"));
        assert_eq!(text.code, json.code);
        (format!("{}{}", text.out, json.out), text.code)
    })
}

#[test]
fn what_is_kept_says_the_same_as_a_replay_after_every_import_and_when_it_is_deleted() {
    let stories = [
        STORY,
        "machine-overdue-beside-others",
        "mail-nobody-opened",
        "agreement-in-two-tenants",
        "open-redeemed-right",
    ];
    let desk = Desk::new();
    let valid_at = "2026-01-01T00:00:00Z";
    for (number, name) in stories.iter().enumerate() {
        let file = format!("{number}.jsonl");
        desk.file(&file, story(name));
        desk.run(&["import", &file]).ok();
        let [kept, replayed] = both(&desk, valid_at);
        assert_eq!(kept, replayed, "after {name}");
        assert_eq!(kept.1, 1);
    }
    let findings = desk.path("activation-ledger").join("findings");
    assert!(findings.is_dir(), "nothing is kept");
    std::fs::remove_dir_all(&findings).expect("they can be removed");
    let [kept, replayed] = both(&desk, valid_at);
    assert_eq!(kept, replayed, "made again");
    // What is kept cannot go back, and is not taken along to where nobody is yet.
    for other in [
        "2024-03-12T00:00:00Z",
        "2199-01-01T00:00:00Z",
        "2026-01-02T00:00:00Z",
    ] {
        let [kept, replayed] = both(&desk, other);
        assert_eq!(kept, replayed, "at {other}");
    }
}

#[test]
fn a_log_of_which_much_is_new_is_replayed_until_it_is_taken_in_once() {
    let desk = Desk::new();
    desk.file("events.jsonl", tenants(0..5_001));
    desk.run(&["import", "events.jsonl"]).ok();
    let replayed = desk.run(&["audit"]);
    assert!(
        replayed.err.contains("the log is replayed"),
        "{replayed:#?}"
    );
    let kept = desk.run(&["audit", "keep", "--format", "json"]).json();
    assert_eq!(
        (&kept["taken_in"], &kept["up_to"]),
        (&5_002.into(), &5_002.into())
    );
    let answered = desk.run(&["audit"]);
    assert!(!answered.err.contains("replayed"), "{answered:#?}");
    let known = |text: &str| text.lines().filter(|l| !l.contains("valid at")).count();
    assert_eq!(known(&answered.out), known(&replayed.out));
    let again = desk.run(&["audit", "keep", "--format", "json"]).json();
    assert_eq!(again["taken_in"], 0);
}
