//! Whatever tiles are kept, roots and proofs are those of the log; tiles that are missing, damaged, older
//! or of another log are noticed and written again; and who only reads writes nothing.

use super::shelf::{Shelf, key};
use super::{BlockSize, Comparison, Kept, KeptLeaves, TileKeeper, leaf_at, manifest, watermark};
use crate::id::Position;
use crate::limits::TILE_PIECE_HASHES;
use crate::log::{CommitLog, Epoch, Frame, MemoryLog};
use crate::proof::{
    MemoryTiles, TileId, Tiles, Tree, TreeHash, TreeSize, consistency, inclusion, leaf_hash, tile,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const STORE: [u8; 16] = [7; 16];
const SMALL: BlockSize = BlockSize::at_least(256);
/// Frames of so many events, so that neither blocks nor tiles begin where a frame does.
const FRAME_EVENTS: u64 = 37;

/// A log of events that a seed tells apart. Some frames are lost, with their leaves and without.
fn log(events: u64, seed: u64) -> Arc<MemoryLog> {
    let log = MemoryLog::default();
    let mut first = 1;
    while first <= events {
        let last = events.min(first + FRAME_EVENTS - 1);
        let stored: Vec<_> = (first..=last).map(|number| event(number, seed)).collect();
        let leaf = |(at, bytes): (usize, &Vec<u8>)| (at % 3 != 0).then(|| leaf_hash(bytes).0);
        let leaves: Vec<_> = stored.iter().enumerate().map(leaf).collect();
        let frame = match first / FRAME_EVENTS % 11 {
            5 => Frame::lost(Epoch(1), Position(first), &leaves),
            _ => Frame::new(Epoch(1), Position(first), &stored),
        };
        log.append(&frame.unwrap()).unwrap();
        first = last + 1;
    }
    Arc::new(log)
}

fn event(number: u64, seed: u64) -> Vec<u8> {
    [number.to_le_bytes(), seed.to_le_bytes()].concat()
}

/// The tree over the whole log, with all its tiles and its root at every size.
fn oracle(log: &MemoryLog) -> (MemoryTiles, Vec<TreeHash>) {
    let mut tree = Tree::default();
    let mut tiles = MemoryTiles::default();
    let mut roots = vec![tree.root()];
    for number in 1..=log.end().0 {
        let frame = log.frame(Position(number)).unwrap().unwrap();
        let leaf = leaf_at(&frame, Position(number));
        tree.push(leaf, |id, hashes| tiles.put(id, hashes));
        roots.push(tree.root());
    }
    for (id, hashes) in tree.unfinished() {
        tiles.put(id, hashes);
    }
    (tiles, roots)
}

fn open(store: &Path, size: BlockSize, log: &Arc<MemoryLog>) -> TileKeeper {
    let log: Arc<dyn CommitLog> = Arc::<MemoryLog>::clone(log);
    TileKeeper::open(store, STORE, size, log)
}

/// Writes all blocks that the log has and closes them.
fn write_all(store: &Path, size: BlockSize, log: &Arc<MemoryLog>) {
    let keeper = open(store, size, log);
    keeper.write_missing(log.end(), |_| {}).unwrap();
    keeper.close();
}

/// Compares the roots at one of `step` sizes that are covered, and proofs between some of them.
fn check(kept: &Kept, tiles: &MemoryTiles, roots: &[TreeHash], step: usize) {
    let size = kept.tree_size();
    let covered = roots.iter().enumerate().take(size.0 as usize + 1);
    for (leaves, root) in covered.step_by(step) {
        let found = tile::root(kept, TreeSize(leaves as u64)).unwrap();
        assert_eq!(found, *root, "{leaves} leaves");
    }
    for number in (1..=size.0).step_by(97) {
        let position = Position(number);
        let wanted = inclusion::prove(tiles, position, size).unwrap();
        assert_eq!(inclusion::prove(kept, position, size).unwrap(), wanted);
        let from = TreeSize(number);
        let wanted = consistency::prove(tiles, from, size).unwrap();
        assert_eq!(consistency::prove(kept, from, size).unwrap(), wanted);
    }
}

#[test]
fn roots_and_proofs_from_tiles_are_those_of_the_log_at_every_size() {
    for (events, size) in [
        (255, 256),
        (256, 256),
        (1_500, 256),
        (1_500, 512),
        (4_200, 1_024),
    ] {
        let store = tempfile::tempdir().unwrap();
        let size = BlockSize::at_least(size);
        let log = log(events, 1);
        write_all(store.path(), size, &log);
        let kept = open(store.path(), size, &log).kept();
        assert_eq!(kept.tree_size().0, events / size.leaves() * size.leaves());
        let (tiles, roots) = oracle(&log);
        check(&kept, &tiles, &roots, 1);
        // A tree that goes on from them is that of the log.
        let mut tree = Tree::resume(&kept, kept.tree_size()).unwrap();
        for number in kept.tree_size().0 + 1..=events {
            let frame = log.frame(Position(number)).unwrap().unwrap();
            tree.push(leaf_at(&frame, Position(number)), |_, _| {});
            assert_eq!(tree.root(), roots[number as usize]);
        }
    }
}

#[test]
fn blocks_of_several_whole_tiles_of_level_one_lead_to_the_same_roots() {
    let store = tempfile::tempdir().unwrap();
    let size = BlockSize::at_least(1 << 17);
    let events = (1 << 18) + 300;
    let log = {
        let log = MemoryLog::default();
        for first in (1..=events).step_by(4_000) {
            let numbers = first..=events.min(first + 3_999);
            let stored: Vec<_> = numbers.map(|number| event(number, 3)).collect();
            let frame = Frame::new(Epoch(1), Position(first), &stored).unwrap();
            log.append(&frame).unwrap();
        }
        Arc::new(log)
    };
    write_all(store.path(), size, &log);
    let kept = open(store.path(), size, &log).kept();
    assert_eq!(kept.tree_size().0, 1 << 18);
    let mut tree = Tree::default();
    let mut tiles = MemoryTiles::default();
    let mut above = Vec::new();
    for number in 1..=1 << 18 {
        tree.push(leaf_hash(&event(number, 3)), |id, hashes| {
            tiles.put(id, hashes);
            above.extend((id.level > 0).then_some(id));
        });
        let is_looked_at = number % 10_007 == 0 || number % 65_536 < 2;
        if is_looked_at {
            let root = tile::root(&kept, TreeSize(number)).unwrap();
            assert_eq!(root, tree.root(), "{number} leaves");
        }
    }
    assert_eq!(above.len(), 4);
    for id in above {
        assert_eq!(kept.tile(id, 256).unwrap(), tiles.tile(id, 256).unwrap());
    }
    let level_two = TileId { level: 2, index: 0 };
    let unfinished: Vec<_> = tree.unfinished().collect();
    assert_eq!(unfinished.len(), 1);
    assert_eq!(kept.tile(level_two, 4).unwrap(), unfinished[0].1);
}

#[test]
fn a_thread_writes_each_block_once_the_log_has_reached_its_end() {
    let store = tempfile::tempdir().unwrap();
    let log = log(1_100, 1);
    let keeper = open(store.path(), SMALL, &log);
    let said = keeper.state().doubt;
    assert_eq!(said.as_deref(), Some("there are none"));
    keeper.reached(Position(255));
    keeper.reached(Position(600));
    wait_for(&keeper, 512);
    keeper.reached(Position(767));
    keeper.reached(Position(768));
    wait_for(&keeper, 768);
    keeper.close();
    // After the end nothing is written any more.
    keeper.reached(Position(1_100));
    keeper.close();
    assert_eq!(keeper.state().kept, Position(768));
    assert_eq!(watermark(store.path(), STORE), Position(768));
    assert_eq!(watermark(store.path(), [0; 16]), Position(0));
}

fn wait_for(keeper: &TileKeeper, kept: u64) {
    let begun = Instant::now();
    while keeper.state().kept != Position(kept) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{kept}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn who_only_reads_leaves_no_trace() {
    let store = tempfile::tempdir().unwrap();
    let log = log(1_100, 1);
    let keeper = open(store.path(), SMALL, &log);
    assert_eq!(keeper.kept().tree_size(), TreeSize(0));
    assert!(keeper.state().doubt.is_some());
    keeper.close();
    drop(keeper);
    assert_eq!(fs::read_dir(store.path()).unwrap().count(), 0);
    // Nor does one that appends, before there is a block.
    let keeper = open(store.path(), SMALL, &log);
    keeper.reached(Position(255));
    keeper.close();
    assert_eq!(fs::read_dir(store.path()).unwrap().count(), 0);
}

/// Every file below a directory and what is in it, but for the file that only saves time.
fn content(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(content(&path)),
            false if path.ends_with("seen") => {}
            false => files.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    files.sort();
    files
}

/// What was done to the tiles is noticed, changes no answer, and is mended.
fn noticed(what: &str, store: &Path, log: &Arc<MemoryLog>, oracle: &(MemoryTiles, Vec<TreeHash>)) {
    let (tiles, roots) = oracle;
    let whole = log.end().0 / 256 * 256;
    let keeper = open(store, SMALL, log);
    // Whatever is believed is right.
    let mut kept = keeper.kept();
    while let Err(found) = tile::root(&kept, TreeSize(300)).and_then(|root| {
        assert_eq!(root, roots[300], "{what}");
        inclusion::prove(&kept, Position(1), kept.tree_size())
    }) {
        keeper.doubt(&found);
        kept.shorten(found.number);
        if kept.tree_size().0 < 300 {
            break;
        }
    }
    keeper.write_missing(log.end(), |_| {}).unwrap();
    assert!(keeper.state().doubt.is_some(), "{what}");
    assert_eq!(keeper.state().kept, Position(whole), "{what}");
    check(&keeper.kept(), tiles, roots, 64);
    keeper.close();
    drop(keeper);
    let keeper = open(store, SMALL, log);
    keeper
        .write_missing(log.end(), |_| panic!("{what}"))
        .unwrap();
    assert_eq!(keeper.state().doubt, None, "{what}");
    check(&keeper.kept(), tiles, roots, 61);
}

#[test]
fn every_file_that_is_changed_cut_missing_or_swapped_is_noticed() {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    fs::create_dir(&store).unwrap();
    let log = log(800, 1);
    let oracle = oracle(&log);
    write_all(&store, SMALL, &log);
    let files = content(&store.join("tiles"));
    assert!(files.len() > 9, "three blocks and a manifest");
    let again = || {
        fs::remove_dir_all(store.join("tiles")).unwrap();
        for (path, bytes) in &files {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    };
    for (path, bytes) in &files {
        let damages: &[&str] = match path.ends_with("db") {
            true => &["changed", "cut", "longer", "missing"],
            false => &["changed", "missing"],
        };
        for damage in damages {
            again();
            let mut changed = bytes.clone();
            match *damage {
                "changed" => changed[bytes.len() / 2] ^= 4,
                "cut" => changed.truncate(bytes.len() / 2),
                "longer" => changed.push(0),
                _ => fs::remove_file(path).unwrap(),
            }
            if *damage != "missing" {
                fs::write(path, changed).unwrap();
            }
            let what = format!("{damage} {}", path.display());
            noticed(&what, &store, &log, &oracle);
        }
    }
    again();
    // With the stamps of the files noted: the one that was changed has another one.
    write_all(&store, SMALL, &log);
    let path = store.join("tiles/block-1/db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[1_000] ^= 1;
    fs::write(&path, bytes).unwrap();
    noticed("changed beside its stamp", &store, &log, &oracle);
    again();
    fs::remove_dir_all(store.join("tiles/block-2")).unwrap();
    noticed("a block is gone", &store, &log, &oracle);
    again();
    fs::rename(store.join("tiles/block-2"), store.join("tiles/aside")).unwrap();
    fs::rename(store.join("tiles/block-1"), store.join("tiles/block-2")).unwrap();
    fs::rename(store.join("tiles/aside"), store.join("tiles/block-1")).unwrap();
    noticed("blocks are swapped", &store, &log, &oracle);
    again();
    fs::remove_dir_all(store.join("tiles")).unwrap();
    noticed("all is gone", &store, &log, &oracle);
}

#[test]
fn only_the_block_that_is_wrong_is_written_again() {
    let store = tempfile::tempdir().unwrap();
    let log = log(1_300, 1);
    write_all(store.path(), SMALL, &log);
    fs::remove_dir_all(store.path().join("tiles/block-2")).unwrap();
    let keeper = open(store.path(), SMALL, &log);
    let mut written = Vec::new();
    let note = |position: Position| written.push(position.0);
    keeper.write_missing(log.end(), note).unwrap();
    assert_eq!(written, [512]);
    let said = keeper.state().doubt.unwrap();
    assert!(said.contains("257 to 512"), "{said}");
}

#[test]
fn tiles_of_another_log_store_or_size_are_not_believed() {
    let store = tempfile::tempdir().unwrap();
    write_all(store.path(), SMALL, &log(800, 1));
    // The log was put back to an earlier state and went on in another way.
    let other = log(800, 2);
    let keeper = open(store.path(), SMALL, &other);
    assert_eq!(keeper.kept().tree_size(), TreeSize(0));
    let said = keeper.state().doubt.unwrap();
    assert!(said.contains("not that of the log"), "{said}");
    drop(keeper);
    noticed("another log", store.path(), &other, &oracle(&other));
    // The log ends before the tiles do.
    let shorter = log(600, 2);
    let keeper = open(store.path(), SMALL, &shorter);
    assert_eq!(keeper.kept().tree_size(), TreeSize(512));
    drop(keeper);
    let other_size = open(store.path(), BlockSize::at_least(512), &other);
    assert_eq!(other_size.kept().tree_size(), TreeSize(0));
    assert!(other_size.state().doubt.unwrap().contains("another size"));
    drop(other_size);
    let other_store = TileKeeper::open(store.path(), [9; 16], SMALL, other);
    assert_eq!(other_store.kept().tree_size(), TreeSize(0));
    let said = other_store.state().doubt.unwrap();
    assert!(said.contains("another store"), "{said}");
}

#[test]
fn a_tile_that_does_not_lead_to_its_root_is_not_used() {
    let store = tempfile::tempdir().unwrap();
    let log = log(800, 1);
    write_all(store.path(), SMALL, &log);
    let directory = store.path().join("tiles");
    let mut listed = manifest::read(&directory, STORE, SMALL).unwrap().unwrap();
    listed.get_mut(&1).unwrap().roots[0].0[0] ^= 1;
    manifest::write(&directory, STORE, SMALL, &listed).unwrap();
    let keeper = open(store.path(), SMALL, &log);
    let kept = keeper.kept();
    assert_eq!(kept.tree_size(), TreeSize(768));
    for id in [TileId { level: 0, index: 1 }, TileId { level: 1, index: 0 }] {
        let found = kept.tile(id, id.width(kept.tree_size())).unwrap_err();
        assert_eq!(found.number, 1);
    }
    assert!(kept.tile(TileId { level: 0, index: 2 }, 256).is_ok());
    assert_eq!(
        KeptLeaves::of(store.path(), STORE)
            .unwrap()
            .leaf(Position(300)),
        None
    );
}

#[test]
fn leaves_that_do_not_lead_to_their_node_are_not_used() {
    let store = tempfile::tempdir().unwrap();
    let size = BlockSize::at_least(512);
    let log = log(600, 1);
    write_all(store.path(), size, &log);
    let (tiles, _) = oracle(&log);
    let leaves = |index| tiles.tile(TileId { level: 0, index }, 256).unwrap();
    let nodes = tiles.tile(TileId { level: 1, index: 0 }, 2).unwrap();
    let shelf = Shelf::new(store.path(), STORE, size);
    let mut sink = shelf.create(9).unwrap();
    // The leaves of the two tiles are exchanged.
    for (level, hashes) in [(0, [leaves(1), leaves(0)].concat()), (1, nodes)] {
        for (number, piece) in hashes.chunks(TILE_PIECE_HASHES).enumerate() {
            let first = (number * TILE_PIECE_HASHES) as u64;
            let value = piece.iter().flat_map(|hash| hash.0).collect();
            sink.put(key(level, first), value).unwrap();
        }
    }
    let (hash, _) = sink.seal().unwrap();
    let directory = store.path().join("tiles");
    let mut listed = manifest::read(&directory, STORE, size).unwrap().unwrap();
    let info = listed.get_mut(&0).unwrap();
    (info.number, info.hash) = (9, hash);
    manifest::write(&directory, STORE, size, &listed).unwrap();
    let kept = KeptLeaves::of(store.path(), STORE).unwrap();
    assert_eq!(kept.leaf(Position(1)), None);
    assert_eq!(
        open(store.path(), size, &log).kept().tree_size(),
        TreeSize(0)
    );
}

#[test]
fn a_block_that_was_written_but_not_listed_is_removed_and_written_again() {
    let store = tempfile::tempdir().unwrap();
    let log = log(800, 1);
    let tiles = store.path().join("tiles");
    let keeper = open(store.path(), SMALL, &log);
    keeper.write_missing(Position(512), |_| {}).unwrap();
    let before = fs::read(tiles.join("manifest")).unwrap();
    keeper.write_missing(Position(800), |_| {}).unwrap();
    keeper.close();
    drop(keeper);
    fs::write(tiles.join("manifest"), before).unwrap();
    fs::create_dir(tiles.join("block-8")).unwrap();
    fs::write(tiles.join("block-8/db"), b"half of it").unwrap();
    let keeper = open(store.path(), SMALL, &log);
    assert_eq!(keeper.kept().tree_size(), TreeSize(512));
    let mut written = Vec::new();
    let note = |position: Position| written.push(position.0);
    keeper.write_missing(log.end(), note).unwrap();
    assert_eq!((written, keeper.state().doubt), (vec![768], None));
    let (all, roots) = oracle(&log);
    check(&keeper.kept(), &all, &roots, 16);
    let names = fs::read_dir(&tiles).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["block-1", "block-2", "block-3", "manifest", "seen"]);
}

#[test]
fn leaves_are_found_without_a_log_where_their_block_is_whole() {
    let store = tempfile::tempdir().unwrap();
    let log = log(800, 1);
    write_all(store.path(), SMALL, &log);
    let leaf = |number| {
        let frame = log.frame(Position(number)).unwrap().unwrap();
        leaf_at(&frame, Position(number)).0
    };
    let kept = KeptLeaves::of(store.path(), STORE).unwrap();
    for number in 1..=768 {
        assert_eq!(kept.leaf(Position(number)), Some(leaf(number)), "{number}");
    }
    for absent in [0, 769, 800, 801, u64::MAX] {
        assert_eq!(kept.leaf(Position(absent)), None);
    }
    drop(kept);
    fs::write(store.path().join("tiles/block-2/db"), b"garbage").unwrap();
    let kept = KeptLeaves::of(store.path(), STORE).unwrap();
    assert_eq!(kept.leaf(Position(256)), Some(leaf(256)));
    assert_eq!(kept.leaf(Position(257)), None);
    assert_eq!(kept.leaf(Position(512)), None);
    assert_eq!(kept.leaf(Position(513)), Some(leaf(513)));
    assert!(KeptLeaves::of(store.path(), [9; 16]).is_err());
    let empty = tempfile::tempdir().unwrap();
    let none = KeptLeaves::of(empty.path(), STORE).unwrap();
    assert_eq!(none.leaf(Position(1)), None);
}

#[test]
fn a_comparison_names_the_tiles_that_are_not_those_of_the_log() {
    let store = tempfile::tempdir().unwrap();
    let log = log(800, 1);
    write_all(store.path(), SMALL, &log);
    let compare = |keeper: &TileKeeper, seed_of: &dyn Fn(u64) -> u64| {
        let mut comparison = Comparison::new(Some(keeper));
        let mut tree = Tree::default();
        for number in 1..=800 {
            let leaf = match seed_of(number) {
                1 => leaf_at(
                    &log.frame(Position(number)).unwrap().unwrap(),
                    Position(number),
                ),
                seed => leaf_hash(&event(number, seed)),
            };
            tree.push(leaf, |id, hashes| comparison.tile(id, hashes));
        }
        comparison.finish()
    };
    let keeper = open(store.path(), SMALL, &log);
    let found = compare(&keeper, &|_| 1);
    assert_eq!((found.right, found.wrong.len()), (768, 0));
    let found = compare(&keeper, &|number| if number == 400 { 2 } else { 1 });
    assert_eq!(found.right, 512);
    let [wrong] = found.wrong.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((wrong.first, wrong.last), (Position(257), Position(512)));
    assert_eq!(keeper.state().kept, Position(256));
    drop(keeper);
    write_all(store.path(), SMALL, &log);
    // A file that was changed is found without being asked for.
    let path = store.path().join("tiles/block-3/db");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let keeper = open(store.path(), SMALL, &log);
    let found = compare(&keeper, &|_| 1);
    assert_eq!((found.right, found.wrong.len()), (512, 1));
    assert_eq!(found.wrong[0].first, Position(513));
}

#[test]
fn what_cannot_be_written_stops_nobody() {
    let store = tempfile::tempdir().unwrap();
    let log = log(800, 1);
    fs::write(store.path().join("tiles"), b"a file").unwrap();
    let keeper = open(store.path(), SMALL, &log);
    keeper.reached(Position(800));
    keeper.close();
    keeper.reached(Position(801));
    assert_eq!(keeper.kept().tree_size(), TreeSize(0));
    assert!(keeper.write_missing(log.end(), |_| {}).is_err());
    assert_eq!(fs::read(store.path().join("tiles")).unwrap(), b"a file");
}
