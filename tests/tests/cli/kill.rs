//! An import that is killed leaves a store that opens, holds a prefix of what was imported, and is
//! completed by importing again.

use crate::desk::Desk;
use serde_json::Value;
use std::time::Duration;
use tools::vault::Vault;

fn ids(log: &str) -> Vec<String> {
    let events = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an event"));
    events
        .filter(|event| event["source"]["system"] != "actl")
        .map(|event| {
            event["source"]["record"]
                .as_str()
                .expect("a record")
                .to_owned()
        })
        .collect()
}

#[test]
fn whenever_an_import_is_killed_importing_again_completes_it() {
    let whole = Desk::new();
    let lines = whole
        .run(&["simulate", "--customers", "6", "--months", "12"])
        .ok();
    whole.file("events.jsonl", &lines);
    whole.run(&["import", "events.jsonl"]).ok();
    let expected = ids(&whole.run(&["log", "--format", "jsonl"]).ok());
    assert!(expected.len() > 1000, "the import takes several batches");
    let mut partly = 0;
    for after_millis in [5, 20, 60, 100, 150, 200, 300, 400, 600, 900] {
        let desk = Desk::new();
        desk.file("events.jsonl", &lines);
        let mut child = desk
            .command(&["import", "events.jsonl"])
            .spawn()
            .expect("it starts");
        std::thread::sleep(Duration::from_millis(after_millis));
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        if desk.path("activation-ledger").exists() {
            let found = ids(&desk.run(&["log", "--format", "jsonl"]).ok());
            assert_eq!(
                found,
                expected[..found.len()],
                "killed after {after_millis} ms"
            );
            assert!(found.len() == expected.len() || found.len().is_multiple_of(256));
            partly += usize::from(!found.is_empty() && found.len() < expected.len());
        }
        desk.run(&["import", "events.jsonl"]).ok();
        let completed = ids(&desk.run(&["log", "--format", "jsonl"]).ok());
        assert_eq!(completed, expected, "killed after {after_millis} ms");
    }
    println!("{partly} of the imports were killed on their way");
}

#[test]
fn the_remains_of_an_interrupted_creation_are_taken_up_again() {
    let desk = Desk::new();
    let mut vault = Vault::draft(&desk.path("activation-ledger.vault")).expect("a vault");
    vault.create().expect("it is saved");
    let event = crate::desk::tenant(1);
    desk.run_with(&["append"], event.as_bytes()).ok();
    desk.run_with(&["import", "-"], event.as_bytes()).ok();
}
