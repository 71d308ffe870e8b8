//! Before a redemption: which tenant is expected, whether the session is clean, what would be found.
//! The stories are looked at from just before they go right or wrong.

use crate::desk::Desk;
use serde_json::Value;

fn desk(name: &str) -> Desk {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let text = std::fs::read(folder.join(name).join("events.jsonl")).expect("a story");
    let desk = Desk::new();
    desk.file("events.jsonl", text);
    desk.run(&["import", "events.jsonl"]).ok();
    desk
}

fn judged(desk: &Desk, arguments: &str) -> (Value, i32) {
    let mut all = vec!["preflight", "--format", "json"];
    all.extend(arguments.split_whitespace());
    let ran = desk.run(&all);
    (
        serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:#?}")),
        ran.code,
    )
}

fn codes(answer: &Value) -> Vec<&str> {
    let found = answer["would_find"].as_array().expect("findings");
    let codes = found
        .iter()
        .flat_map(|one| one["codes"].as_array().expect("codes"));
    codes.filter_map(Value::as_str).collect()
}

#[test]
fn the_right_tenant_in_a_fresh_session_is_clean() {
    let desk = desk("open-redeemed-right");
    let log = || desk.run(&["log", "--format", "jsonl"]).ok();
    let before = log();
    let (answer, code) = judged(
        &desk,
        "--agreement 86364389 --tenant larkfieldceramics.onmicrosoft.example --session s-469604 \
         --person jo.hallam@larkfield.example --valid-at 2024-03-11T09:30:00Z",
    );
    assert_eq!(
        (&answer["clean"], code),
        (&Value::Bool(true), 0),
        "{answer:#}"
    );
    assert_eq!(answer["verdict"], "as_expected");
    assert_eq!(
        answer["expected"]["tenant"],
        "larkfieldceramics.onmicrosoft.example"
    );
    assert_eq!(answer["session"]["known"], true);
    assert_eq!(before, log(), "a preflight records nothing");
}

#[test]
fn a_partners_own_tenant_is_warned_about_before_it_happens() {
    let desk = desk("partner-redeems-into-its-own-tenant");
    let (answer, code) = judged(
        &desk,
        "--agreement 19510955 --tenant sundewit.onmicrosoft.example --session s-963264 \
         --valid-at 2021-09-09T13:45:00Z",
    );
    assert_eq!((&answer["clean"], code), (&Value::Bool(false), 1));
    assert_eq!(
        answer["expected"]["tenant"],
        "kestrelmarine.onmicrosoft.example"
    );
    assert!(codes(&answer).contains(&"WTR006"), "{answer:#}");
    let silent = answer["silent"].as_array().expect("silent rules");
    assert!(
        silent
            .iter()
            .all(|one| one["why"].as_str().is_some_and(|why| !why.is_empty()))
    );
}

#[test]
fn a_session_that_served_another_agreement_is_not_clean_even_for_the_right_tenant() {
    let desk = desk("partner-mixes-up-two-customers");
    let at = "--agreement 25307887 --session s-222369 --valid-at 2023-02-10T10:24:00Z";
    let (wrong, code) = judged(
        &desk,
        &format!("{at} --tenant ormskirktimber.onmicrosoft.example"),
    );
    assert_eq!(code, 1);
    assert!(codes(&wrong).contains(&"WTR001"), "{wrong:#}");
    let (right, code) = judged(
        &desk,
        &format!("{at} --tenant wexcombedental.onmicrosoft.example"),
    );
    assert_eq!((&right["verdict"], code), (&Value::from("as_expected"), 1));
    let against = right["session"]["against"].as_array().expect("reasons");
    assert!(!against.is_empty(), "{right:#}");
    assert!(codes(&right).is_empty(), "{right:#}");
}

#[test]
fn what_is_not_in_the_record_is_refused_or_said() {
    let desk = desk("open-redeemed-right");
    let unknown = [
        "preflight",
        "--agreement",
        "11111111",
        "--tenant",
        "t.onmicrosoft.example",
    ];
    desk.run(&unknown).failed(2, &["11111111"]);
    let (answer, code) = judged(
        &desk,
        "--agreement 86364389 --tenant larkfieldceramics.onmicrosoft.example --session s-none \
         --valid-at 2024-03-11T09:30:00Z",
    );
    assert_eq!(
        (&answer["session"]["known"], code),
        (&Value::Bool(false), 0)
    );
}
