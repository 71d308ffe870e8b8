//! An import that is killed leaves a store that opens, holds a prefix of what was imported, and is
//! completed by importing again.

use crate::desk::{Desk, tenant};
use serde_json::Value;
use std::time::Instant;
use tools::vault::Vault;
use tools::vault::master_key::KeySource;

/// How often an import is killed, at equal parts of the time that it takes.
const KILLS: u32 = 6;

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

/// Event lines with a person each, so that the vault grows with them.
fn lines() -> String {
    let person = |n| {
        format!("\"actor\":{{\"kind\":\"Customer\",\"person\":\"p{n}@contoso.example\"}},\"data\"")
    };
    (0..2000)
        .map(|n| tenant(n).replace("\"data\"", &person(n)))
        .collect()
}

#[test]
fn whenever_an_import_is_killed_importing_again_completes_it() {
    let lines = lines();
    let whole = Desk::new();
    whole.file("events.jsonl", &lines);
    let started = Instant::now();
    whole.run(&["import", "events.jsonl"]).ok();
    let took = started.elapsed();
    let expected = ids(&whole.run(&["log", "--format", "jsonl"]).ok());
    let mut partly = 0;
    for part in 1..=KILLS {
        let desk = Desk::new();
        desk.file("events.jsonl", &lines);
        let mut child = desk
            .command(&["import", "events.jsonl"])
            .spawn()
            .expect("it starts");
        std::thread::sleep(took * part / (KILLS + 1));
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        if desk.path("activation-ledger").exists() {
            let found = ids(&desk.run(&["log", "--format", "jsonl"]).ok());
            assert_eq!(found, expected[..found.len()], "kill {part}");
            assert!(found.len() == expected.len() || found.len().is_multiple_of(256));
            partly += usize::from(!found.is_empty() && found.len() < expected.len());
        }
        desk.run(&["import", "events.jsonl"]).ok();
        let completed = ids(&desk.run(&["log", "--format", "jsonl"]).ok());
        assert_eq!(completed, expected, "kill {part}");
    }
    println!("{partly} of {KILLS} imports were killed on their way");
}

#[test]
fn the_remains_of_an_interrupted_creation_are_taken_up_again() {
    let desk = Desk::new();
    let path = desk.path("activation-ledger.vault");
    let master_key = KeySource::File(desk.path("activation-ledger.master-key"));
    let mut vault = Vault::draft(&path, master_key).expect("a vault");
    vault.create().expect("it is saved");
    // A store is made under this name before it is moved to its place.
    let half_made = format!(
        ".activation-ledger.new-{}",
        tools::hex::write(&vault.store_id())
    );
    desk.file(&format!("{half_made}/manifest"), "half of it");
    let event = tenant(1);
    desk.run_with(&["append"], event.as_bytes()).ok();
    desk.run_with(&["import", "-"], event.as_bytes()).ok();
    assert_eq!(
        desk.names(),
        [
            "activation-ledger",
            "activation-ledger.master-key",
            "activation-ledger.pepper",
            "activation-ledger.signing-key",
            "activation-ledger.vault"
        ]
    );
}
