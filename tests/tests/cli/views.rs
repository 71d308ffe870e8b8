//! Views as people ask for them: lists, pages, counts, why, the sweep, and what is said to whoever
//! misspells something.

use crate::desk::Desk;

const PARTNER_STORY: &str = "partner-mixes-up-two-customers";

fn desk() -> Desk {
    let desk = Desk::new();
    let story = tests::story::folder()
        .join(PARTNER_STORY)
        .join("events.jsonl");
    desk.file("events.jsonl", std::fs::read(story).expect("a story"));
    desk.run(&["import", "events.jsonl"]).ok();
    desk
}

#[test]
fn a_list_goes_on_from_its_cursor_and_from_no_other() {
    let desk = desk();
    let list = |more: &[&str]| {
        let arguments = [
            &["tenant", "--valid-at", "2023-03-01", "--format", "json"],
            more,
        ]
        .concat();
        desk.run(&arguments)
    };
    let all = list(&[]).json();
    assert_eq!(all["schema"], "actl.list/1");
    assert_eq!(all["rows"].as_array().map(Vec::len), Some(3));
    assert!(all["next"].is_null());
    let first = list(&["--limit", "2"]).json();
    let cursor = first["next"].as_str().expect("there are more").to_owned();
    let go_on = |kind: &str, more: &[&str]| {
        let arguments = [&[kind, "--format", "json", "--cursor", &cursor], more].concat();
        desk.run(&arguments)
    };
    // Another tenant comes to be meanwhile; the second page does not know of it.
    desk.file("more.jsonl", crate::desk::tenant(9));
    desk.run(&["import", "more.jsonl"]).ok();
    let second = go_on("tenant", &["--limit", "2"]).json();
    assert_eq!(second["position"], first["position"]);
    assert_eq!(second["valid_at"], first["valid_at"]);
    let rows = |page: &serde_json::Value| page["rows"].as_array().cloned().unwrap_or_default();
    assert_eq!([rows(&first), rows(&second)].concat(), rows(&all));
    go_on("seat", &[]).failed(2, &["cannot go on from that cursor"]);
    go_on("tenant", &["--where", "seats>1"]).failed(2, &["cannot go on from that cursor"]);
    assert_eq!(go_on("tenant", &["--valid-at", "2023-01-01"]).code, 2);
}

#[test]
fn misspelled_fields_words_and_ids_are_answered_with_what_was_meant() {
    let desk = desk();
    let asked = |filter: &str| desk.run(&["subscription", "--where", filter]);
    asked("sate=Grace").failed(2, &["has no field sate", "did you mean state?"]);
    asked("state=Grase").failed(2, &["did you mean Grace?"]);
    asked("seats~3").failed(2, &["its operators are: = != < <= > >="]);
    asked("seats").failed(2, &["has no operator"]);
    asked("end<soon").failed(2, &["a day (2024-03-11)"]);
    asked("jo@contoso.example=1").failed(2, &["cannot ask for that field"]);
    let tenant = "ormskirktimber.onmicrosoft.exampel";
    desk.run(&["tenant", tenant])
        .failed(2, &["did you mean ormskirktimber.onmicrosoft.example"]);
    desk.run(&[
        "tenant",
        "ormskirktimber.onmicrosoft.example",
        "--why",
        "seet",
    ])
    .failed(2, &["did you mean seats?"]);
    assert_eq!(desk.run(&["tenant", "--why", "seats"]).code, 2);
}

#[test]
fn an_empty_store_lists_nothing_and_says_so_in_every_format() {
    let desk = Desk::new();
    desk.run(&["init"]).ok();
    assert_eq!(desk.run(&["tenant", "--format", "jsonl"]).ok(), "");
    let none = desk.run(&["tenant", "--format", "json"]).json();
    assert_eq!(none["rows"].as_array().map(Vec::len), Some(0));
    let count = desk.run(&["order", "--count", "--format", "json"]).json();
    assert_eq!(count["rows"], 0);
    assert_eq!(desk.run(&["worklist"]).ok(), "nothing waits\n");
    assert_eq!(desk.run(&["coverage"]).ok(), "no evidence is held\n");
    assert!(desk.run(&["forecast"]).ok().contains("nothing ends"));
    desk.run(&["tenant", "x"])
        .failed(2, &["no event names this tenant"]);
}

#[test]
fn a_sweep_marks_what_went_elsewhere_and_ends_with_one() {
    let desk = desk();
    let sweep = |more: &[&str]| {
        let arguments = [
            &["redemption", "--valid-at", "2023-03-01", "--format", "json"],
            more,
        ]
        .concat();
        desk.run(&arguments)
    };
    for by in [
        &["--partner", "P-427829"][..],
        &["--session", "s-222369"],
        &["--since", "2023-02"],
    ] {
        let ran = sweep(by);
        assert_eq!(ran.code, 1, "{ran:#?}");
        let answer: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        let swept = answer["redemptions"].as_array().expect("a list");
        let told: Vec<_> = swept
            .iter()
            .map(|one| (one["redemption"].as_str(), one["elsewhere"].as_bool()))
            .collect();
        assert_eq!(
            told,
            [
                (Some("rd-667149"), Some(false)),
                (Some("rd-393744"), Some(true))
            ]
        );
        assert_eq!(
            swept[1]["expected"]["tenants"][0],
            "wexcombedental.onmicrosoft.example"
        );
    }
    assert_eq!(sweep(&["--until", "2023-01"]).code, 0);
    sweep(&["--partner", "P-427828"]).failed(2, &["did you mean P-427829?"]);
}

#[test]
fn why_names_the_events_and_their_sources() {
    let desk = desk();
    let answer = desk
        .run(&[
            "redemption",
            "rd-393744",
            "--why",
            "tenant",
            "--valid-at",
            "2023-03-01",
            "--format",
            "json",
        ])
        .json();
    assert_eq!(answer["value"], "ormskirktimber.onmicrosoft.example");
    assert_eq!(answer["exact"], true);
    let kinds: Vec<_> = answer["changes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|change| {
            change["event"]["kind"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    assert_eq!(kinds, ["KeysRedeemed"]);
    let table = desk.run(&[
        "redemption",
        "rd-393744",
        "--why",
        "tenant",
        "--valid-at",
        "2023-03-01",
    ]);
    assert!(table.ok().contains("admin-center:ac-tollgate-"));
}
