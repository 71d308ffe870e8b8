//! Persons: who looks at them leaves a trace, who is erased is gone for ever, and the history stays.

use crate::desk::Desk;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const ANA: &str = "ana.ruiz@contoso.example";
const ANA_HOME: &str = "ana@mail.example";
const BEN: &str = "ben.ode@fabrikam.example";
const KEY: &str = "QZQZQ-WXWXW-RVRVR-TUTUT-YSYS7";
const VAULT: &str = "activation-ledger.vault";

fn line(kind: &str, record: &str, rest: &str) -> String {
    format!(
        r#"{{"kind":"{kind}","occurred_at":"2024-03-11T09:31:00Z","source":{{"system":"test","record":"{record}"}},{rest}}}"#
    )
}

/// Two persons, of whom one has a machine of her own and shares another; a network; notes with and
/// without a name in them; a key.
fn events() -> String {
    let ana = format!(r#"{{"address":"{ANA}","name":"Ana Ruiz","phone":"+34 91 1234 567"}}"#);
    let session = |id: &str, who: &str, network: &str| {
        let rest = format!(
            r#""actor":{{"kind":"Customer","person":{who}}},"data":{{"session":"{id}","auth":"Interactive","network":"{network}"}}"#
        );
        line("SessionStarted", id, &rest)
    };
    let ben = format!("\"{BEN}\"");
    let seat = |record: &str, machine: &str, who: &str| {
        let rest = format!(
            r#""data":{{"machine":"{machine}","user":{who},"tenant":"contoso.onmicrosoft.example"}}"#
        );
        line("SeatProvisioned", record, &rest)
    };
    let skew = |record: &str, machine: &str| {
        let rest = format!(r#""data":{{"machine":"{machine}","offset_seconds":7}}"#);
        line("ClockSkewObserved", record, &rest)
    };
    let dismissed = |record: &str, reason: &str| {
        let rest = format!(
            r#""data":{{"finding":"F-1","evidence_digest":"0011","by":"{BEN}","reason":"{reason}"}}"#
        );
        line("FindingDismissed", record, &rest)
    };
    [
        session("s1", &ana, "203.0.113.20"),
        session("s2", &ben, "203.0.113.20"),
        seat("m1", "ANA-LAPTOP", &format!("\"{ANA}\"")),
        skew("m2", "ANA-LAPTOP"),
        seat("m3", "KIOSK-7", &format!("\"{ANA}\"")),
        seat("m4", "KIOSK-7", &ben),
        skew("m5", "KIOSK-7"),
        dismissed("f1", "Ana Ruiz says so"),
        dismissed("f2", "nothing in it"),
        session("s3", &format!("\"{ANA_HOME}\""), "203.0.113.21"),
        line(
            "KeyIssued",
            "k1",
            &format!(
                r#""data":{{"key":"{KEY}","license_id":"88213345","order":"PO-77","line":1}}"#
            ),
        ),
    ]
    .join("\n")
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.file("events.jsonl", events());
    desk.run(&["import", "events.jsonl"]).ok();
    desk
}

const REVEAL: [&str; 3] = ["--reveal", "--reason", "case 4711"];

fn reveal(desk: &Desk, arguments: &[&str]) -> String {
    desk.run(&[arguments, &REVEAL].concat()).ok()
}

fn of_kind(desk: &Desk, kind: &str) -> Vec<Value> {
    let log = desk.run(&["log", "--kind", kind, "--format", "jsonl"]).ok();
    let events = log.lines().map(|line| serde_json::from_str(line).unwrap());
    events.collect()
}

/// All that can be seen of the store by somebody who may see everything.
fn everything(desk: &Desk) -> String {
    let mut all = String::new();
    for format in ["table", "json", "jsonl"] {
        all += &reveal(desk, &["log", "--format", format]);
        for kind in ["seat", "tenant"] {
            all += &reveal(desk, &[kind, "--format", format]);
        }
    }
    all + &desk.run(&[&["audit", "replay"], &REVEAL[..]].concat()).out
}

#[test]
fn whoever_looks_leaves_a_trace_with_what_and_why() {
    let desk = desk();
    for arguments in [
        &["show", "1"][..],
        &["log"],
        &["log", "--subject", &format!("person:{ANA}")],
        &["find", ANA],
        &["seat"],
        &["seat", "ana-laptop"],
    ] {
        let before = of_kind(&desk, "PersonalDataRevealed").len();
        let plain = desk.run(arguments).ok();
        assert!(
            !plain.contains("na.ruiz") && !plain.contains("ANA"),
            "{plain}"
        );
        assert_eq!(of_kind(&desk, "PersonalDataRevealed").len(), before);
        let shown = reveal(&desk, arguments);
        let is_there = shown.contains(ANA) || shown.contains("ANA-LAPTOP");
        assert!(is_there, "{arguments:?}: {shown}");
        let reveals = of_kind(&desk, "PersonalDataRevealed");
        assert_eq!(reveals.len(), before + 1, "{arguments:?}");
        let last = &reveals.last().unwrap()["data"];
        let request = last["request"].as_str().unwrap();
        assert!(request.starts_with(arguments[0]), "{request}");
        assert!(last["values"].as_u64() > Some(0), "{last}");
        assert!(last["account"].is_object(), "who it was: {last}");
        assert!(!last.to_string().contains("4711"), "the reason is sealed");
    }
    desk.run(&["show", "1", "--reveal"])
        .failed_at_the_arguments();
    desk.run(&["show", "1", "--reveal", "--reason", " "])
        .failed(2, &["--reason is empty"]);
    let whole = reveal(&desk, &["log", "--kind", "PersonalDataRevealed"]);
    assert!(whole.contains("note case 4711"), "{whole}");
    let by = ["show", "1", "--reveal", "--reason", "x", "--by", BEN];
    desk.run(&by).ok();
    let last = of_kind(&desk, "PersonalDataRevealed").pop().unwrap();
    assert!(last["data"]["by"]["person"].is_string(), "{last}");
}

#[test]
fn what_was_revealed_is_what_the_source_said() {
    let desk = desk();
    let shown = reveal(&desk, &["log", "--format", "jsonl"]);
    let first = shown.lines().next().unwrap();
    assert!(first.contains(r#""phone":"+34 91 1234 567""#), "{first}");
    let copy = desk.file("copy.jsonl", &shown);
    let again = desk.run(&["import", copy, "--format", "json"]).json();
    assert_eq!(again["appended"], 0, "every event is known: {again}");
}

#[test]
fn nobody_looks_if_it_cannot_be_recorded() {
    let desk = desk();
    let vault = desk.path(VAULT);
    let kept = fs::read(&vault).unwrap();
    fs::write(&vault, &kept[..100]).unwrap();
    let ran = desk.run(&[&["show", "1"], &REVEAL[..]].concat());
    ran.failed(3, &["cannot reveal", "cut off"]);
    assert!(ran.out.is_empty(), "{ran:#?}");
    fs::write(&vault, kept).unwrap();
    // `by` is no address, so the record cannot be made.
    let ran = desk.run(&[&["show", "1", "--by", "me"], &REVEAL[..]].concat());
    ran.failed(2, &["cannot record", "--by"]);
    assert!(ran.out.is_empty(), "{ran:#?}");
}

#[test]
fn an_erased_person_is_gone_and_everybody_else_is_not() {
    let desk = desk();
    let before = everything(&desk);
    for text in [
        "Ana Ruiz",
        ANA,
        "ANA-LAPTOP",
        "+34 91 1234 567",
        "203.0.113.20",
    ] {
        assert!(before.contains(text), "{text}");
    }
    let erase = |reason| {
        desk.run(&[
            "person", "erase", ANA, "--reason", reason, "--format", "json",
        ])
    };
    erase("Ana Ruiz asked for it").failed(2, &["names the person"]);
    erase("request of ana.ruiz@contoso.example").failed(2, &[]);
    let erased = erase("request 17").json();
    assert_eq!(erased["events"], 3);
    let after = everything(&desk);
    for text in ["Ana Ruiz", ANA, "ANA-LAPTOP", "+34 91 1234 567"] {
        assert!(!after.contains(text), "{text} is in {after}");
    }
    // What others have to do with is theirs as well.
    for text in [BEN, "KIOSK-7", "203.0.113.20", "nothing in it", ANA_HOME] {
        assert!(after.contains(text), "{text}");
    }
    let kiosk = after.lines().filter(|line| line.contains("KIOSK-7"));
    assert!(!kiosk.into_iter().any(|line| line.contains("\"m3\"")));
    let found = desk
        .run(&["person", "find", ANA, "--format", "json"])
        .json();
    assert_eq!(found["erased_at"], erased["position"]);
    assert_eq!(
        found["events"].as_u64(),
        Some(4 + count_reveals(&desk, &found))
    );
    let again = erase("request 17");
    assert!(again.err.contains("erased already"), "{again:#?}");
}

/// How many reveals name the person.
fn count_reveals(desk: &Desk, found: &Value) -> u64 {
    let person = found["persons"][0].as_str().unwrap();
    let reveals = of_kind(desk, "PersonalDataRevealed");
    reveals
        .iter()
        .filter(|one| one["data"]["persons"].to_string().contains(person))
        .count() as u64
}

#[test]
fn neither_the_same_sources_nor_an_older_vault_nor_a_backup_bring_an_erased_person_back() {
    let desk = desk();
    let old_vault = fs::read(desk.path(VAULT)).unwrap();
    desk.run(&["backup", "store-backup"]).ok();
    desk.run(&["person", "erase", ANA, "--reason", "request 17"])
        .ok();
    let gone = |what: &str| {
        let all = everything(&desk);
        for text in ["Ana Ruiz", ANA, "ANA-LAPTOP"] {
            assert!(!all.contains(text), "{text} is back after {what}");
        }
        assert!(all.contains(BEN), "{what}");
    };
    let import = ["import", "events.jsonl", "--format", "json"];
    assert_eq!(desk.run(&import).json()["appended"], 0);
    gone("the same sources");
    let revised = events().replace("09:31:00Z", "09:32:00Z");
    desk.run_with(&["import", "-"], revised.as_bytes()).ok();
    gone("revised sources");
    fs::write(desk.path(VAULT), &old_vault).unwrap();
    let ran = desk.run(&["person", "find", ANA]);
    assert!(
        ran.err.contains("held keys of persons who are erased"),
        "{ran:#?}"
    );
    gone("an older vault");
    fs::write(desk.path(VAULT), &old_vault).unwrap();
    gone("an older vault, at the first look");
    // The backup of the store is of before, and the vault is of now.
    desk.run(&["restore", "store-backup", "--store", "restored"])
        .ok();
    let restored = ["--store", "restored", "--vault", VAULT, "log"];
    let all = desk.run(&[&restored[..], &REVEAL].concat()).ok();
    assert!(!all.contains("Ana Ruiz") && all.contains(BEN), "{all}");
}

#[test]
fn an_erasure_that_is_imported_is_applied_at_once_and_cannot_be_appended() {
    let desk = desk();
    let rest = format!(r#""data":{{"person":"{ANA}","reason":"request 17"}}"#);
    let erasure = line("PersonErased", "e1", &rest);
    desk.run_with(&["append"], erasure.as_bytes())
        .failed(2, &["actl person erase"]);
    let ran = desk.run_with(&["import", "-"], erasure.as_bytes());
    assert!(ran.err.contains("they were destroyed: 1"), "{ran:#?}");
    let after = everything(&desk);
    assert!(!after.contains(ANA) && after.contains(BEN), "{after}");
}

#[test]
fn proofs_and_checkpoints_of_before_hold_after_an_erasure_unchanged() {
    let desk = Desk::new();
    let init = desk.run(&["init", "--format", "json"]).json();
    let key = init["verifier_key"].as_str().unwrap();
    desk.file("events.jsonl", events());
    desk.run(&["import", "events.jsonl"]).ok();
    let checkpoint = desk.run(&["checkpoint"]).ok();
    desk.file("before", checkpoint);
    let proof = desk.run(&["prove", "inclusion", "1"]).ok();
    desk.file("proof", &proof);
    let log = |desk: &Desk| desk.run(&["log", "--format", "jsonl"]).ok();
    let events = log(&desk);
    let audit = desk
        .run(&[
            "audit",
            "replay",
            "--format",
            "json",
            "--as-of",
            "12",
            "--valid-at",
            "2024-04-01",
        ])
        .out;
    desk.run(&["person", "erase", ANA, "--reason", "request 17"])
        .ok();
    desk.run(&["verify", "--checkpoint", "before"]).ok();
    desk.run(&["verify", "--proof", "proof", "--key", key]).ok();
    desk.run(&["checkpoint"]).ok();
    let consistency = desk.run(&["prove", "consistency", "before"]).ok();
    desk.run_with(
        &["verify", "--proof", "-", "--key", key],
        consistency.as_bytes(),
    )
    .ok();
    assert!(
        log(&desk).starts_with(&events),
        "not a byte of the log has changed"
    );
    let again = desk
        .run(&[
            "audit",
            "replay",
            "--format",
            "json",
            "--as-of",
            "12",
            "--valid-at",
            "2024-04-01",
        ])
        .out;
    assert_eq!(again, audit, "rules work on pseudonyms");
}

#[test]
fn two_addresses_that_are_merged_are_one_person() {
    let desk = desk();
    let count = |who: &str| {
        let found = desk
            .run(&["person", "find", who, "--format", "json"])
            .json();
        (
            found["persons"].as_array().unwrap().len(),
            found["events"].as_u64().unwrap(),
        )
    };
    assert_eq!((count(ANA), count(ANA_HOME)), ((1, 3), (1, 1)));
    let merge = [
        "person",
        "merge",
        ANA,
        ANA_HOME,
        "--reason",
        "said so on the phone",
    ];
    desk.run(&merge).ok();
    assert_eq!((count(ANA), count(ANA_HOME)), ((2, 5), (2, 5)));
    assert!(desk.run(&merge).err.contains("one person already"));
    let export = ["person", "export", ANA_HOME, "--reason", "request 16"];
    let all = desk
        .run(&[&export[..], &["--format", "json"]].concat())
        .ok();
    for text in [ANA, ANA_HOME, "ANA-LAPTOP", "+34 91 1234 567"] {
        assert!(all.contains(text), "{text}: {all}");
    }
    assert!(!all.contains(BEN), "other persons stay pseudonyms");
    desk.run(&["person", "erase", ANA_HOME, "--reason", "request 17"])
        .ok();
    let after = everything(&desk);
    for text in [ANA, ANA_HOME, "ANA-LAPTOP", "203.0.113.21"] {
        assert!(!after.contains(text), "{text}");
    }
    desk.run(&["person", "merge", BEN, ANA, "--reason", "x"])
        .failed(4, &["erased"]);
    desk.run(&[
        "person",
        "merge",
        BEN,
        "nobody@contoso.example",
        "--reason",
        "x",
    ])
    .failed(2, &["no event names this person"]);
}

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
    desk.run(&["vault", "init"]).failed(2, &["not be its own"]);
    assert_eq!(desk.run(&["log"]).ok(), end);
    let note = desk.run(&["find", "KIOSK-7"]);
    assert!(note.err.contains("without the vault"), "{note:#?}");
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
