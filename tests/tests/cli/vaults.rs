//! Vaults: made, rotated, copied, lost, of another store, or open to others.

use crate::desk::Desk;
use crate::persons::{ANA, KEY, PEPPER, VAULT, desk, events, reveal};
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn losing_the_vault_loses_names_and_never_history() {
    let desk = desk();
    desk.run(&["checkpoint"]).ok();
    fs::remove_file(desk.path(VAULT)).unwrap();
    fs::remove_file(desk.path("activation-ledger.master-key")).unwrap();
    let found = desk
        .run(&["log", "--kind", "SessionStarted", "--format", "json"])
        .json();
    let event = &found["events"][0];
    let person = event["actor"]["person"]["person"]
        .as_str()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap();
    for arguments in [
        &["log"][..],
        &["log", "--subject", &format!("person:{person}")],
        &["show", "1"],
        &["find", "88213345"],
        &["find", person],
        &["tenant"],
        &["seat"],
        &["subscription"],
        &["agreement"],
        &["key"],
        &["key", "YSYS7"],
        &[
            "diff",
            "tenant:contoso.onmicrosoft.example",
            "tenant:contoso.onmicrosoft.example",
        ],
        &["audit", "replay"],
        &["checkpoint"],
        &["prove", "inclusion", "1"],
        &["verify"],
        &["doctor"],
        &["doctor", "--rebuild-index"],
        &["backup", "store-backup"],
        &["person", "find", person],
    ] {
        let ran = desk.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:#?}");
    }
    desk.run(&["restore", "store-backup", "--store", "restored"])
        .ok();
    let export = desk.run(&["log", "--format", "jsonl"]).ok();
    assert_eq!(export.lines().count(), 12);
    // What needs the keys says so, and changes nothing.
    let end = desk.run(&["log"]).ok();
    for arguments in [
        &["show", "1", "--reveal", "--reason", "x"][..],
        &["log", "--reveal", "--reason", "x"],
        &["find", "YSYS7", "--reveal", "--reason", "x"],
        &["seat", "--reveal", "--reason", "x"],
        &["audit", "replay", "--reveal", "--reason", "x"],
        &["person", "export", person, "--reason", "x"],
        &["person", "erase", person, "--reason", "x"],
        &["person", "find", ANA],
        &["find", ANA],
        &["import", "events.jsonl"],
        &["vault", "status"],
        &["vault", "rotate"],
        &["vault", "backup", "copy"],
    ] {
        desk.run(arguments).failed(
            2,
            &[
                "activation-ledger.vault",
                "missing",
                "everything else works",
            ],
        );
    }
    desk.run(&["vault", "init"])
        .failed(2, &["master key", "the file is missing"]);
    fs::remove_file(desk.path(PEPPER)).unwrap();
    desk.run(&["vault", "init"])
        .failed(2, &["not be its own", "activation-ledger.pepper"]);
    assert_eq!(desk.run(&["log"]).ok(), end);
    let note = desk.run(&["find", "KIOSK-7"]);
    assert!(note.err.contains("without the vault"), "{note:#?}");
}

#[test]
fn a_lost_vault_is_made_again_from_its_pepper_and_only_names_are_lost() {
    let desk = desk();
    // Whoever rotated has a pepper under the new master key.
    desk.run(&["vault", "rotate"]).ok();
    desk.run(&["person", "find", ANA]).ok();
    let before = desk.run(&["log"]).ok();
    let audit = [
        "audit",
        "replay",
        "--valid-at",
        "2024-04-01",
        "--format",
        "json",
    ];
    let audited = desk.run(&audit).json();
    fs::remove_file(desk.path(VAULT)).unwrap();
    let made = desk.run(&["vault", "init", "--format", "json"]);
    assert!(
        made.err.contains("names that were sealed before stay lost"),
        "{made:#?}"
    );
    assert_eq!(made.json()["sealing_keys"], 0);
    desk.run(&["vault", "init"])
        .failed(2, &["the store has its vault"]);
    // Nothing is taken in twice, and persons are the same.
    desk.run(&["import", "events.jsonl"]).ok();
    assert_eq!(desk.run(&["log"]).ok(), before);
    desk.run(&["person", "find", ANA]).ok();
    assert_eq!(desk.run(&audit).json(), audited);
    // Old names are gone, and new ones are kept.
    let old = desk.run(&["show", "1", "--reveal", "--reason", "x"]);
    assert_eq!(old.code, 0, "{old:#?}");
    assert!(!old.out.contains(ANA), "{old:#?}");
    assert!(old.out.contains("its key is gone"), "{old:#?}");
    let events = events();
    let line = events
        .lines()
        .next()
        .unwrap()
        .replace("\"record\":\"", "\"record\":\"again-");
    fs::write(desk.path("more.jsonl"), line).unwrap();
    desk.run(&["import", "more.jsonl"]).ok();
    let new = desk.run(&["log", "--reveal", "--reason", "x"]).ok();
    assert_eq!(new.matches(ANA).count(), 1, "{new}");
}

#[test]
fn the_vault_is_made_rotated_copied_and_described() {
    let desk = Desk::new();
    fs::create_dir(desk.path("keys")).unwrap();
    let elsewhere = ["--vault", "keys/v.vault", "--master-key", "mk"];
    let with = |more: &[&str]| desk.run(&[&elsewhere[..], more].concat());
    let made = with(&["vault", "init"]);
    assert!(made.err.contains("made the master key mk"), "{made:#?}");
    assert!(!made.err.contains("protects nothing"), "{made:#?}");
    with(&["vault", "init"]).failed(2, &["a vault is there already"]);
    desk.file("events.jsonl", events());
    with(&["import", "events.jsonl"]).ok();
    assert_eq!(
        desk.names(),
        [
            "activation-ledger",
            "activation-ledger.signing-key",
            "events.jsonl",
            "keys",
            "mk"
        ]
    );
    let status = with(&["vault", "status", "--format", "json"]).json();
    assert_eq!(status["master_key_is_beside"], false);
    assert!(status["sealing_keys"].as_u64() > Some(5), "{status}");
    with(&["vault", "backup", "copy"]).ok();
    with(&["vault", "backup", "copy"]).failed(2, &["there already"]);
    let log = with(&["log", "--format", "jsonl"]).ok();
    let old = fs::read_to_string(desk.path("mk")).unwrap();
    with(&["vault", "rotate"]).ok();
    assert_ne!(fs::read_to_string(desk.path("mk")).unwrap(), old);
    assert_eq!(
        with(&["log", "--format", "jsonl"]).ok(),
        log,
        "the log is not touched"
    );
    let shown = with(&["show", "1", "--reveal", "--reason", "x"]).ok();
    assert!(shown.contains(ANA), "{shown}");
    let copy = ["--vault", "copy", "--master-key", "mk", "show", "1"];
    let copy = [&copy[..], &["--reveal", "--reason", "x"]].concat();
    desk.run(&copy)
        .failed(2, &["wrong key", "nothing was changed"]);
    // The key itself in the environment.
    let mut command = desk.command(&copy[..2]);
    command.args(&copy[4..]).env("ACTL_MASTER_KEY", old.trim());
    let output = command.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(ANA));
    let mut command = desk.command(&copy[..2]);
    command.args(&copy[4..]).env("ACTL_MASTER_KEY", "12");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("64 hexadecimal digits"));
}

#[test]
fn a_vault_of_another_store_and_a_wrong_master_key_are_refused_and_nothing_is_destroyed() {
    let desk = desk();
    desk.run(&["import", "events.jsonl", "--store", "other"])
        .ok();
    let before = desk.files();
    let shown = ["show", "1", "--reveal", "--reason", "x"];
    let other = ["--vault", "other.vault"];
    desk.run(&[&other[..], &shown].concat())
        .failed(2, &["another store"]);
    let key = ["--master-key", "other.master-key"];
    desk.run(&[&key[..], &shown].concat())
        .failed(2, &["wrong key"]);
    desk.run(&[&key[..], &["person", "erase", ANA, "--reason", "x"]].concat())
        .failed(2, &["wrong key"]);
    desk.run(&[&key[..], &["vault", "rotate"]].concat())
        .failed(2, &["wrong key"]);
    let secrets = |files: Vec<(std::path::PathBuf, Vec<u8>)>| {
        let keep = |path: &std::path::PathBuf| {
            let name = path.to_string_lossy().into_owned();
            name.ends_with(".vault") || name.ends_with("-key")
        };
        files
            .into_iter()
            .filter(|(path, _)| keep(path))
            .collect::<Vec<_>>()
    };
    assert_eq!(secrets(desk.files()), secrets(before));
    assert!(reveal(&desk, &["show", "1"]).contains(ANA));
}

#[test]
fn a_store_that_others_may_enter_is_refused_with_a_hint() {
    let desk = desk();
    let store = desk.path("activation-ledger");
    for mode in [0o755, 0o750, 0o701] {
        fs::set_permissions(&store, fs::Permissions::from_mode(mode)).unwrap();
        for command in [
            &["log"][..],
            &["import", "events.jsonl"],
            &["verify"],
            &["backup", "b"],
        ] {
            desk.run(command)
                .failed(2, &["others than its owner", "chmod 700"]);
        }
    }
    fs::set_permissions(&store, fs::Permissions::from_mode(0o700)).unwrap();
    desk.run(&["log"]).ok();
}

#[test]
fn an_export_of_another_ledger_is_taken_in_only_with_its_vault_and_the_keys_given_again() {
    let desk = desk();
    let export = desk.run(&["log", "--format", "jsonl"]).ok();
    let export = export
        .lines()
        .filter(|line| !line.contains("ImportRecorded"));
    desk.file("export.jsonl", export.collect::<Vec<_>>().join("\n"));
    desk.file("keys.txt", format!("{}\n", KEY.to_lowercase()));
    let import = [
        "import",
        "export.jsonl",
        "--store",
        "other",
        "--format",
        "json",
    ];
    desk.run(&import)
        .failed(2, &["was fingerprinted with pepper", "keys"]);
    assert!(!desk.path("other").exists());
    let with = [&import[..], &["--from-vault", VAULT]].concat();
    desk.run(&with)
        .failed(2, &["was not given again", "--keys"]);
    let with = [&with[..], &["--keys", "keys.txt"]].concat();
    assert_eq!(desk.run(&with).json()["appended"], 11);
    // It is as if the original source had been taken in.
    let original = [
        "import",
        "events.jsonl",
        "--store",
        "other",
        "--format",
        "json",
    ];
    assert_eq!(desk.run(&original).json()["known"], 11);
    let shown = ["--store", "other", "log", "--reveal", "--reason", "x"];
    assert!(desk.run(&shown).ok().contains(ANA));
}
