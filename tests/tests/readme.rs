//! The README is true: its sessions print what it says they print, and its tables are those of the
//! program.

use std::path::Path;
use std::process::Command;

const STORY: &str = "tests/corpus/partner-redeems-into-its-own-tenant";

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    std::fs::read_to_string(path).expect("there is a README")
}

/// Every `console` block: the command, and what it prints.
fn sessions(text: &str) -> Vec<(String, String)> {
    let blocks = text.split("```console\n$ ").skip(1);
    blocks
        .map(|block| {
            let session = block.split("\n```").next().expect("a block has an end");
            let (command, output) = session.split_once('\n').expect("a session has output");
            (command.to_owned(), output.to_owned())
        })
        .collect()
}

#[test]
fn the_sessions_of_the_readme_print_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let story = folder.path().join(STORY);
    std::fs::create_dir_all(&story).expect("a folder");
    let from = tests::story::folder().join("partner-redeems-into-its-own-tenant");
    for file in ["events.jsonl", "expected.json"] {
        std::fs::copy(from.join(file), story.join(file)).expect("a copy");
    }
    let sessions = sessions(&readme());
    assert!(sessions.len() >= 3, "the README has sessions");
    for (command, expected) in sessions {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(words[0], "actl", "{command}");
        let ran = Command::new(env!("CARGO_BIN_EXE_actl-under-test"))
            .args(&words[1..])
            .current_dir(folder.path())
            .env_remove("ACTL_STORE")
            .env_remove("ACTL_VAULT")
            .env_remove("ACTL_MASTER_KEY")
            .env_remove("ACTL_MASTER_KEY_FILE")
            .output()
            .expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let printed = format!("{}{}", text(&ran.stderr), text(&ran.stdout));
        assert_eq!(printed.trim_end(), expected.trim_end(), "{command}");
    }
}

#[test]
fn the_readme_lists_every_rule() {
    let readme = readme();
    for rule in replay::audit::rules::RULES {
        let row = format!(
            "| `{}` | {} | {} |",
            rule.code,
            rule.severity.as_str(),
            rule.name
        );
        assert!(readme.contains(&row), "{row}");
    }
}

#[test]
fn the_event_in_the_readme_can_be_read() {
    let readme = readme();
    let line = readme
        .split("```json\n")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    let value: serde_json::Value = serde_json::from_str(line.expect("an event")).expect("JSON");
    let fact = ledger::event::json::read_fact(&value, &mut ledger::secret::PublicKeyring);
    assert_eq!(fact.expect("an event").kind().name, "KeyIssued");
}
