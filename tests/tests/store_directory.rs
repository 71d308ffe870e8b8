//! A store in a directory opens again as it was, one process at a time, and whatever else is found
//! at a path is told apart, with something to do about it, and left as it is.

use ledger::event::Fact;
use ledger::id::Position;
use ledger::store::{Known, Store, StoreError};
use ledger::subject::SubjectKind;
use std::fs;
use std::path::Path;
use tests::facts::{clock, tenant_created};
use tests::stores::{Place, copy, create, open, try_create, try_open};

fn facts(records: std::ops::Range<usize>) -> Vec<Fact> {
    let one = |record| tenant_created(record, &format!("t{}.example", record % 5));
    records.map(one).collect()
}

fn append(store: &Store, records: std::ops::Range<usize>) {
    store.append(facts(records), &[], Known::Refuse).unwrap();
}

fn error(path: &Path) -> StoreError {
    let error = try_open(path).map(|_| ()).unwrap_err();
    assert!(error.hint().len() > 10 && error.to_string().len() > 10);
    error
}

#[test]
fn a_store_opens_again_as_it_was() {
    let place = Place::new();
    let store = create(&place.store());
    append(&store, 0..3);
    let description = store.description().clone();
    store.close().unwrap();
    for round in 1..6 {
        let store = open(&place.store());
        assert_eq!(store.description().store_id, description.store_id);
        assert_eq!(store.description().pepper, description.pepper);
        assert_eq!(store.description().epoch.0, round as u64, "one a writer");
        let end = store.end().0 as usize;
        assert_eq!(
            store
                .read(Position(0))
                .map(|e| e.unwrap().fact)
                .collect::<Vec<_>>(),
            facts(0..end)
        );
        append(&store, end..end + 13);
        assert!(store.recovered().is_none());
    }
}

#[test]
fn reading_leaves_the_manifest_as_it_was() {
    let place = Place::new();
    append(&create(&place.store()), 0..3);
    let before = fs::read(place.store().join("manifest")).unwrap();
    assert_eq!(open(&place.store()).read(Position(0)).count(), 3);
    assert_eq!(fs::read(place.store().join("manifest")).unwrap(), before);
}

#[test]
fn a_second_opener_is_told_who_holds_the_store() {
    let place = Place::new();
    let _store = create(&place.store());
    let error = error(&place.store());
    assert!(
        matches!(error, StoreError::InUse { pid: Some(pid), .. } if pid == std::process::id()),
        "{error}"
    );
    assert!(error.hint().contains("actl serve"));
}

#[test]
fn what_is_no_store_is_told_apart_and_left_alone() {
    let place = Place::new();
    let missing = error(&place.path().join("nowhere"));
    assert!(matches!(missing, StoreError::Missing { .. }), "{missing}");
    let file = place.path().join("events.jsonl");
    fs::write(&file, "{}").unwrap();
    assert!(matches!(error(&file), StoreError::IsFile { .. }));
    assert!(matches!(
        error(&file.join("below")),
        StoreError::Io { .. } | StoreError::Missing { .. }
    ));
    let other = place.path().join("other");
    fs::create_dir(&other).unwrap();
    assert!(matches!(error(&other), StoreError::NotAStore { .. }));
    fs::write(other.join("manifest"), "name = something else\n").unwrap();
    assert!(matches!(error(&other), StoreError::DamagedManifest { .. }));
    assert_eq!(
        fs::read_dir(&other).unwrap().count(),
        1,
        "nothing was left in it"
    );
    for path in [&file, &other] {
        assert!(matches!(try_create(path), Err(StoreError::Exists { .. })));
    }
    assert!(matches!(
        try_create(&place.path().join("a/b")),
        Err(StoreError::Missing { .. })
    ));
    assert_eq!(
        fs::read_dir(place.path()).unwrap().count(),
        2,
        "nothing half-made is left"
    );
}

#[test]
fn a_manifest_of_another_version_or_with_a_changed_byte_is_refused() {
    let place = Place::new();
    drop(create(&place.store()));
    let path = place.store().join("manifest");
    let good = fs::read_to_string(&path).unwrap();
    fs::write(&path, good.replace("format 1\n", "format 2\n")).unwrap();
    let later = error(&place.store());
    assert!(matches!(later, StoreError::OtherVersion { .. }), "{later}");
    assert!(!later.is_damage());
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] ^= 4;
        fs::write(&path, bytes).unwrap();
        assert!(
            matches!(
                error(&place.store()),
                StoreError::DamagedManifest { .. } | StoreError::OtherVersion { .. }
            ),
            "byte {at}"
        );
    }
    for short in [
        "",
        "activation-ledger store",
        "activation-ledger store\nformat 1\n",
    ] {
        fs::write(&path, short).unwrap();
        assert!(error(&place.store()).is_damage());
    }
    fs::remove_file(&path).unwrap();
    assert!(error(&place.store()).is_damage(), "it was a store");
    fs::write(&path, good).unwrap();
    open(&place.store());
}

#[test]
fn a_log_that_got_shorter_or_was_taken_away_is_noticed() {
    let place = Place::new();
    append(&create(&place.store()), 0..3);
    let log = place.store().join("log");
    let kept = place.path().join("kept");
    copy(&log, &kept);
    append(&open(&place.store()), 3..6);
    fs::remove_dir_all(&log).unwrap();
    assert!(error(&place.store()).is_damage());
    fs::rename(&kept, &log).unwrap();
    let shorter = error(&place.store());
    assert!(
        matches!(
            shorter,
            StoreError::Shorter {
                end: Position(3),
                reached: Position(6)
            }
        ),
        "{shorter}"
    );
}

#[test]
fn an_index_that_is_missing_or_damaged_is_built_again() {
    let place = Place::new();
    let store = create(&place.store());
    drop(store);
    let store = open(&place.store());
    for record in 0..40 {
        append(&store, record..record + 1);
    }
    drop(store);
    let index = place.store().join("index");
    let damages: [&dyn Fn(); 3] = [
        &|| fs::remove_dir_all(&index).unwrap(),
        &|| fs::remove_file(index.join("manifest")).unwrap(),
        &|| fs::write(index.join("manifest"), "nonsense").unwrap(),
    ];
    for (number, damage) in damages.iter().enumerate() {
        damage();
        let store = open(&place.store());
        for tenant in store.subjects(SubjectKind::Tenant).unwrap() {
            assert_eq!(store.revision(&tenant).unwrap().0, 8, "damage {number}");
            assert_eq!(
                store
                    .history(&tenant, Position(0))
                    .filter(Result::is_ok)
                    .count(),
                8
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_a_store() {
    use std::os::unix::fs::PermissionsExt;
    fn check(path: &Path) {
        let metadata = fs::metadata(path).unwrap();
        let wanted = if metadata.is_dir() { 0o700 } else { 0o600 };
        let mode = metadata.permissions().mode() & 0o777;
        let within_sled = path.components().any(|c| c.as_os_str() == "log");
        assert!(
            mode == wanted || within_sled,
            "{} has mode {mode:o}",
            path.display()
        );
        if metadata.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                check(&entry.unwrap().path());
            }
        }
    }
    let place = Place::new();
    append(&create(&place.store()), 0..3);
    check(&place.store());
    assert_eq!(
        Store::open(&place.store(), clock()).unwrap().end(),
        Position(3)
    );
}
