//! Persons: who looks at them leaves a trace, who is erased is gone for ever, and the history stays.

use crate::desk::Desk;
use serde_json::Value;
use std::fs;

pub(crate) const ANA: &str = "ana.ruiz@contoso.example";
const ANA_HOME: &str = "ana@mail.example";
const BEN: &str = "ben.ode@fabrikam.example";
pub(crate) const KEY: &str = "QZQZQ-WXWXW-RVRVR-TUTUT-YSYS7";
pub(crate) const VAULT: &str = "activation-ledger.vault";
pub(crate) const PEPPER: &str = "activation-ledger.pepper";

fn line(kind: &str, record: &str, rest: &str) -> String {
    format!(
        r#"{{"kind":"{kind}","occurred_at":"2024-03-11T09:31:00Z","source":{{"system":"test","record":"{record}"}},{rest}}}"#
    )
}

/// Two persons, of whom one has a machine of her own and shares another; a network; notes with and
/// without a name in them; a key.
pub(crate) fn events() -> String {
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

pub(crate) fn desk() -> Desk {
    let desk = Desk::new();
    desk.file("events.jsonl", events());
    desk.run(&["import", "events.jsonl"]).ok();
    desk
}

const REVEAL: [&str; 3] = ["--reveal", "--reason", "case 4711"];

pub(crate) fn reveal(desk: &Desk, arguments: &[&str]) -> String {
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

/// Where two tenants differ in persons, the diff shows them by pseudonym, and in clear to who says why.
#[test]
fn a_diff_shows_persons_by_pseudonym_unless_somebody_says_why() {
    let desk = desk();
    let role = |record: &str, tenant: &str, who: &str| {
        let rest = format!(
            r#""data":{{"tenant":"{tenant}.onmicrosoft.example","user":"{who}","role":"GlobalAdministrator"}}"#
        );
        line("TenantRoleAssigned", record, &rest)
    };
    let lines = [role("r1", "contoso", ANA), role("r2", "fabrikam", BEN)].join("\n");
    desk.run_with(&["import", "-"], lines.as_bytes()).ok();
    let tenants = [
        "diff",
        "tenant:contoso.onmicrosoft.example",
        "tenant:fabrikam.onmicrosoft.example",
    ];
    for format in ["table", "json", "jsonl"] {
        let before = of_kind(&desk, "PersonalDataRevealed").len();
        let asked = [&tenants[..], &["--format", format]].concat();
        let plain = desk.run(&asked);
        assert_eq!(plain.code, 1, "{plain:#?}");
        assert!(!plain.out.contains('@'), "{plain:#?}");
        let shown = desk.run(&[&asked[..], &REVEAL].concat());
        assert_eq!(shown.code, 1, "{shown:#?}");
        for who in [ANA, BEN] {
            assert!(shown.out.contains(who), "{who}: {shown:#?}");
        }
        let reveals = of_kind(&desk, "PersonalDataRevealed");
        assert_eq!(reveals.len(), before + 1);
        let request = reveals.last().map(|one| one["data"]["request"].clone());
        assert_eq!(request.unwrap(), tenants.join(" "));
    }
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
