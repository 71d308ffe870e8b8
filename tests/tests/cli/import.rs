//! Importing: everything or nothing, the same twice changes nothing, and every refusal says where,
//! why and what to do, without a half-made store.

use crate::desk::{Desk, tenant, tenants};
use ledger::store::Store;
use ledger::time::{FixedClock, Timestamp};
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn an_import_makes_the_store_and_its_vault_and_says_so() {
    let desk = Desk::new();
    desk.file("events.jsonl", tenants(0..3));
    let ran = desk.run(&["import", "events.jsonl"]);
    assert!(
        ran.err.contains("made the store activation-ledger"),
        "{ran:#?}"
    );
    assert!(ran.err.contains("activation-ledger.vault"), "{ran:#?}");
    assert!(ran.ok().contains("appended       3"));
    assert_eq!(
        desk.names(),
        [
            "activation-ledger",
            "activation-ledger.master-key",
            "activation-ledger.pepper",
            "activation-ledger.signing-key",
            "activation-ledger.vault",
            "events.jsonl"
        ]
    );
    let mode = |name: &str| fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode("activation-ledger"), mode("activation-ledger.vault")),
        (0o700, 0o600)
    );
    assert_eq!(mode("activation-ledger.signing-key"), 0o600);
    assert_eq!(mode("activation-ledger.pepper"), 0o600);
}

#[test]
fn importing_twice_changes_nothing_the_second_time() {
    let desk = Desk::new();
    desk.file("events.jsonl", tenants(0..600));
    let first = desk
        .run(&["import", "events.jsonl", "--format", "json"])
        .json();
    assert_eq!(
        (&first["appended"], &first["position"]),
        (&600.into(), &601.into())
    );
    let log = desk.run(&["log", "--format", "jsonl"]).ok();
    assert!(log.lines().last().unwrap().contains("ImportRecorded"));
    let second = desk
        .run(&["import", "events.jsonl", "--format", "json"])
        .json();
    assert_eq!(
        (&second["appended"], &second["known"]),
        (&0.into(), &600.into())
    );
    assert_eq!(desk.run(&["log", "--format", "jsonl"]).ok(), log);
}

#[test]
fn an_exported_log_can_be_imported_again_and_is_known() {
    let desk = Desk::new();
    desk.file("events.jsonl", tenants(0..3));
    desk.run(&["import", "events.jsonl"]).ok();
    let log = desk.run(&["log", "--format", "jsonl"]).ok();
    let again = desk
        .run_with(&["import", "-", "--format", "json"], log.as_bytes())
        .json();
    assert_eq!(
        (&again["appended"], &again["known"]),
        (&0.into(), &4.into())
    );
}

#[test]
fn a_line_that_cannot_be_read_stops_everything_and_leaves_nothing_behind() {
    let desk = Desk::new();
    let wrong = tenant(7).replace("SignUpChoice", "Nothing");
    desk.file(
        "events.jsonl",
        format!("{}{wrong}{}", tenants(0..300), tenant(8)),
    );
    let ran = desk.run(&["import", "events.jsonl"]);
    ran.failed(
        2,
        &[
            "events.jsonl, line 301, column 150",
            "data.created_via",
            "SelfService",
        ],
    );
    assert_eq!(ran.out, "");
    assert_eq!(desk.names(), ["events.jsonl"]);
}

#[test]
fn keep_going_leaves_out_what_cannot_be_read_lists_it_and_exits_with_2() {
    let desk = Desk::new();
    let wrong = tenant(7).replace("SignUpChoice", "Nothing");
    desk.file(
        "in/a.jsonl",
        format!("{}{wrong}{}", tenants(0..3), tenant(8)),
    );
    desk.file("in/b.jsonl", "");
    desk.file("in/c.jsonl", b"\0\x01\x02");
    let ran = desk.run(&["import", "in", "--keep-going", "--format", "json"]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    let answer: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&answer["appended"], &answer["refused"]),
        (&4.into(), &3.into())
    );
    assert_eq!(answer["left_out"][0]["line"], 4);
    for part in [
        "in/a.jsonl, line 4, column 150",
        "in/b.jsonl: the file is empty",
        "NUL byte",
    ] {
        assert!(ran.err.contains(part), "{part}: {ran:#?}");
    }
    let again = desk.run(&["import", "in", "--keep-going", "--format", "json"]);
    assert!(again.out.contains("\"appended\": 0"), "{again:#?}");
}

#[test]
fn files_that_are_no_event_files_say_what_they_are() {
    let desk = Desk::new();
    desk.file("empty.jsonl", "");
    desk.file("binary.jsonl", b"\x7fELF\0\0");
    desk.file("cut.jsonl", format!("{}{}", tenant(1), &tenant(2)[..70]));
    desk.file("folder/notes.md", "hello");
    for (path, parts) in [
        ("missing.jsonl", ["no such file", "check the path"]),
        (
            "empty.jsonl",
            ["the file is empty", "get the file once more"],
        ),
        ("binary.jsonl", ["NUL byte", "right file"]),
        ("cut.jsonl", ["line 2", "seems cut off"]),
        ("folder", [".jsonl", "--from"]),
    ] {
        let ran = desk.run(&["import", path]);
        ran.failed(2, &parts);
        assert!(!desk.path("activation-ledger").exists());
        assert!(!desk.path("activation-ledger.vault").exists());
    }
    desk.run_with(&["import", "-"], b"")
        .failed(2, &["(standard input)", "empty"]);
    desk.run(&["import", "empty.jsonl", "--from", "x"])
        .failed(2, &["one of: jsonl, ospp"]);
}

#[test]
fn stores_that_cannot_be_opened_say_why() {
    let desk = Desk::new();
    desk.file("events.jsonl", tenants(0..3));
    desk.file("a-file", "hello");
    desk.file("a-folder/hello", "hello");
    for (store, command, parts) in [
        ("a-file", "import", ["is a file", "directory"]),
        ("a-folder", "import", ["no store", "manifest"]),
        (
            "no/such/store",
            "import",
            ["does not exist", "make that folder first"],
        ),
        ("nothing", "log", ["does not exist", "actl import"]),
    ] {
        let arguments = match command {
            "log" => vec!["log", "--store", store],
            _ => vec!["import", "events.jsonl", "--store", store],
        };
        desk.run(&arguments).failed(2, &parts);
    }
    assert_eq!(desk.names(), ["a-file", "a-folder", "events.jsonl"]);
}

#[test]
fn a_store_in_use_and_a_store_of_another_version_are_refused() {
    let desk = Desk::new();
    desk.file("events.jsonl", tenants(0..3));
    desk.run(&["import", "events.jsonl"]).ok();
    let path = desk.path("activation-ledger");
    let clock = FixedClock(Timestamp::from_micros(0));
    let held = Store::open(&path, Box::new(clock)).unwrap();
    let pid = std::process::id().to_string();
    desk.run(&["log"])
        .failed(2, &["in use", &pid, "actl serve"]);
    desk.run(&["import", "events.jsonl"]).failed(2, &["in use"]);
    held.close().unwrap();
    desk.run(&["log"]).ok();
    let manifest = path.join("manifest");
    let text = fs::read(&manifest).unwrap();
    let later = String::from_utf8_lossy(&text).replace("\nformat 1\n", "\nformat 9\n");
    fs::write(&manifest, later).unwrap();
    desk.run(&["log"])
        .failed(2, &["store format 9", "version of `actl`"]);
    let mut broken = text.clone();
    *broken.last_mut().unwrap() ^= 1;
    broken[text.len() / 2] ^= 1;
    fs::write(&manifest, broken).unwrap();
    desk.run(&["log"]).failed(3, &["manifest"]);
}

#[test]
fn without_its_own_vault_nothing_is_imported() {
    let desk = Desk::new();
    desk.file("events.jsonl", tenants(0..3));
    desk.file("more.jsonl", tenants(3..5));
    desk.run(&["import", "events.jsonl"]).ok();
    desk.run(&["import", "events.jsonl", "--store", "other"])
        .ok();
    let other = ["import", "more.jsonl", "--vault", "other.vault"];
    desk.run(&other)
        .failed(2, &["belongs to another store", "--vault"]);
    let vault = desk.path("activation-ledger.vault");
    fs::set_permissions(&vault, fs::Permissions::from_mode(0o644)).unwrap();
    desk.run(&["import", "more.jsonl"])
        .failed(2, &["0644", "chmod 600"]);
    fs::set_permissions(&vault, fs::Permissions::from_mode(0o600)).unwrap();
    let text = fs::read(&vault).unwrap();
    fs::write(&vault, &text[..text.len() / 2]).unwrap();
    desk.run(&["import", "more.jsonl"])
        .failed(3, &["cut off", "copy"]);
    fs::remove_file(&vault).unwrap();
    desk.run(&["import", "more.jsonl"])
        .failed(2, &["missing", "copy"]);
    assert!(!vault.exists());
    assert_eq!(
        desk.run(&["log", "--format", "jsonl"]).ok().lines().count(),
        4
    );
}

#[test]
fn a_vault_whose_store_is_gone_is_not_used_for_a_new_one() {
    let desk = Desk::new();
    let line = tenant(1).replace(
        "\"data\"",
        "\"actor\":{\"kind\":\"Customer\",\"person\":\"jo@contoso.example\"},\"data\"",
    );
    desk.file("events.jsonl", line);
    desk.run(&["import", "events.jsonl"]).ok();
    let vault = fs::read(desk.path("activation-ledger.vault")).unwrap();
    fs::rename(desk.path("activation-ledger"), desk.path("elsewhere")).unwrap();
    desk.run(&["import", "events.jsonl"])
        .failed(2, &["there is no store", "copy"]);
    assert_eq!(
        fs::read(desk.path("activation-ledger.vault")).unwrap(),
        vault
    );
}

#[test]
fn reports_of_ospp_are_imported_by_their_names_and_known_the_second_time() {
    let desk = Desk::new();
    let report = "---Processing---\n-----------\nLICENSE NAME: Office 15\nLICENSE STATUS: ---LICENSED---\n-----------\n---Exiting---\n";
    desk.file("in/PC-1_jo@contoso.example_2024-03-11T0942Z.txt", report);
    desk.file("in/PC-2_jo@contoso.example_2024-03-11T0942Z.txt", report);
    let import = ["import", "in", "--from", "ospp", "--format", "json"];
    assert_eq!(desk.run(&import).json()["appended"], 2);
    assert_eq!(desk.run(&import).json()["known"], 2);
    let found = desk.run(&["find", "pc-1", "--format", "json"]).json();
    assert_eq!(found["found"][0]["events"], 1);
    desk.file("report.txt", report);
    let nameless = ["import", "report.txt", "--from", "ospp"];
    desk.run(&nameless).failed(
        2,
        &["the machine nor the user nor the time", "--observed-at"],
    );
    let mut given = nameless.to_vec();
    given.extend([
        "--machine",
        "PC-1",
        "--user",
        "jo@contoso.example",
        "--observed-at",
    ]);
    given.push("2024-03-11T09:42Z");
    assert!(desk.run(&given).ok().contains("known already  1"));
    let wrong = ["import", "in", "--from", "ospp", "--machine", "pc-1"];
    desk.run(&wrong).failed(2, &["one machine"]);
    let misplaced = ["import", "in", "--machine", "pc-1"];
    desk.run(&misplaced).failed(2, &["--from"]);
}

#[test]
fn every_story_can_be_imported() {
    let desk = Desk::new();
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");
    let answer = desk.run(&["import", corpus, "--format", "json"]).json();
    assert!(answer["appended"].as_u64() > Some(300), "{answer}");
    assert_eq!(answer["refused"], 0);
}
