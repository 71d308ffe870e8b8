//! What a stop leaves of the last frame is cut, kept aside and reported; what was acknowledged is
//! never cut, whatever is wrong with it; and a damaged log is an error, not a panic.

use ledger::event::Fact;
use ledger::id::Position;
use ledger::log::LogError;
use ledger::store::{Known, StoreError};
use std::fs;
use std::path::Path;
use tests::facts::session_started;
use tests::stores::{Place, copy, create, open, try_open};

/// Facts that take several pieces.
fn facts(records: std::ops::Range<usize>) -> Vec<Fact> {
    let one = |record| session_started(record, &format!("s-{record}"), "t.example");
    records.map(one).collect()
}

/// A store of two frames at `store`, closed, and what a kill would have left of it at `killed`.
fn left_by_a_kill(place: &Place) -> std::path::PathBuf {
    let store = create(&place.store());
    store.append(facts(0..30), &[], Known::Refuse).unwrap();
    store.append(facts(30..130), &[], Known::Refuse).unwrap();
    let killed = place.path().join("killed");
    copy(&place.store(), &killed);
    killed
}

/// Changes what the sled engine has of the last frame: piece number and content.
fn change_last_frame(path: &Path, change: impl Fn(u16, &mut Vec<u8>) -> bool) {
    let database = sled::open(path.join("log")).unwrap();
    let tree = database.open_tree("frames").unwrap();
    for entry in tree.scan_prefix(130_u64.to_be_bytes()) {
        let (key, value) = entry.unwrap();
        let number = u16::from_be_bytes([key[8], key[9]]);
        let mut value = value.to_vec();
        match change(number, &mut value) {
            true => tree.insert(key, value).unwrap(),
            false => tree.remove(key).unwrap(),
        };
    }
    database.flush().unwrap();
}

#[test]
fn a_torn_last_frame_is_cut_kept_and_reported_whichever_piece_is_missing() {
    for missing in [0, 1, 2] {
        let place = Place::new();
        let killed = left_by_a_kill(&place);
        change_last_frame(&killed, |number, _| number != missing);
        let store = open(&killed);
        let recovered = store.recovered().expect("something was cut").clone();
        assert_eq!((store.end(), recovered.first), (Position(30), Position(31)));
        assert!(fs::metadata(&recovered.kept_at).unwrap().len() > 6_000);
        let facts: Vec<Fact> = store.read(Position(0)).map(|e| e.unwrap().fact).collect();
        assert_eq!(facts, self::facts(0..30));
        let again = store
            .append(self::facts(30..130), &[], Known::Refuse)
            .unwrap();
        assert_eq!(again.last, Position(130));
        drop(store);
        assert!(open(&killed).recovered().is_none());
    }
}

#[test]
fn a_last_frame_that_is_all_there_but_changed_is_damage_and_stays() {
    let place = Place::new();
    let killed = left_by_a_kill(&place);
    change_last_frame(&killed, |_, piece| {
        piece[100] ^= 1;
        true
    });
    for _ in 0..2 {
        let error = try_open(&killed).map(|_| ()).unwrap_err();
        assert!(
            matches!(error, StoreError::Log(LogError::Frame { .. })),
            "{error}"
        );
        assert!(
            error.is_damage() && error.to_string().contains("130"),
            "{error}"
        );
    }
}

#[test]
fn after_a_clean_close_nothing_is_cut() {
    let place = Place::new();
    left_by_a_kill(&place);
    change_last_frame(&place.store(), |number, _| number != 1);
    for _ in 0..2 {
        let error = try_open(&place.store()).map(|_| ()).unwrap_err();
        assert!(error.is_damage(), "{error}");
    }
}

#[test]
fn a_missing_frame_in_the_middle_is_an_error_where_it_is() {
    let place = Place::new();
    let store = create(&place.store());
    for frame in 0..5 {
        store
            .append(facts(frame * 2..frame * 2 + 2), &[], Known::Refuse)
            .unwrap();
    }
    drop(store);
    let database = sled::open(place.store().join("log")).unwrap();
    let tree = database.open_tree("frames").unwrap();
    let key = [6_u64.to_be_bytes().as_slice(), &[0, 0]].concat();
    tree.remove(key)
        .unwrap()
        .expect("the third frame ends at 6");
    database.flush().unwrap();
    drop((tree, database));
    let store = open(&place.store());
    let read: Vec<_> = store.read(Position(0)).collect();
    assert_eq!(read.len(), 5, "four events and the error");
    let error = read.into_iter().find_map(Result::err).unwrap();
    let unindexed = store.wait_for_index(&mut |_, _| {}).unwrap_err();
    for error in [error, unindexed] {
        let says_where = error.to_string().contains('5');
        assert!(error.is_damage() && says_where, "{error}");
    }
}

/// Sled 0.34.7 takes a snapshot that it was writing when it was killed for the newest one, and calls
/// the database corrupt. A kill in those moments once left a store that did not open again.
#[test]
fn a_snapshot_that_sled_had_not_finished_does_not_stand_in_the_way() {
    let place = Place::new();
    let killed = left_by_a_kill(&place);
    for (folder, content) in [("log", &b""[..]), ("log", b"half of a snapshot")] {
        let name = format!("snap.{:016X}.generating", u64::MAX - content.len() as u64);
        fs::write(killed.join(folder).join(name), content).unwrap();
    }
    let store = open(&killed);
    assert_eq!(store.end(), Position(130));
    assert_eq!(store.read(Position(0)).filter(Result::is_ok).count(), 130);
    store.close().unwrap();
    let leftovers = fs::read_dir(killed.join("log")).unwrap();
    let leftovers = leftovers.map(|entry| entry.unwrap().file_name());
    assert!(
        !leftovers
            .into_iter()
            .any(|name| name.to_string_lossy().ends_with(".generating"))
    );
}
