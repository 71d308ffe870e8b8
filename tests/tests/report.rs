//! The report over all stories, as people and programs read it: a change of a word is seen in review.
//! `UPDATE_GOLDEN=1 cargo test -p tests --test report` writes what the program says now.

use std::path::{Path, PathBuf};
use std::process::Command;

fn replay(folder: &Path, arguments: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_actl-under-test"))
        .args(["audit", "replay"])
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

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
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
fn the_report_for_people_is_the_known_one() {
    golden("report.txt", &replay(&top(), &["tests/corpus"]));
}

#[test]
fn the_report_for_programs_is_the_known_one_wherever_it_runs() {
    let one = "tests/corpus/open-cached-credentials-compensated";
    golden("report.json", &replay(&top(), &["--format", "json", one]));
    let from_within = replay(&top().join(one), &["--format", "json", "events.jsonl"]);
    assert_eq!(from_within, replay(&top(), &["--format", "json", one]));
}

#[test]
fn the_order_of_lines_changes_nothing_but_the_line_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut lines = Vec::new();
    for story in std::fs::read_dir(tests::story::folder()).expect("stories") {
        let path = story.expect("a story").path().join("events.jsonl");
        let text = std::fs::read_to_string(path).expect("events");
        lines.extend(text.lines().map(str::to_owned));
    }
    lines.sort_unstable();
    std::fs::write(folder.path().join("a.jsonl"), lines.join("\n")).expect("a file");
    lines.reverse();
    std::fs::write(folder.path().join("b.jsonl"), lines.join("\n")).expect("a file");
    let without_places = |file: &str| {
        let text = replay(folder.path(), &["--format", "json", file]);
        let lines = text.lines().filter(|line| !line.contains("\"origin\""));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_places("a.jsonl"), without_places("b.jsonl"));
}
