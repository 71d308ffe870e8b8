//! Doctor, backup and restore from the command line: what they say, how they end, and that what they make
//! can be worked with.

use crate::desk::{Desk, tenant, tenants};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

const STORE: &str = "activation-ledger";
const VAULT: &str = "activation-ledger.vault";

/// A store of this engine with 7 events in one frame and 5 in one each, and a checkpoint of all.
fn filled(engine: &str) -> Desk {
    let desk = Desk::new();
    desk.run(&["init", "--engine", engine]).ok();
    desk.run_with(&["import", "-"], tenants(1..8).as_bytes())
        .ok();
    for n in 20..24 {
        desk.run_with(&["append"], tenant(n).as_bytes()).ok();
    }
    desk.run(&["checkpoint"]).ok();
    desk
}

/// The ids in a log, in order.
fn ids(desk: &Desk, store: &str) -> Vec<String> {
    let log = desk
        .run(&["--store", store, "log", "--format", "jsonl"])
        .ok();
    let events = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let events = events.filter(|event| event["kind"] != "IncarnationBegun");
    events
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Changes one byte in the middle of the frames of a journal.
fn damage(desk: &Desk) -> PathBuf {
    let file = desk.path("activation-ledger/log/00000000000000000001.seg");
    let mut bytes = fs::read(&file).unwrap();
    bytes[500] ^= 1;
    fs::write(&file, bytes).unwrap();
    file
}

#[test]
fn a_healthy_store_is_said_to_be_healthy_and_nothing_in_it_changes() {
    for engine in ["sled", "journal"] {
        let desk = filled(engine);
        let before = desk.files();
        let page = desk.run(&["doctor"]).ok();
        assert!(page.contains("missing          none"), "{page}");
        let found = desk.run(&["doctor", "--format", "json"]).json();
        assert_eq!(found["damaged"], false);
        assert_eq!(
            (&found["events"], &found["position"]),
            (&json!(12), &json!(12))
        );
        assert_eq!(found["checkpoints"], 1);
        assert_eq!(desk.files(), before);
        fs::write(desk.path("activation-ledger/index/manifest"), "nothing").unwrap();
        let found = desk.run(&["doctor", "--format", "json"]).json();
        assert!(found["index"]["doubt"].is_string(), "{found}");
        let rebuilt = desk.run(&["doctor", "--rebuild-index"]).ok();
        assert!(rebuilt.contains("12"), "{rebuilt}");
        let found = desk.run(&["doctor", "--format", "json"]).json();
        assert!(found["index"]["doubt"].is_null(), "{found}");
        assert!(found["views"]["doubt"].is_string(), "{found}");
        let rebuilt = desk.run(&["doctor", "--rebuild-views"]).ok();
        assert!(
            rebuilt.contains("the same views before and after"),
            "{rebuilt}"
        );
        desk.run(&["tenant"]).ok();
        let found = desk.run(&["doctor", "--format", "json"]).json();
        let views = &found["views"];
        assert!(
            views["doubt"].is_null() && views["behind"].is_u64(),
            "{found}"
        );
    }
    let desk = Desk::new();
    desk.run(&["doctor"]).failed(2, &["does not exist"]);
    desk.run(&["doctor", "--rebuild-index"])
        .failed(2, &["does not exist"]);
    assert!(desk.names().is_empty());
}

#[test]
fn a_damaged_store_is_said_to_be_damaged_and_salvaged() {
    let desk = filled("journal");
    let whole = ids(&desk, STORE);
    damage(&desk);
    let doctor = desk.run(&["doctor"]);
    doctor.failed(
        3,
        &["7 events cannot be read: positions 1 to 7", "--salvage"],
    );
    assert!(doctor.out.contains("positions 1 to 7"), "{doctor:#?}");
    let rebuild = desk.run(&["doctor", "--rebuild-index"]);
    assert_eq!(rebuild.code, 3, "{rebuild:#?}");
    let before = desk.files();
    let salvage = [
        "doctor",
        "--salvage",
        "new",
        "--note",
        "a bad disk",
        "--format",
        "json",
    ];
    let salvaged = desk.run(&salvage);
    assert_eq!(salvaged.code, 1, "{salvaged:#?}");
    let said: Value = serde_json::from_str(&salvaged.out).unwrap();
    assert_eq!(said["lost"], json!([{ "first": 1, "last": 7 }]));
    assert_eq!(
        (&said["incarnation"], &said["reached"]),
        (&json!(2), &json!(12))
    );
    assert_eq!(said["damage"][0]["file"], "00000000000000000001.seg");
    let mut after = desk.files();
    after.retain(|(path, _)| !path.starts_with(desk.path("new")));
    assert!(after == before, "salvaging changed something");
    desk.run(&salvage).failed(4, &["already exists"]);

    let new = ["--store", "new", "--vault", VAULT];
    let log = desk.run(&[&new[..], &["log"]].concat());
    assert_eq!(
        log.err
            .matches("lost from the store new: 7 events, positions 1 to 7")
            .count(),
        1
    );
    assert!(log.out.contains("IncarnationBegun"), "{log:#?}");
    assert_eq!(ids(&desk, "new"), whole[7..]);
    desk.run_with(&[&new[..], &["append"]].concat(), tenant(30).as_bytes())
        .ok();
    desk.run(&[&new[..], &["tenant", "t21.onmicrosoft.example"]].concat())
        .ok();
    desk.run(&[&new[..], &["show", "14"]].concat()).ok();
    let audit = desk.run(&[&new[..], &["audit", "replay"]].concat());
    assert_eq!(audit.code, 0, "{audit:#?}");
    let healthy = desk
        .run(&[&new[..], &["doctor", "--format", "json"]].concat())
        .json();
    assert_eq!(healthy["lost"], said["lost"]);
    // It signs under a name of its own; the checkpoint of the incarnation before is kept.
    let signed = desk.run(&[&new[..], &["checkpoint"]].concat()).ok();
    assert!(signed.lines().next().unwrap().ends_with("/2"), "{signed}");
    desk.run(&[&new[..], &["verify"]].concat()).ok();
    assert!(desk.path("new/checkpoints/incarnation-1/size-12").exists());
}

#[test]
fn a_store_without_its_manifest_is_salvaged_with_its_vault() {
    let desk = filled("sled");
    let whole = ids(&desk, STORE);
    fs::remove_file(desk.path("activation-ledger/manifest")).unwrap();
    desk.run(&["doctor"]).failed(3, &["manifest", "--salvage"]);
    desk.run(&["--vault", "none", "doctor", "--salvage", "new"])
        .failed(3, &["manifest"]);
    desk.run(&["doctor", "--salvage", "new", "--engine", "journal"])
        .ok();
    assert_eq!(ids(&desk, "new"), whole);
    desk.run_with(
        &["--store", "new", "--vault", VAULT, "append"],
        tenant(30).as_bytes(),
    )
    .ok();
}

#[test]
fn a_backup_is_made_added_to_and_restored() {
    for engine in ["sled", "journal"] {
        let desk = filled(engine);
        let first = desk.run(&["backup", "copy", "--format", "json"]);
        assert!(first.err.contains("not in the backup"), "{first:#?}");
        assert_eq!(first.json()["reached"], 12);
        desk.run_with(&["append"], tenant(30).as_bytes()).ok();
        let second = desk.run(&["backup", "copy", "--format", "json"]).json();
        let reached = (&second["reached_before"], &second["reached"]);
        assert_eq!(reached, (&json!(12), &json!(13)));
        let whole = ids(&desk, STORE);
        desk.run(&["restore", "copy"])
            .failed(4, &["already exists"]);
        let restore = ["--store", "again", "restore", "copy", "--format", "json"];
        let restored = desk.run(&restore).json();
        assert_eq!(
            (&restored["incarnation"], &restored["position"]),
            (&json!(2), &json!(14))
        );
        assert_eq!(restored["lost"], json!([]));
        assert_eq!(ids(&desk, "again"), whole);
        let again = ["--store", "again", "--vault", VAULT];
        desk.run_with(&[&again[..], &["append"]].concat(), tenant(31).as_bytes())
            .ok();
        // What was restored goes its own way.
        desk.run(&[&again[..], &["backup", "copy"]].concat()).ok();
        desk.run_with(&["append"], tenant(32).as_bytes()).ok();
        desk.run(&["backup", "copy"]).failed(4, &["copy"]);
        let mode = |name: &str| {
            use std::os::unix::fs::PermissionsExt;
            fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777
        };
        assert_eq!(
            (mode("copy"), mode("copy/log"), mode("again")),
            (0o700, 0o700, 0o700)
        );
        assert_eq!(
            (mode("copy/manifest"), mode("again/manifest")),
            (0o600, 0o600)
        );
        for (path, _) in desk.files() {
            let copied = path.starts_with(desk.path("copy"));
            assert!(!copied || !path.ends_with("signing-key") && !path.ends_with("vault"));
        }
    }
    let desk = filled("sled");
    let other = filled("sled");
    other
        .run(&["backup", desk.path("copy").to_str().unwrap()])
        .ok();
    desk.run(&["backup", "copy"]).failed(4, &["another store"]);
    desk.run(&["backup", STORE]).failed(2, &["no backup"]);
    desk.run(&["--store", "copy", "log"])
        .failed(2, &["is a backup", "actl restore"]);
    desk.run(&["--store", "new", "restore", "nowhere"])
        .failed(2, &["does not exist"]);
    let note = [
        "--store",
        "new",
        "restore",
        "copy",
        "--note",
        "jo@contoso.example",
    ];
    let refused = desk.run(&note);
    refused.failed(2, &["note"]);
    assert!(!refused.err.contains("contoso"), "{refused:#?}");
    assert!(!desk.path("new").exists());
}
