//! Diff and compensation from the command line: the wiring, the exit codes, and that no secret is
//! printed.

use crate::desk::{Desk, Ran};

const WRONG: &str = "tenant:halloranfoods.onmicrosoft.example";
const RIGHT: &str = "tenant:fennimorebikes.onmicrosoft.example";
const NEW_KEY: &str = "QWERT-ASDFG-ZXCVB-12345-POIU7";

/// A store that holds the story of the cached credentials up to its mistake, and the finding.
fn mistake() -> (Desk, String) {
    let desk = Desk::new();
    let path = tests::story::folder().join("open-cached-credentials-compensated/events.jsonl");
    let text = std::fs::read_to_string(path).expect("the story can be read");
    let early = text.lines().filter(|line| {
        let value: serde_json::Value = serde_json::from_str(line).expect("an event");
        value["occurred_at"]
            .as_str()
            .is_some_and(|at| at < "2024-03-14T11")
    });
    let early: Vec<&str> = early.collect();
    let file = desk.file("events.jsonl", early.join("\n"));
    assert_eq!(desk.run(&["import", file]).code, 0);
    let audit = desk.run(&["audit", "replay", "--format", "json"]);
    assert_eq!(audit.code, 1, "{audit:#?}");
    let report: serde_json::Value = serde_json::from_str(&audit.out).expect("JSON");
    let finding = report["findings"][0]["id"]
        .as_str()
        .expect("a finding")
        .to_owned();
    (desk, finding)
}

fn apply(desk: &Desk, finding: &str, step: &str, more: &[&str], stdin: &str) -> Ran {
    let source = format!("support:c-{step}");
    let mut arguments = vec![
        "compensate",
        "apply",
        finding,
        "--step",
        step,
        "--occurred-at",
        "2024-03-20T10:00Z",
        "--source",
        &source,
    ];
    arguments.extend(more);
    desk.run_with(&arguments, stdin.as_bytes())
}

#[test]
fn a_compensation_goes_from_plan_to_complete_and_prints_no_secret() {
    let (desk, finding) = mistake();
    let plan = ["compensate", "plan", &finding];
    let mut printed = desk.run(&plan).ok();
    for part in [
        "Who has to agree",
        " 1.  Confirm",
        "NEXT",
        "Exact:",
        "85 seats become 60",
        "61142675ZZE9697",
    ] {
        assert!(printed.contains(part), "{part:?} is missing in:\n{printed}");
    }
    apply(&desk, &finding, "2", &["--case", "SR-1"], "").failed(4, &["waits for step 1"]);
    apply(&desk, &finding, "77", &[], "").failed(2, &["no step 77"]);
    let steps: [(&str, &[&str], &str); 10] = [
        ("1", &["--person", "jo.canary@fennimore.example"], ""),
        ("2", &["--case", "SR-1", "--channel", "Phone"], ""),
        ("3", &["--person", "-"], "mara.quist@fennimore.example"),
        ("5", &[], ""),
        ("6", &[], NEW_KEY),
        ("7", &["--session", "s-new"], ""),
        (
            "8",
            &["--redemption", "rd-new", "--subscription", "sub-new"],
            "",
        ),
        ("10", &[], ""),
        ("11", &[], ""),
        ("12", &[], ""),
    ];
    for (step, more, stdin) in steps {
        let ran = apply(&desk, &finding, step, more, stdin);
        assert_eq!(ran.code, 0, "{ran:#?}");
        printed += &ran.out;
        printed += &ran.err;
        let again = apply(&desk, &finding, step, more, stdin);
        assert!(again.out.contains("recorded already"), "{again:#?}");
    }
    let other = apply(&desk, &finding, "12", &["--residual", "DaysLost"], "");
    other.failed(4, &["recorded already"]);
    printed += &desk.run(&plan).ok();
    assert!(printed.contains("complete"), "{printed}");
    let value = desk
        .run(&["compensate", "plan", &finding, "--format", "json"])
        .json();
    assert_eq!(value["complete"], true);
    assert_eq!(value["proof"]["exact"], true);
    let diff = desk.run(&["diff", WRONG, RIGHT, "--valid-at", "2024-04-01"]);
    assert_eq!(diff.code, 1, "{diff:#?}");
    assert!(
        diff.out.contains("compensated order:PO-4720954"),
        "{}",
        diff.out
    );
    printed += &diff.out;
    for secret in ["canary", "quist", "QWERT", "ASDFG", "D6X7F", "WF3GM"] {
        assert!(!printed.contains(secret), "{secret} was printed");
        for (path, bytes) in desk.files() {
            let own = path.ends_with("events.jsonl");
            let text = String::from_utf8_lossy(&bytes);
            assert!(
                own || !text.contains(secret),
                "{secret} is in {}",
                path.display()
            );
        }
    }
}

#[test]
fn what_is_entangled_or_unknown_is_refused_with_its_exit_code() {
    let (desk, finding) = mistake();
    desk.run(&["compensate", "plan", "F-NOSUCH0"])
        .failed(2, &["F-NOSUCH0"]);
    let late = r#"{"kind":"SeatsReduced","occurred_at":"2024-03-13T10:00:00Z","source":{"system":"admin-center","record":"late"},"data":{"subscription":"sub-fennimore-h","removed":5}}"#;
    desk.run_with(&["append"], late.as_bytes()).ok();
    let plan = ["compensate", "plan", &finding];
    desk.run(&plan)
        .failed(4, &["entangled", "sub-fennimore-h were reduced"]);
}

#[test]
fn a_step_is_refused_if_anything_moved_since_the_position_that_was_planned_from() {
    let (desk, finding) = mistake();
    let plan = desk
        .run(&["compensate", "plan", &finding, "--format", "json"])
        .json();
    let position = plan["as_of"].to_string();
    let role = r#"{"kind":"TenantRoleAssigned","occurred_at":"2024-03-13T10:00:00Z","source":{"system":"admin-center","record":"late"},"data":{"tenant":"halloranfoods.onmicrosoft.example","user":"x@halloran.example","role":"GlobalAdministrator"}}"#;
    desk.run_with(&["append"], role.as_bytes()).ok();
    apply(&desk, &finding, "1", &["--as-of", &position], "").failed(4, &["changed since"]);
    assert_eq!(apply(&desk, &finding, "1", &[], "").code, 0);
}

#[test]
fn a_tenant_does_not_differ_from_itself_and_an_unknown_one_is_an_error() {
    let (desk, _) = mistake();
    let same = desk.run(&["diff", RIGHT, RIGHT]);
    assert_eq!(same.code, 0, "{same:#?}");
    desk.run(&["diff", RIGHT, "tenant:fennimoore.example"])
        .failed(2, &["fennimorebikes.onmicrosoft.example"]);
    assert_eq!(desk.run(&["diff", RIGHT]).code, 2);
    let times = [
        "diff",
        WRONG,
        "--valid-at",
        "2024-03-11T09:00Z",
        "--and-valid-at",
        "2024-03-12",
    ];
    let times = desk.run(&times);
    assert_eq!(times.code, 1, "{times:#?}");
    assert!(times.out.contains("seats"), "{}", times.out);
}
