//! Making stores with keys, signing checkpoints, proving and verifying from the command line: the
//! wiring, the exit codes, and what each of them notices.

use crate::desk::{Desk, tenant, tenants};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const STORE: &str = "activation-ledger";

/// A store with 12 events and a checkpoint of 9 and of 12, and its verifier key.
fn signed() -> (Desk, String) {
    let desk = Desk::new();
    desk.run(&["init"]).ok();
    desk.run_with(&["import", "-"], tenants(1..9).as_bytes())
        .ok();
    let first = desk.run(&["checkpoint"]);
    desk.file("first", &first.out);
    first.ok();
    desk.run_with(&["append"], tenant(20).as_bytes()).ok();
    desk.run_with(&["append"], tenant(21).as_bytes()).ok();
    desk.run_with(&["append"], tenant(22).as_bytes()).ok();
    let second = desk.run(&["checkpoint"]).ok();
    desk.file("second", &second);
    let key = desk.run(&["checkpoint", "--key"]).ok();
    (desk, key.trim().to_owned())
}

fn copy(from: &Path, to: &Path) {
    tests::stores::copy(from, to);
}

#[test]
fn init_makes_a_store_with_each_engine_and_prints_the_verifier_key_only() {
    for engine in ["sled", "journal"] {
        let desk = Desk::new();
        let init = desk.run(&["init", "--engine", engine, "--format", "json"]);
        let value = init.json();
        assert_eq!(value["engine"], engine);
        let key = value["verifier_key"].as_str().unwrap();
        let kept = fs::read_to_string(desk.path("activation-ledger/checkpoints/key")).unwrap();
        assert_eq!(kept.trim(), key);
        assert_eq!(desk.run(&["checkpoint", "--key"]).ok().trim(), key);
        let secret = fs::read_to_string(desk.path("activation-ledger.signing-key")).unwrap();
        // The last of five parts; it is base64, and may have a plus itself.
        let secret = secret.trim().splitn(5, '+').nth(4).unwrap();
        for (path, bytes) in desk.files() {
            let text = String::from_utf8_lossy(&bytes);
            let own = path.ends_with("activation-ledger.signing-key");
            assert_eq!(text.contains(secret), own, "{}", path.display());
        }
        desk.run(&["init"]).failed(2, &["there already", "--store"]);
        desk.run_with(&["append"], tenant(1).as_bytes()).ok();
        let verified = desk.run(&["verify", "--format", "json"]).json();
        assert_eq!(
            (&verified["events"], &verified["signed"]),
            (&1.into(), &0.into())
        );
    }
    let desk = Desk::new();
    let memory = desk.run(&["init", "--engine", "memory"]);
    assert!(
        memory.code == 2 && memory.err.contains("journal"),
        "{memory:#?}"
    );
    assert!(desk.names().is_empty());
}

#[test]
fn a_checkpoint_of_an_unchanged_log_is_the_same_and_its_files_stay() {
    let (desk, key) = signed();
    let again = desk.run(&["checkpoint"]);
    assert_eq!(again.out, fs::read_to_string(desk.path("second")).unwrap());
    assert!(again.err.contains("size-12"), "{again:#?}");
    assert!(key.starts_with("activation-ledger/blake3/"), "{key}");
    let kept = fs::read_to_string(desk.path("activation-ledger/checkpoints/size-9")).unwrap();
    assert_eq!(kept, fs::read_to_string(desk.path("first")).unwrap());
    let value = desk.run(&["checkpoint", "--format", "json"]).json();
    assert_eq!(
        (&value["size"], &value["note"]),
        (&12.into(), &again.out.into())
    );
}

#[test]
fn a_proof_is_checked_without_the_store_and_every_byte_of_it_counts() {
    let (desk, key) = signed();
    let inclusion = desk.run(&["prove", "inclusion", "7"]).ok();
    let earlier = ["prove", "inclusion", "7", "--checkpoint", "9"];
    let earlier = desk.run(&earlier).ok();
    let consistency = desk.run(&["prove", "consistency", "first", "12"]).ok();
    assert_eq!(consistency, desk.run(&["prove", "consistency", "9"]).ok());
    let elsewhere = Desk::new();
    elsewhere.file("key", format!("{key}\n"));
    for (proof, said) in [
        (&inclusion, "TenantCreated"),
        (&earlier, "of size    9"),
        (&consistency, "the earlier log is the beginning"),
    ] {
        elsewhere.file("proof", proof);
        for key in [key.as_str(), "key"] {
            let verify = ["verify", "--proof", "proof", "--key", key];
            let ran = elsewhere.run(&verify).ok();
            assert!(ran.contains(said), "{ran}");
        }
        let unsigned = elsewhere.run(&["verify", "--proof", "proof"]);
        assert!(
            unsigned.code == 2 && unsigned.out.contains("NOT CHECKED"),
            "{unsigned:#?}"
        );
        let other = Desk::new();
        other.run(&["init"]).ok();
        let other = other.run(&["checkpoint", "--key"]).ok();
        let verify = ["verify", "--proof", "-", "--key", other.trim()];
        elsewhere
            .run_with(&verify, proof.as_bytes())
            .failed(3, &["does not hold"]);
        for at in (0..proof.len()).step_by(proof.len() / 9) {
            let mut changed = proof.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let verify = ["verify", "--proof", "-", "--key", &key];
            elsewhere
                .run_with(&verify, &changed)
                .failed(3, &["does not hold"]);
        }
    }
    assert_eq!(elsewhere.names(), ["key", "proof"]);
}

#[test]
fn what_cannot_be_proved_is_refused() {
    let (desk, _) = signed();
    desk.run(&["prove", "inclusion", "13"])
        .failed(2, &["no such event"]);
    desk.run_with(&["append"], tenant(30).as_bytes()).ok();
    desk.run(&["prove", "inclusion", "13"])
        .failed(2, &["not among the 12", "actl checkpoint"]);
    desk.run(&["prove", "inclusion", "x"])
        .failed(2, &["neither"]);
    desk.run(&["prove", "consistency", "10"])
        .failed(2, &["none of that size"]);
    desk.run(&["prove", "consistency", "12", "9"])
        .failed(2, &["earlier one first"]);
    desk.run(&["prove", "consistency", "nowhere"])
        .failed(2, &["cannot use the checkpoint"]);
    let fresh = Desk::new();
    fresh.run_with(&["append"], tenant(1).as_bytes()).ok();
    fresh
        .run(&["prove", "inclusion", "1"])
        .failed(2, &["no checkpoint"]);
}

#[test]
fn the_whole_log_is_verified_and_says_what_it_was_held_against() {
    let (desk, key) = signed();
    let value = desk
        .run(&[
            "verify",
            "--key",
            &key,
            "--checkpoint",
            "first",
            "--format",
            "json",
        ])
        .json();
    assert_eq!(
        (&value["events"], &value["checkpoints"]),
        (&12.into(), &3.into())
    );
    assert_eq!(
        (&value["holds"], &value["key_given"]),
        (&true.into(), &true.into())
    );
    desk.run_with(&["append"], tenant(30).as_bytes()).ok();
    let ran = desk.run(&["verify"]);
    assert!(
        ran.err.contains("after position 12") && ran.err.contains("give --key"),
        "{ran:#?}"
    );
    assert!(ran.ok().contains("signed up to   12"));
}

#[test]
fn a_log_that_was_rolled_back_is_refused() {
    let (desk, _) = signed();
    let backup = desk.path("backup");
    copy(&desk.path(STORE), &backup);
    desk.run_with(&["append"], tenant(30).as_bytes()).ok();
    let third = desk.run(&["checkpoint"]).ok();
    desk.file("third", third);
    // The whole store as it was before: it knows nothing of the third checkpoint, but the caller does.
    fs::remove_dir_all(desk.path(STORE)).unwrap();
    fs::rename(&backup, desk.path(STORE)).unwrap();
    desk.run(&["verify"]).ok();
    desk.run(&["verify", "--checkpoint", "third"])
        .failed(3, &["12", "13", "rolled back"]);
    // With the checkpoint in its folder it does not even open.
    let kept = desk.path("activation-ledger/checkpoints/size-13");
    fs::copy(desk.path("third"), kept).unwrap();
    desk.run(&["log"]).failed(3, &["ends at position 12", "13"]);
}

#[test]
fn a_flipped_byte_of_the_log_is_named() {
    let desk = Desk::new();
    desk.run(&["init", "--engine", "journal"]).ok();
    for n in 1..6 {
        desk.run_with(&["append"], tenant(n).as_bytes()).ok();
    }
    desk.run(&["checkpoint"]).ok();
    let (path, bytes) = (desk.files().into_iter())
        .find(|(path, bytes)| {
            path.starts_with(desk.path("activation-ledger/log"))
                && bytes.windows(3).any(|text| text == b"t3.")
        })
        .expect("the log has the event");
    let at = bytes.windows(3).position(|text| text == b"t3.").unwrap();
    let mut flipped = bytes;
    flipped[at] ^= 0x04;
    fs::write(path, flipped).unwrap();
    for command in [
        &["verify"][..],
        &["checkpoint"],
        &["prove", "inclusion", "1"],
    ] {
        desk.run(command).failed(3, &["position 3"]);
    }
}

#[test]
fn a_log_with_another_past_is_refused_and_the_events_are_named() {
    let (desk, _) = signed();
    // Another history under the same store id: the vault alone makes it.
    let other = Desk::new();
    for file in ["vault", "master-key", "signing-key"] {
        let name = format!("activation-ledger.{file}");
        fs::copy(desk.path(&name), other.path(&name)).unwrap();
    }
    other.run(&["init"]).ok();
    other
        .run_with(&["import", "-"], tenants(1..7).as_bytes())
        .ok();
    for n in 40..45 {
        other.run_with(&["append"], tenant(n).as_bytes()).ok();
    }
    let first = desk.path("first");
    let given = ["verify", "--checkpoint", first.to_str().unwrap()];
    other.run(&given).failed(3, &["positions 1 to 9"]);
    // It signs its own past, but never against what is kept.
    for name in ["size-9", "size-12"] {
        let name = format!("activation-ledger/checkpoints/{name}");
        fs::copy(desk.path(&name), other.path(&name)).unwrap();
    }
    other.run(&["verify"]).failed(3, &["positions 1 to 9"]);
    other.run(&["checkpoint"]).failed(3, &["positions 1 to 9"]);
    other
        .run(&["prove", "inclusion", "3"])
        .failed(3, &["not the one that was signed"]);
    other
        .run(&["prove", "consistency", "9"])
        .failed(3, &["not the one that was signed"]);
}

#[test]
fn a_checkpoint_that_was_changed_or_signed_by_another_key_is_refused() {
    let (desk, _) = signed();
    let file = desk.path("activation-ledger/checkpoints/size-9");
    let text = fs::read_to_string(&file).unwrap();
    for (changed, why) in [
        (text.replace("\n9\n", "\n8\n"), "checkpoint of 8"),
        (text.replace('=', "A"), "does not hold"),
        (text.replace("blake3", "blake2"), "does not hold"),
        (String::new(), "does not hold"),
    ] {
        fs::write(&file, changed).unwrap();
        desk.run(&["verify"]).failed(3, &[why]);
        desk.run(&["checkpoint"]).failed(3, &[]);
    }
    fs::write(&file, &text).unwrap();
    let other = Desk::new();
    other.run(&["init"]).ok();
    let stranger = other.run(&["checkpoint"]).ok();
    desk.file("stranger", stranger);
    desk.run(&["verify", "--checkpoint", "stranger"])
        .failed(3, &["is that of"]);
    let key = other.run(&["checkpoint", "--key"]).ok();
    desk.run(&["verify", "--key", key.trim()])
        .failed(3, &["checkpoint of 9 events"]);
    desk.run(&["verify", "--key", "nonsense"])
        .failed(2, &["--key"]);
    desk.run(&["verify"]).ok();
}

#[test]
fn a_signing_key_that_is_missing_open_to_others_or_not_this_stores_signs_nothing() {
    let (desk, _) = signed();
    let path = desk.path("activation-ledger.signing-key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    desk.run(&["checkpoint"]).failed(2, &["0644", "chmod 600"]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let key = fs::read_to_string(&path).unwrap();
    fs::write(&path, "PRIVATE+KEY+nothing").unwrap();
    let ran = desk.run(&["checkpoint"]);
    ran.failed(3, &["signing key"]);
    assert!(!ran.err.contains("PRIVATE+KEY+nothing"), "{ran:#?}");
    fs::remove_file(&path).unwrap();
    desk.run(&["checkpoint"]).failed(2, &["missing", "copy"]);
    assert!(!path.exists(), "no other key is made in its place");
    desk.run(&["verify"]).ok();
    desk.run(&["prove", "inclusion", "1"]).ok();
    fs::write(&path, key).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    desk.run(&["checkpoint"]).ok();
}

#[test]
fn a_store_of_before_there_were_checkpoints_gets_its_key_when_it_first_signs() {
    let desk = Desk::new();
    desk.run_with(&["append"], tenant(1).as_bytes()).ok();
    fs::remove_file(desk.path("activation-ledger.signing-key")).unwrap();
    fs::remove_dir_all(desk.path("activation-ledger/checkpoints")).unwrap();
    desk.run(&["verify"]).ok();
    desk.run(&["checkpoint"]).ok();
    desk.run(&["verify"]).ok();
    assert!(desk.path("activation-ledger.signing-key").exists());
}
