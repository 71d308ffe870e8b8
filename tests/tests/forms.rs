//! The forms of the audit's report beyond text and JSON: SARIF against the schema that OASIS publishes
//! (its text as the crate serde-sarif 0.8.0 carries it), CSV as a spreadsheet reads it, HTML without
//! script or network. `UPDATE_GOLDEN=1 cargo test -p tests --test forms` writes what is said now.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Few stories that need every part of a report: wrong landings, one compensated, one not judged,
/// and a finding about each sort of subject.
const STORIES: &[&str] = &[
    "partner-redeems-into-its-own-tenant",
    "open-cached-credentials-compensated",
    "trial-forgotten-signs-up",
    "mail-nobody-opened",
    "service-out-for-a-whole-tenant",
    "one-session-for-two-unknown-customers",
];

fn report(form: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut arguments = vec!["audit", "replay", "--format", form];
    arguments.extend(STORIES);
    let ran = Command::new(env!("CARGO_BIN_EXE_actl-under-test"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("it runs");
    assert_eq!(
        ran.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    String::from_utf8(ran.stdout).expect("text")
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("it can be written");
    }
    let known = std::fs::read_to_string(&path).expect("the golden report is there");
    assert!(known == text, "{name} differs; see the head of this file");
}

#[test]
fn sarif_is_what_the_published_schema_allows() {
    let text = report("sarif");
    let log: Value = serde_json::from_str(&text).expect("JSON");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/sarif-schema-2.1.0.json");
    let schema = std::fs::read_to_string(path).expect("the schema is there");
    let mut schema: Value = serde_json::from_str(&schema).expect("JSON");
    // Two patterns of the published text, for a language that is not written here, are no regular
    // expressions (a bracket is closed that was never opened); validators refuse the schema for them.
    for part in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][part]["properties"]["language"];
        let language = language.as_object_mut().expect("a property");
        assert!(language.remove("pattern").is_some(), "{part}");
    }
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(&log)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    // The schema can refuse something.
    let mut broken = log.clone();
    broken["runs"][0]["results"][0]["level"] = Value::from("terrible");
    assert!(!validator.is_valid(&broken));
    golden("report.sarif", &text);
}

#[test]
fn a_fingerprint_is_the_findings_id_and_survives_another_order_of_import() {
    let fingerprints = |text: &str| -> BTreeSet<String> {
        let log: Value = serde_json::from_str(text).expect("JSON");
        let results = log["runs"][0]["results"]
            .as_array()
            .expect("results")
            .clone();
        let prints = results.iter().map(|one| {
            let rule = one["ruleIndex"].as_u64().expect("an index");
            let rules = &log["runs"][0]["tool"]["driver"]["rules"];
            let index = usize::try_from(rule).expect("small");
            assert_eq!(rules[index]["id"], one["ruleId"]);
            one["fingerprints"]["activationLedgerFinding/v1"].to_string()
        });
        prints.collect()
    };
    let straight = fingerprints(&report("sarif"));
    let folder = tempfile::tempdir().expect("a folder");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let texts = STORIES.iter().map(|name| {
        std::fs::read_to_string(corpus.join(name).join("events.jsonl")).expect("a story")
    });
    let all: String = texts.collect();
    let reversed: Vec<&str> = all.lines().rev().collect();
    std::fs::write(folder.path().join("all.jsonl"), reversed.join("\n")).expect("a file");
    let ran = Command::new(env!("CARGO_BIN_EXE_actl-under-test"))
        .args(["audit", "replay", "--format", "sarif", "all.jsonl"])
        .current_dir(folder.path())
        .output()
        .expect("it runs");
    let other = String::from_utf8(ran.stdout).expect("text");
    assert_eq!(fingerprints(&other), straight);
}

#[test]
fn csv_has_one_line_a_finding_and_as_many_columns_in_each() {
    let text = report("csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().expect("a header").len();
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows");
    let json: Value = serde_json::from_str(&report("json")).expect("JSON");
    assert_eq!(
        rows.len(),
        json["findings"].as_array().expect("findings").len()
    );
    assert!(rows.iter().all(|row| row.len() == columns));
    golden("report.csv", &text);
}

#[test]
fn html_needs_no_script_and_no_network_and_says_everything_without_colour() {
    let text = report("html");
    for never in [
        "<script",
        "src=",
        "http-equiv=\"refresh\"",
        "@import",
        "url(",
        "javascript:",
    ] {
        assert!(!text.contains(never), "{never}");
    }
    // The only addresses in it are names, not links.
    for link in text.split("href=\"").skip(1) {
        assert!(
            link.starts_with('#'),
            "{}",
            link.chars().take(40).collect::<String>()
        );
    }
    assert!(text.contains("default-src 'none'"));
    assert!(text.contains("wrong hop") && text.contains("stroke-dasharray"));
    for open in ["svg", "table", "section", "div", "p", "text"] {
        let count = |tag: &str| text.matches(tag).count();
        let opened = count(&format!("<{open}>")) + count(&format!("<{open} "));
        assert_eq!(opened, count(&format!("</{open}>")), "{open}");
    }
    golden("report.html", &text);
}

#[test]
fn other_commands_say_that_they_have_no_such_form() {
    let ran = Command::new(env!("CARGO_BIN_EXE_actl-under-test"))
        .args(["explain", "WTR006", "--format", "sarif"])
        .output()
        .expect("it runs");
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("only `audit replay`"));
}
