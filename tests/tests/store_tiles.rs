//! A store with tiles signs and proves what one without them does; tiles that are wrong change no answer,
//! are named by verification and written again; they give back the leaves of events that are lost; and
//! who only reads leaves everything as it is.

use ledger::event::Fact;
use ledger::id::Position;
use ledger::proof::{CheckpointFolder, KeyName, SignerKey, TreeHash, TreeSize};
use ledger::store::{Known, Store};
use ledger::tiles::KeptLeaves;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tests::facts::{clock, tenant_created};
use tests::stores::{Place, SMALL, create};

/// Three blocks of 256 leaves and some more.
const EVENTS: usize = 900;
const BLOCKS_END: Position = Position(768);

fn facts(numbers: std::ops::Range<usize>) -> Vec<Fact> {
    let fact = |number: usize| tenant_created(number, &format!("t{}.example", number % 7));
    numbers.map(fact).collect()
}

fn fill(store: &Store, numbers: std::ops::Range<usize>) {
    for chunk in facts(numbers).chunks(50) {
        store.append(chunk.to_vec(), &[], Known::Refuse).unwrap();
    }
}

fn open(path: &Path) -> Store {
    Store::open_with(path, clock(), SMALL).unwrap()
}

fn key(store: &Store) -> SignerKey {
    SignerKey::new(KeyName::new(&store.origin().to_string()).unwrap(), &[3; 32])
}

/// A closed store whose tiles reach as far as they can.
fn with_tiles(path: &Path) {
    create(path).close().unwrap();
    let store = open(path);
    fill(&store, 0..EVENTS);
    wait_for_tiles(&store);
    store.close().unwrap();
}

fn wait_for_tiles(store: &Store) {
    let begun = Instant::now();
    while store.tiles().unwrap().kept != BLOCKS_END {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The roots at every size, computed by a store that has no tiles.
fn roots_of_the_log(store: &Store) -> Vec<TreeHash> {
    let mut tree = ledger::proof::Tree::default();
    let mut roots = vec![tree.root()];
    for stored in store.stored(Position(0)) {
        tree.push(stored.unwrap().leaf(), |_, _| {});
        roots.push(tree.root());
    }
    roots
}

fn check_roots(store: &Store, roots: &[TreeHash]) {
    let sizes = (0..roots.len() as u64).map(TreeSize);
    let some: Vec<_> = sizes
        .filter(|size| size.0 % 31 < 2 || size.0 % 256 < 2)
        .collect();
    let found = store.roots(&some).unwrap();
    for (size, root) in some.iter().zip(found) {
        assert_eq!(root, roots[size.0 as usize], "{size}");
    }
}

/// Every file below a directory and what is in it.
fn content(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(content(&path)),
            // It only says what the other files look like.
            false if path.ends_with("seen") => {}
            false => files.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    files.sort();
    files
}

#[test]
fn checkpoints_and_proofs_from_tiles_are_those_of_the_log() {
    let place = Place::new();
    with_tiles(&place.store());
    let store = open(&place.store());
    let roots = roots_of_the_log(&store);
    check_roots(&store, &roots);
    let folder = CheckpointFolder::of(&place.store());
    let early = store.checkpoint(&folder, &key(&store)).unwrap();
    assert_eq!(early.checkpoint().root, roots[EVENTS]);
    for position in [1, 256, 257, 700, 768, 769, 900] {
        let proof = store.prove_inclusion(Position(position), &early).unwrap();
        proof.verify(&key(&store).verifier()).unwrap();
    }
    fill(&store, EVENTS..EVENTS + 300);
    let late = store.checkpoint(&folder, &key(&store)).unwrap();
    let proof = store.prove_consistency(&early, &late).unwrap();
    proof.verify(&key(&store).verifier()).unwrap();
    check_roots(&store, &roots_of_the_log(&store));
    let verified = store.verify(&[late.checkpoint().clone()], |_| {}).unwrap();
    assert!(verified.tiles.right >= 768 && verified.tiles.wrong.is_empty());
    assert_eq!(store.tiles().unwrap().doubt, None);
}

#[test]
fn a_process_that_only_reads_leaves_tiles_as_they_are_wrong_ones_too() {
    let place = Place::new();
    with_tiles(&place.store());
    let db = place.store().join("tiles/block-2/db");
    let mut bytes = fs::read(&db).unwrap();
    bytes[700] ^= 1;
    fs::write(&db, bytes).unwrap();
    let tiles = place.store().join("tiles");
    let before = content(&tiles);
    let store = open(&place.store());
    let roots = roots_of_the_log(&store);
    check_roots(&store, &roots);
    let doubt = store.tiles().unwrap().doubt.unwrap();
    assert!(doubt.contains("257 to 512"), "{doubt}");
    store.close().unwrap();
    let after = content(&tiles);
    let paths = |files: &[(PathBuf, Vec<u8>)]| -> Vec<_> {
        files
            .iter()
            .map(|(path, bytes)| (path.clone(), bytes.len()))
            .collect()
    };
    assert_eq!(paths(&after), paths(&before));
    assert!(after == before);
}

#[test]
fn verification_names_wrong_tiles_and_the_log_holds() {
    let place = Place::new();
    with_tiles(&place.store());
    fs::write(place.store().join("tiles/block-3/db"), b"garbage").unwrap();
    let store = open(&place.store());
    let verified = store.verify(&[], |_| {}).unwrap();
    assert_eq!((verified.size.0, verified.tiles.right), (900, 512));
    let [wrong] = verified.tiles.wrong.as_slice() else {
        panic!("{verified:?}");
    };
    assert_eq!((wrong.first, wrong.last), (Position(513), BLOCKS_END));
    // Whoever appends writes them again.
    assert_eq!(store.tiles().unwrap().kept, Position(512));
    fill(&store, EVENTS..EVENTS + 1);
    wait_for_tiles(&store);
    let verified = store.verify(&[], |_| {}).unwrap();
    assert_eq!((verified.tiles.right, verified.tiles.wrong.len()), (768, 0));
    store.close().unwrap();
}

#[test]
fn tiles_that_are_gone_are_written_when_somebody_asks_for_it() {
    let place = Place::new();
    with_tiles(&place.store());
    fs::remove_dir_all(place.store().join("tiles")).unwrap();
    let store = open(&place.store());
    assert_eq!(store.tiles().unwrap().kept, Position(0));
    assert!(store.tiles().unwrap().doubt.is_some());
    check_roots(&store, &roots_of_the_log(&store));
    let mut ends = Vec::new();
    store.write_tiles(|position| ends.push(position.0)).unwrap();
    assert_eq!(ends, [256, 512, 768]);
    check_roots(&store, &roots_of_the_log(&store));
    store.close().unwrap();
}

#[test]
fn a_log_that_ends_before_its_tiles_do_is_not_opened() {
    let place = Place::new();
    with_tiles(&place.store());
    let tiles = place.path().join("tiles");
    fs::rename(place.store().join("tiles"), &tiles).unwrap();
    let other = place.path().join("other");
    create(&other).close().unwrap();
    let store = open(&other);
    fill(&store, 0..100);
    store.close().unwrap();
    fs::rename(&tiles, other.join("tiles")).unwrap();
    let refused = Store::open_with(&other, clock(), SMALL);
    let message = refused.err().map(|error| error.to_string());
    assert!(message.is_some_and(|message| message.contains("768")));
}

#[test]
fn tiles_give_the_leaves_of_a_store_whose_log_is_gone() {
    let place = Place::new();
    with_tiles(&place.store());
    let store = open(&place.store());
    let id = store.description().store_id;
    let leaves: Vec<_> = store
        .stored(Position(0))
        .map(|event| event.unwrap().leaf().0)
        .collect();
    store.close().unwrap();
    fs::remove_dir_all(place.store().join("log")).unwrap();
    let kept = KeptLeaves::of(&place.store(), id).unwrap();
    for (position, leaf) in (1..).zip(leaves) {
        let known = (position <= BLOCKS_END.0).then_some(leaf);
        assert_eq!(kept.leaf(Position(position)), known);
    }
}
