//! A store proves of itself only what is so: every engine leads to the same root, verification names
//! the first position that is not what it was, and nothing is signed or proved against a log that is
//! not the one that was signed.

use ledger::event::{Event, Fact};
use ledger::id::Position;
use ledger::index::RunSize;
use ledger::log::{CommitLog, ENGINES, Epoch, Frame, LogError, MemoryLog, Opening};
use ledger::proof::{
    Checkpoint, CheckpointFolder, KeyName, SignerKey, Tree, TreeHash, TreeSize, leaf_hash,
};
use ledger::store::{IntegrityError, Known, Store};
use ledger::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::facts::{clock, tenant_created};
use tests::stores::Place;

const EVENTS: usize = 700;

fn fact(number: usize) -> Fact {
    tenant_created(number, &format!("t{}.example", number % 7))
}

fn key(store: &Store) -> SignerKey {
    SignerKey::new(KeyName::new(&store.origin().to_string()).unwrap(), &[3; 32])
}

fn over(log: Box<dyn CommitLog>) -> Store {
    Store::over(log, clock(), RunSize::default()).unwrap()
}

/// Appends facts of these numbers, some in one frame, some alone.
fn fill(store: &Store, numbers: std::ops::Range<usize>) {
    let facts: Vec<Fact> = numbers.map(fact).collect();
    for chunk in facts.chunks(50) {
        store.append(chunk.to_vec(), &[], Known::Refuse).unwrap();
    }
}

/// The stored bytes of the events from 1 on, recorded at these microseconds.
fn stored(recorded_at: &[i64]) -> Vec<Vec<u8>> {
    let one = |(number, micros): (usize, &i64)| {
        let event = Event {
            position: Position(number as u64 + 1),
            recorded_at: Timestamp::from_micros(*micros),
            fact: fact(number),
        };
        event.encode_checked().unwrap()
    };
    recorded_at.iter().enumerate().map(one).collect()
}

/// A log of these frames: epoch and events.
fn log(frames: &[(u64, &[Vec<u8>])]) -> Box<MemoryLog> {
    let log = MemoryLog::default();
    for (epoch, events) in frames {
        let first = log.end().next();
        let frame = Frame::new(Epoch(*epoch), first, events).unwrap();
        log.append(&frame).unwrap();
    }
    Box::new(log)
}

fn checkpoint(store: &Store, size: u64, root: TreeHash) -> Checkpoint {
    Checkpoint {
        origin: store.origin(),
        size: TreeSize(size),
        root,
        extensions: Vec::new(),
    }
}

fn root_of(leaves: impl IntoIterator<Item = TreeHash>) -> TreeHash {
    let mut tree = Tree::default();
    leaves
        .into_iter()
        .for_each(|leaf| tree.push(leaf, |_, _| {}));
    tree.root()
}

#[test]
fn every_engine_leads_to_the_same_roots_and_to_proofs_that_hold() {
    let mut seen: Vec<Vec<TreeHash>> = Vec::new();
    for engine in ENGINES {
        let place = Place::new();
        let store = over((engine.open)(place.path(), Opening::clean()).unwrap().log);
        let folder = CheckpointFolder::of(place.path());
        let key = key(&store);
        let mut signed = vec![store.checkpoint(&folder, &key).unwrap()];
        for numbers in [0..1, 1..300, 300..EVENTS] {
            fill(&store, numbers);
            signed.push(store.checkpoint(&folder, &key).unwrap());
        }
        assert_eq!(folder.checkpoints().unwrap(), signed);
        let last = signed.last().unwrap();
        for position in [1, 2, 256, 257, 300, 301, 700] {
            let proof = store.prove_inclusion(Position(position), last).unwrap();
            proof.verify(&key.verifier()).unwrap();
            let event = proof.event().unwrap().unwrap();
            assert_eq!(Some(event), store.event(Position(position)).unwrap());
        }
        for from in &signed {
            let proof = store.prove_consistency(from, last).unwrap();
            proof.verify(&key.verifier()).unwrap();
        }
        let known: Vec<Checkpoint> = signed.iter().map(|s| s.checkpoint().clone()).collect();
        let mut seen_to = Position(0);
        let verified = store.verify(&known, |position| seen_to = position).unwrap();
        assert_eq!((verified.size, verified.lost), (TreeSize(700), 0));
        assert_eq!(
            (verified.root, verified.checkpoints),
            (last.checkpoint().root, 4)
        );
        assert_eq!(seen_to, Position(700));
        let leaves = store.stored(Position(0)).map(|event| {
            let event = event.unwrap();
            assert_eq!(event.leaf(), leaf_hash(event.bytes().unwrap()));
            event.leaf()
        });
        assert_eq!(root_of(leaves), verified.root);
        assert_eq!(store.stored(Position(690)).count(), 10);
        seen.push(known.iter().map(|checkpoint| checkpoint.root).collect());
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
}

#[test]
fn an_event_that_was_changed_under_a_right_frame_hash_is_found_by_the_checkpoints() {
    let whole = stored(&[5; 30]);
    let store = over(log(&[(1, &whole)]));
    let sizes = [TreeSize(10), TreeSize(20), TreeSize(30)];
    let roots = store.roots(&sizes).unwrap();
    let known: Vec<Checkpoint> = (sizes.iter().zip(&roots))
        .map(|(size, root)| checkpoint(&store, size.0, *root))
        .collect();
    store.verify(&known, |_| {}).unwrap();
    let mut recorded_at = [5; 30];
    recorded_at[14..].fill(6);
    let forged = stored(&recorded_at);
    let forged = over(log(&[(1, &forged)]));
    let found = forged.verify(&known, |_| {});
    let Err(error @ IntegrityError::OtherRoot { .. }) = found else {
        panic!("{found:?}");
    };
    assert!(error.is_damage());
    assert!(error.to_string().contains("positions 11 to 20"), "{error}");
    // What no checkpoint covers passes: everybody can compute hashes.
    forged.verify(&known[..1], |_| {}).unwrap();
}

/// A log whose content becomes another while it is open, as if somebody wrote to the medium.
struct Changing {
    before: Vec<Frame>,
    after: Vec<Frame>,
    changed: Arc<AtomicBool>,
}

impl CommitLog for Changing {
    fn end(&self) -> Position {
        self.before.last().map_or(Position(0), Frame::last)
    }

    fn append(&self, _: &Frame) -> Result<(), LogError> {
        panic!("nothing is appended here")
    }

    fn sync(&self) -> Result<(), LogError> {
        Ok(())
    }

    fn frame(&self, position: Position) -> Result<Option<Arc<Frame>>, LogError> {
        let frames = match self.changed.load(Ordering::Relaxed) {
            true => &self.after,
            false => &self.before,
        };
        let found = frames.iter().find(|frame| frame.holds(position));
        Ok(found.cloned().map(Arc::new))
    }
}

fn frames(parts: &[(u64, u64, &[Vec<u8>])]) -> Vec<Frame> {
    let parts = parts.iter();
    parts
        .map(|(epoch, first, events)| Frame::new(Epoch(*epoch), Position(*first), events).unwrap())
        .collect()
}

#[test]
fn an_event_that_cannot_be_where_it_is_is_named() {
    let good = stored(&[5; 6]);
    let (first, rest) = good.split_at(3);
    let earlier = stored(&[5, 5, 5, 5, 4, 5]);
    let (_, earlier) = earlier.split_at(3);
    let mut cut = rest.to_vec();
    cut[1].pop();
    let mut swapped = rest.to_vec();
    swapped.swap(1, 2);
    for (after, said) in [
        (frames(&[(2, 1, first), (2, 4, rest)]), None),
        (
            frames(&[(2, 1, first), (2, 4, earlier)]),
            Some("position 5 says that it was recorded"),
        ),
        (
            frames(&[(2, 1, first), (1, 4, rest)]),
            Some("position 4 was written under an earlier epoch"),
        ),
        (
            frames(&[(2, 1, first), (2, 4, &cut)]),
            Some("position 5 cannot be read"),
        ),
        (
            frames(&[(2, 1, first), (2, 4, &swapped)]),
            Some("position 5: the event there says that it is at position 6"),
        ),
        (
            frames(&[(2, 1, first), (2, 3, &good[2..])]),
            Some("position 4: the frame that holds it begins at position 3"),
        ),
        (
            frames(&[(2, 1, first), (2, 5, &rest[1..])]),
            Some("position 4: no frame holds it"),
        ),
    ] {
        let changed = Arc::new(AtomicBool::new(false));
        let store = over(Box::new(Changing {
            before: frames(&[(2, 1, first), (2, 4, rest)]),
            after,
            changed: Arc::clone(&changed),
        }));
        // What was read before is in a cache, which verification does not use.
        assert_eq!(store.read(Position(0)).count(), 6);
        store.verify(&[], |_| {}).unwrap();
        changed.store(true, Ordering::Relaxed);
        let found = store.verify(&[], |_| {});
        let Some(said) = said else {
            found.unwrap();
            continue;
        };
        let error = found.unwrap_err();
        assert!(
            error.is_damage() && error.to_string().contains(said),
            "{error}"
        );
    }
}

#[test]
fn a_shorter_log_and_a_checkpoint_of_another_store_are_refused() {
    let store = over(log(&[(1, &stored(&[5; 6]))]));
    let root = store.roots(&[TreeSize(6)]).unwrap()[0];
    let longer = checkpoint(&store, 7, root);
    let found = store.verify(&[longer], |_| {}).unwrap_err();
    assert!(
        found.to_string().contains("position 6") && found.is_damage(),
        "{found}"
    );
    let mut foreign = checkpoint(&store, 6, root);
    foreign.origin.store_id = [9; 16];
    let found = store.verify(&[foreign], |_| {}).unwrap_err();
    assert!(matches!(found, IntegrityError::OtherLog { .. }), "{found}");
    assert!(store.roots(&[TreeSize(7)]).is_err());
}

#[test]
fn a_lost_event_stands_in_the_tree_by_its_hash_and_is_counted() {
    let whole = stored(&[5; 9]);
    let leaves: Vec<TreeHash> = whole.iter().map(|bytes| leaf_hash(bytes)).collect();
    let with_hole = |kept: [Option<[u8; 32]>; 2]| {
        let mut after = frames(&[(1, 1, &whole[..3]), (1, 6, &whole[5..])]);
        after.insert(1, Frame::lost(Epoch(1), Position(4), &kept).unwrap());
        let changed = Arc::new(AtomicBool::new(false));
        let store = over(Box::new(Changing {
            before: frames(&[(1, 1, &whole)]),
            after,
            changed: Arc::clone(&changed),
        }));
        changed.store(true, Ordering::Relaxed);
        store
    };
    let place = Place::new();
    let folder = CheckpointFolder::of(place.path());
    let store = with_hole([Some(leaves[3].0), Some(leaves[4].0)]);
    let key = key(&store);
    let signed = store.checkpoint(&folder, &key).unwrap();
    let known = [signed.checkpoint().clone()];
    assert_eq!(known[0].root, root_of(leaves));
    assert_eq!(store.verify(&known, |_| {}).unwrap().lost, 2);
    let proof = store.prove_inclusion(Position(6), &signed).unwrap();
    proof.verify(&key.verifier()).unwrap();
    let lost = store.prove_inclusion(Position(4), &signed).unwrap_err();
    assert!(matches!(lost, IntegrityError::Lost { .. }), "{lost}");

    // Without the hash the log does not continue what was signed over the event.
    let store = with_hole([Some(known[0].root.0), None]);
    let found = store.verify(&known, |_| {}).unwrap_err();
    assert!(matches!(found, IntegrityError::OtherRoot { .. }), "{found}");
    assert!(store.checkpoint(&folder, &key).is_err());
}
