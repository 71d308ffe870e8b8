//! What is left of a damaged store is salvaged into a new incarnation, and a backup is made while the store is
//! written to, and restored: every event that could be read is where it was, as it was, and every other
//! position is named as lost.

use ledger::event::word::IncarnationCause;
use ledger::event::{Event, Fact, Payload};
use ledger::id::{Name, Position};
use ledger::log::Engine;
use ledger::proof::leaf_hash;
use ledger::secret::Pepper;
use ledger::store::{
    Identity, IndexState, Known, NewIncarnation, Store, StoreError, back_up, examine, restore,
    salvage,
};
use ledger::time::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tests::facts::{clock, session_started, tenant_created};
use tests::fault::append as sequence;
use tests::fault::victim::Orders;
use tests::fault::witness::{self, Note};
use tests::stores::{Place, copy, create_with, open, try_open};

const STORE_ID: [u8; 16] = [7; 16];
const APPENDS: usize = 30;
const ENGINES: [&str; 2] = ["sled", "journal"];
/// How long a writer is given to write something: a machine may have much else to do.
const WRITER_PATIENCE: Duration = Duration::from_secs(600);

fn create(path: &Path, engine: &str) -> Store {
    create_with(path, engine).unwrap()
}

/// A store that was closed, and what it holds.
fn filled(path: &Path, engine: &str) -> Vec<Event> {
    let store = create(path, engine);
    for append in 0..APPENDS {
        store
            .append(sequence::facts(append), &[], Known::Refuse)
            .unwrap();
    }
    let events = events(&store);
    store.close().unwrap();
    events
}

fn events(store: &Store) -> Vec<Event> {
    store.read(Position(0)).map(Result::unwrap).collect()
}

fn new_incarnation() -> NewIncarnation {
    NewIncarnation {
        engine: None,
        by: Name::new("a test").unwrap(),
        now: Timestamp::from_micros(1),
        note: None,
        identity: None,
    }
}

/// Every file under a directory with its content.
fn files(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

/// The only file of a log of this size.
fn log_file(store: &Path, engine: &str) -> PathBuf {
    match engine {
        "sled" => store.join("log/db"),
        _ => store.join("log/00000000000000000001.seg"),
    }
}

/// Damages every copy of these bytes that the log has.
fn damage(store: &Path, engine: &str, wanted: &[u8]) {
    let file = log_file(store, engine);
    let mut bytes = fs::read(&file).unwrap();
    let starts = bytes.windows(wanted.len()).enumerate();
    let found: Vec<usize> = starts
        .filter(|(_, w)| *w == wanted)
        .map(|(at, _)| at)
        .collect();
    assert!(!found.is_empty());
    for at in found {
        bytes[at + wanted.len() / 2] ^= 1;
    }
    fs::write(file, bytes).unwrap();
}

/// Checks a store that was salvaged or restored: these events, this incarnation, these lost positions, and
/// that it can be used.
fn check(
    path: &Path,
    wanted: &[Event],
    reached: u64,
    lost: &[(u64, u64)],
    cause: IncarnationCause,
) {
    let store = open(path);
    let lost: Vec<_> = lost
        .iter()
        .map(|(a, b)| (Position(*a), Position(*b)))
        .collect();
    assert_eq!(store.lost(), lost);
    assert_eq!(store.description().store_id, STORE_ID);
    assert_eq!(store.description().incarnation, 2);
    assert_eq!(store.end(), Position(reached + 1));
    let mut found = events(&store);
    let last = found.pop().unwrap();
    assert_eq!(found, wanted);
    let Payload::IncarnationBegun(begun) = &last.payload else {
        panic!("{last:?}");
    };
    let count: u64 = lost.iter().map(|(a, b)| b.0 - a.0 + 1).sum();
    assert_eq!((begun.incarnation.0, begun.cause), (2, cause));
    assert_eq!(
        (begun.reached, begun.lost),
        (Position(reached), Position(count))
    );
    assert!(last.recorded_at >= wanted.last().map_or(last.recorded_at, |e| e.recorded_at));
    for event in wanted {
        assert_eq!(store.find(event.id).unwrap().as_ref(), Some(event));
        for subject in event.subjects() {
            let named = wanted.iter().filter(|e| e.subjects().contains(&subject));
            let named: Vec<&Event> = named.collect();
            assert_eq!(store.revision(&subject).unwrap().0, named.len() as u64);
            let history = store.history(&subject, Position(0)).map(Result::unwrap);
            assert!(history.eq(named.into_iter().cloned()));
        }
    }
    for (first, last) in &lost {
        for position in first.0..=last.0 {
            assert_eq!(store.event(Position(position)).unwrap(), None);
        }
    }
    // What was lost can be appended again, and what was not is known.
    let again: Vec<Fact> = wanted
        .iter()
        .take(1)
        .map(|event| event.fact.clone())
        .collect();
    if !again.is_empty() {
        assert_eq!(store.append(again, &[], Known::Refuse).unwrap().appended, 0);
    }
    store
        .append(
            vec![tenant_created(9_999, "new.example")],
            &[],
            Known::Refuse,
        )
        .unwrap();
    store.close().unwrap();
    let store = open(path);
    assert_eq!(store.end(), Position(reached + 2));
    assert_eq!(events(&store).len(), wanted.len() + 2);
}

#[test]
fn a_whole_store_is_salvaged_whole_into_either_engine_and_left_as_it_was() {
    for (engine, other) in [("sled", "journal"), ("journal", "sled")] {
        let place = Place::new();
        let wanted = filled(&place.store(), engine);
        let before = files(&place.store());
        for (number, to_engine) in [None, Some(other)].into_iter().enumerate() {
            let to = place.path().join(format!("new-{number}"));
            let new = NewIncarnation {
                engine: to_engine,
                note: Some(Name::new("a drill").unwrap()),
                ..new_incarnation()
            };
            let mut seen = Position(0);
            let salvaged = salvage(&place.store(), &to, &new, &|_| None, &mut |done, of| {
                assert!(done > seen && done <= of);
                seen = done;
            });
            let salvaged = salvaged.unwrap();
            assert!(salvaged.damage.is_empty());
            assert_eq!(salvaged.incarnation.end, seen.next());
            assert_eq!(files(&place.store()), before);
            let examined = examine(&to, &mut |_, _| {}).unwrap();
            assert_eq!(examined.engine, to_engine.unwrap_or(engine));
            assert!(!examined.is_damaged(), "{examined:?}");
            check(
                &to,
                &wanted,
                wanted.len() as u64,
                &[],
                IncarnationCause::Salvaged,
            );
        }
    }
}

#[test]
fn every_event_outside_the_damaged_frames_is_salvaged_and_the_others_are_named() {
    for engine in ENGINES {
        for damaged in [
            &[0][..],
            &[APPENDS / 2],
            &[APPENDS - 1],
            &[3, 4, 5, 20],
            &[0, APPENDS - 1],
        ] {
            let place = Place::new();
            let mut wanted = filled(&place.store(), engine);
            let reached = wanted.len() as u64;
            let frames: Vec<Vec<u8>> = {
                let store = open(&place.store());
                let frames = store.frames(Position(0), store.end());
                frames
                    .map(|frame| frame.unwrap().bytes().to_vec())
                    .collect()
            };
            let leaves: Vec<[u8; 32]> = wanted
                .iter()
                .map(|event| leaf_hash(&event.encode().unwrap()).0)
                .collect();
            let mut lost: Vec<(u64, u64)> = Vec::new();
            for append in damaged {
                // In the only block of the frame, behind its header and its table, and in the first piece
                // of the sled engine.
                let bytes = &frames[*append];
                damage(&place.store(), engine, &bytes[68..188]);
                let (first, last) = (
                    sequence::before(*append).0 + 1,
                    sequence::before(append + 1).0,
                );
                match lost.last_mut() {
                    Some((_, end)) if *end + 1 == first => *end = last,
                    _ => lost.push((first, last)),
                }
            }
            wanted.retain(|e| !lost.iter().any(|(a, b)| (*a..=*b).contains(&e.position.0)));
            fs::remove_dir_all(place.store().join("index")).unwrap();
            let examined = examine(&place.store(), &mut |_, _| {}).unwrap();
            let missing: Vec<_> = examined.missing.iter().map(|(a, b)| (a.0, b.0)).collect();
            assert_eq!(missing, lost, "{engine} {damaged:?}");
            assert!(examined.is_damaged() && examined.events == wanted.len() as u64);
            assert_eq!(examined.index, IndexState::Missing);
            let to = place.path().join("new");
            let leaf = |position: Position| {
                let number = usize::try_from(position.0).unwrap() - 1;
                position.0.is_multiple_of(2).then(|| leaves[number])
            };
            salvage(
                &place.store(),
                &to,
                &new_incarnation(),
                &leaf,
                &mut |_, _| {},
            )
            .unwrap();
            check(&to, &wanted, reached, &lost, IncarnationCause::Salvaged);
            let store = open(&to);
            for frame in store.frames(Position(0), store.end()) {
                let frame = frame.unwrap();
                for position in (frame.first().0..=frame.last().0).map(Position) {
                    let known = frame.is_lost().then(|| leaf(position)).flatten();
                    assert_eq!(frame.lost_leaf(position), known);
                }
            }
        }
    }
}

#[test]
fn what_the_store_had_reached_and_is_gone_is_lost_too() {
    for engine in ENGINES {
        let place = Place::new();
        let mut wanted = filled(&place.store(), engine);
        let reached = wanted.len() as u64;
        let file = log_file(&place.store(), engine);
        fs::write(&file, b"").unwrap();
        assert!(try_open(&place.store()).is_err());
        let to = place.path().join("new");
        salvage(
            &place.store(),
            &to,
            &new_incarnation(),
            &|_| None,
            &mut |_, _| {},
        )
        .unwrap();
        wanted.clear();
        check(
            &to,
            &wanted,
            reached,
            &[(1, reached)],
            IncarnationCause::Salvaged,
        );
    }
}

#[test]
fn a_store_without_its_manifest_is_salvaged_with_what_its_vault_knows() {
    for engine in ENGINES {
        let place = Place::new();
        let wanted = filled(&place.store(), engine);
        fs::write(place.store().join("manifest"), "nothing").unwrap();
        let to = place.path().join("new");
        let missing = salvage(
            &place.store(),
            &to,
            &new_incarnation(),
            &|_| None,
            &mut |_, _| {},
        );
        assert!(missing.unwrap_err().is_damage() && !to.exists());
        let new = NewIncarnation {
            identity: Some(Identity {
                store_id: STORE_ID,
                pepper: Pepper::public().id(),
            }),
            ..new_incarnation()
        };
        salvage(&place.store(), &to, &new, &|_| None, &mut |_, _| {}).unwrap();
        check(
            &to,
            &wanted,
            wanted.len() as u64,
            &[],
            IncarnationCause::Salvaged,
        );
        // The next one knows from the log that it is the third.
        fs::remove_file(to.join("manifest")).unwrap();
        let third = place.path().join("third");
        let salvaged = salvage(&to, &third, &new, &|_| None, &mut |_, _| {}).unwrap();
        assert_eq!(salvaged.incarnation.number, 3);
        assert_eq!(open(&third).description().incarnation, 3);
    }
}

#[test]
fn nothing_is_written_over_and_nothing_half_made_is_left() {
    let place = Place::new();
    filled(&place.store(), "journal");
    let to = place.path().join("new");
    fs::create_dir(&to).unwrap();
    let there = salvage(
        &place.store(),
        &to,
        &new_incarnation(),
        &|_| None,
        &mut |_, _| {},
    );
    assert!(matches!(there, Err(StoreError::Exists { .. })));
    fs::remove_dir(&to).unwrap();
    let backup = place.path().join("backup");
    back_up(&place.store(), &backup, clock(), &mut |_, _| {}).unwrap();
    let file = log_file(&backup, "journal");
    let mut bytes = fs::read(&file).unwrap();
    bytes[200] ^= 1;
    fs::write(&file, bytes).unwrap();
    let damaged = restore(&backup, &to, &new_incarnation(), &mut |_, _| {}).unwrap_err();
    assert!(damaged.is_damage(), "{damaged}");
    let names = fs::read_dir(place.path()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["backup", "store"]);
    // What a killed attempt left is removed by the next one, and nothing else has its name.
    let id: String = STORE_ID.iter().map(|byte| format!("{byte:02x}")).collect();
    let remains = place.path().join(format!(".new.new-{id}"));
    fs::create_dir(&remains).unwrap();
    fs::write(remains.join("manifest"), "half").unwrap();
    let new = new_incarnation();
    salvage(&place.store(), &to, &new, &|_| None, &mut |_, _| {}).unwrap();
    assert!(!remains.exists());
    fs::remove_dir_all(&to).unwrap();
    let held = open(&place.store());
    let in_use = salvage(
        &place.store(),
        &to,
        &new_incarnation(),
        &|_| None,
        &mut |_, _| {},
    );
    assert!(matches!(in_use, Err(StoreError::InUse { .. })));
    drop(held);
    let wrong = restore(&place.store(), &to, &new_incarnation(), &mut |_, _| {});
    assert!(matches!(wrong, Err(StoreError::NotABackup { .. })));
    let wrong = try_open(&backup).map(|_| ());
    assert!(matches!(wrong, Err(StoreError::IsBackup { .. })));
    let wrong = back_up(&place.store(), &place.store(), clock(), &mut |_, _| {});
    assert!(matches!(wrong, Err(StoreError::NotABackup { .. })));
    assert!(
        !examine(&place.store(), &mut |_, _| {})
            .unwrap()
            .is_damaged()
    );
}

#[test]
fn a_backup_is_brought_up_to_date_and_restored_from_either_engine() {
    for engine in ENGINES {
        let place = Place::new();
        let store = create(&place.store(), engine);
        let backup = place.path().join("backup");
        for append in 0..APPENDS {
            store
                .append(sequence::facts(append), &[], Known::Refuse)
                .unwrap();
            if append % 4 == 1 {
                let done = store.back_up(&backup, &mut |_, _| {}).unwrap();
                assert_eq!(done.end, store.end());
            }
        }
        let wanted = events(&store);
        store.close().unwrap();
        let done = back_up(&place.store(), &backup, clock(), &mut |_, _| {}).unwrap();
        assert_eq!(done.end.0, wanted.len() as u64);
        let none = back_up(&place.store(), &backup, clock(), &mut |_, _| {}).unwrap();
        assert_eq!((none.copied_bytes, none.before), (0, done.end));
        for to_engine in ENGINES {
            let to = place.path().join(to_engine);
            let new = NewIncarnation {
                engine: Engine::named(to_engine).map(|engine| engine.name),
                ..new_incarnation()
            };
            restore(&backup, &to, &new, &mut |_, _| {}).unwrap();
            check(&to, &wanted, done.end.0, &[], IncarnationCause::Restored);
        }
        // The restored one goes its own way, so the backup of the old one is not its backup any more.
        let to = place.path().join("sled");
        back_up(&to, &backup, clock(), &mut |_, _| {}).unwrap();
        append_one(&place.store());
        let parted = back_up(&place.store(), &backup, clock(), &mut |_, _| {}).unwrap_err();
        assert!(parted.is_refusal(), "{parted}");
        append_one(&place.store());
        append_one(&place.store());
        let parted = back_up(&place.store(), &backup, clock(), &mut |_, _| {}).unwrap_err();
        assert!(matches!(parted, StoreError::Parted { .. }), "{parted}");
    }
}

fn append_one(path: &Path) {
    let store = open(path);
    let record = 50_000 + usize::try_from(store.end().0).unwrap();
    let fact = session_started(record, "s", "t.example");
    store.append(vec![fact], &[], Known::Refuse).unwrap();
    store.close().unwrap();
}

#[test]
fn a_backup_of_a_salvaged_store_keeps_the_places_of_what_was_lost() {
    let place = Place::new();
    let wanted = filled(&place.store(), "journal");
    let before = place.path().join("before");
    back_up(&place.store(), &before, clock(), &mut |_, _| {}).unwrap();
    fs::write(log_file(&place.store(), "journal"), b"").unwrap();
    let new = place.path().join("new");
    salvage(
        &place.store(),
        &new,
        &new_incarnation(),
        &|_| None,
        &mut |_, _| {},
    )
    .unwrap();
    let refused = back_up(&new, &before, clock(), &mut |_, _| {}).unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Parted {
            position: Position(1),
            ..
        }
    ));
    let after = place.path().join("after");
    back_up(&new, &after, clock(), &mut |_, _| {}).unwrap();
    append_one(&new);
    back_up(&new, &after, clock(), &mut |_, _| {}).unwrap();
    let third = place.path().join("third");
    let begun = restore(&after, &third, &new_incarnation(), &mut |_, _| {}).unwrap();
    let lost = vec![(Position(1), Position(wanted.len() as u64))];
    assert_eq!((begun.number, begun.lost), (3, lost.clone()));
    let third = open(&third);
    assert_eq!((third.lost(), events(&third).len()), (&lost[..], 3));
}

/// The last end that a writer noted.
fn witnessed(witness: &Path) -> Option<Position> {
    let notes = witness::read(witness, u64::MAX).into_iter();
    let ends = notes.filter_map(|note| match note {
        Note::Acknowledged { append, .. } => Some(sequence::before(append + 1)),
        _ => None,
    });
    ends.max()
}

#[test]
fn a_backup_beside_a_writer_is_a_prefix_of_whole_appends_and_grows() {
    let place = Place::new();
    create(&place.store(), "journal").close().unwrap();
    // It closes and opens its store often, and its segments are short.
    let orders = Orders {
        store: place.store(),
        witness: place.path().join("witness"),
        engine: "journal".to_owned(),
        appends: 100_000,
        window: 5,
        close_every: 50,
        close: false,
    };
    let start_writer = |orders: &Orders| {
        let mut writer = Command::new(env!("CARGO_BIN_EXE_store_writer"));
        writer.args(orders.arguments()).spawn().unwrap()
    };
    let mut writer = start_writer(&orders);
    let backup = place.path().join("backup");
    let mut ends = Vec::new();
    let start = Instant::now();
    while ends.len() < 5 && start.elapsed() < WRITER_PATIENCE {
        let done = back_up(&place.store(), &backup, clock(), &mut |_, _| {}).unwrap();
        assert!(ends.last().is_none_or(|end| *end <= done.end));
        if ends.last() != Some(&done.end) {
            ends.push(done.end);
            let to = place.path().join(format!("restored-{}", done.end));
            restore(&backup, &to, &new_incarnation(), &mut |_, _| {}).unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert_eq!(
        ends.len(),
        5,
        "the writer came to write too little: {ends:?}"
    );
    // That kill may have come while the store was closed. One that never closes it is killed while it writes.
    let close_every = orders.appends;
    let mut writer = start_writer(&Orders {
        close_every,
        ..orders.clone()
    });
    let manifest = place.store().join("manifest");
    let is_written = || {
        let manifest = fs::read_to_string(&manifest).unwrap();
        manifest.lines().any(|line| line == "open true")
    };
    // What the first one left open is recovered before anything is written.
    let reached = witnessed(&orders.witness);
    while !is_written() || witnessed(&orders.witness) == reached {
        assert_eq!(writer.try_wait().unwrap(), None);
        std::thread::sleep(Duration::from_millis(1));
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    let killed = place.path().join("killed");
    copy(&place.store(), &killed);
    back_up(&place.store(), &backup, clock(), &mut |_, _| {}).unwrap();
    let whole = events(&open(&place.store()));
    for end in ends {
        let restored = open(&place.path().join(format!("restored-{end}")));
        let mut found = events(&restored);
        found.pop();
        assert_eq!(found, whole[..usize::try_from(end.0).unwrap()]);
        assert!(
            sequence::following(end).is_some(),
            "half an append at {end}"
        );
    }
    let examined = examine(&killed, &mut |_, _| {}).unwrap();
    assert!(
        !examined.is_closed && !examined.is_damaged(),
        "{examined:?}"
    );
}
