//! Proofs can be believed: another implementation of RFC 6962 accepts every proof made here and this
//! one accepts every proof made by it, the tree is what its recursive definition says, and no proof
//! that was changed in any way is accepted.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use ledger::id::Position;
use ledger::proof::{
    MemoryTiles, TileId, Tiles, Tree, TreeHash, TreeSize, consistency, empty_root, inclusion,
    leaf_data, leaf_hash, lost_leaf_hash, node_hash, tile,
};
use proptest::prelude::*;

type Other = MemoryBackedTree<blake3::Hasher, Vec<u8>>;

/// Sizes up to this one are tested with all their positions and all smaller sizes.
const EXHAUSTIVE_SIZE_MAX: u64 = 40;

/// Sizes beyond two levels of tiles.
const SIZE_MAX: u64 = 66_000;

fn event(number: u64) -> Vec<u8> {
    format!("the stored bytes of event {number}").into_bytes()
}

fn leaves(size: u64) -> Vec<TreeHash> {
    (1..=size).map(|number| leaf_hash(&event(number))).collect()
}

/// The tree over the events from 1 on, its finished tiles kept.
fn grown(size: u64) -> (Tree, MemoryTiles) {
    let (mut tree, mut tiles) = (Tree::default(), MemoryTiles::default());
    for leaf in leaves(size) {
        tree.push(leaf, |id, hashes| tiles.put(id, hashes));
    }
    (tree, tiles)
}

fn other(size: u64) -> Other {
    let mut tree = Other::new();
    (1..=size).for_each(|number| tree.push(leaf_data(&event(number))));
    tree
}

fn other_root(root: TreeHash, size: u64) -> RootHash<blake3::Hasher> {
    RootHash::new(root.0.into(), size)
}

fn hashes(bytes: &[u8]) -> Vec<TreeHash> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    assert!(rest.is_empty());
    hashes.iter().map(|hash| TreeHash(*hash)).collect()
}

fn bytes(hashes: &[TreeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// RFC 9162 2.1.1, word for word.
fn naive_root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(middle);
            node_hash(naive_root(left), naive_root(right))
        }
    }
}

/// Makes the inclusion proof of a position here and there, and checks each with the other.
fn cross_check_inclusion<T: Tiles>(tiles: &T, other: &Other, position: u64, root: TreeHash)
where
    T::Error: std::fmt::Debug,
{
    let size = other.len();
    let at = (Position(position), TreeSize(size));
    let ours = inclusion::prove(tiles, at.0, at.1).unwrap().unwrap();
    let theirs = other.prove_inclusion(position as usize - 1);
    inclusion::verify(
        leaf_hash(&event(position)),
        at.0,
        &hashes(theirs.as_bytes()),
        at.1,
        root,
    )
    .unwrap();
    let ours = InclusionProof::try_from_bytes(bytes(&ours)).unwrap();
    other_root(root, size)
        .verify_inclusion(&leaf_data(&event(position)), position - 1, &ours)
        .unwrap();
}

fn cross_check_consistency<T: Tiles>(
    tiles: &T,
    other: &Other,
    from: (u64, TreeHash),
    root: TreeHash,
) where
    T::Error: std::fmt::Debug,
{
    let size = other.len();
    let ours = consistency::prove(tiles, TreeSize(from.0), TreeSize(size));
    let ours = ours.unwrap().unwrap();
    let (old, new) = ((TreeSize(from.0), from.1), (TreeSize(size), root));
    consistency::verify(&ours, old, new).unwrap();
    if from.0 > 0 {
        let theirs = other.prove_consistency((size - from.0) as usize);
        consistency::verify(&hashes(theirs.as_bytes()), old, new).unwrap();
        let ours = ConsistencyProof::try_from_bytes(bytes(&ours)).unwrap();
        other_root(root, size)
            .verify_consistency(&other_root(from.1, from.0), &ours)
            .unwrap();
    }
}

#[test]
fn what_is_hashed_for_a_leaf_and_a_node_never_changes() {
    let hash = |bytes: &[u8]| TreeHash(blake3::hash(bytes).into());
    assert_eq!(
        leaf_hash(b"stored"),
        hash(b"\x00activation-ledger/event/1\nstored")
    );
    assert_eq!(
        lost_leaf_hash(Position(258)),
        hash(b"\x00activation-ledger/lost/1\n\x02\x01\0\0\0\0\0\0")
    );
    let (left, right) = (hash(b"left"), hash(b"right"));
    let both = [&[1][..], &left.0, &right.0].concat();
    assert_eq!(node_hash(left, right), hash(&both));
    assert_eq!(
        empty_root().to_string(),
        "rxNJufX5oaagQE3qNtzJSZvLJcmtwRK3zJqTyuQfMmI="
    );
}

#[test]
fn small_trees_agree_with_another_implementation_at_every_size_and_position() {
    let (tree, tiles) = grown(EXHAUSTIVE_SIZE_MAX);
    let whole = tree.over(&tiles);
    let roots: Vec<TreeHash> = (0..=EXHAUSTIVE_SIZE_MAX)
        .map(|size| tile::root(&whole, TreeSize(size)).unwrap())
        .collect();
    for size in 0..=EXHAUSTIVE_SIZE_MAX {
        let other = other(size);
        let root = roots[size as usize];
        assert_eq!(other.root().as_bytes().as_slice(), root.0);
        for position in 1..=size {
            cross_check_inclusion(&whole, &other, position, root);
        }
        for from in 0..=size {
            cross_check_consistency(&whole, &other, (from, roots[from as usize]), root);
        }
        for absent in [0, size + 1] {
            let absent = inclusion::prove(&whole, Position(absent), TreeSize(size));
            assert_eq!(absent.unwrap(), None);
        }
        let backwards = consistency::prove(&whole, TreeSize(size + 1), TreeSize(size));
        assert_eq!(backwards.unwrap(), None);
    }
}

#[test]
fn large_trees_agree_with_another_implementation_around_the_ends_of_tiles() {
    let (tree, tiles) = grown(SIZE_MAX);
    let whole = tree.over(&tiles);
    for size in [255, 256, 257, 511, 512, 65_535, 65_536, 65_537, SIZE_MAX] {
        let other = other(size);
        let root = tile::root(&whole, TreeSize(size)).unwrap();
        assert_eq!(other.root().as_bytes().as_slice(), root.0, "{size}");
        for position in [1, 2, 255, 256, 257, 65_536, 65_537, size - 1, size] {
            if position <= size {
                cross_check_inclusion(&whole, &other, position, root);
                let from = tile::root(&whole, TreeSize(position)).unwrap();
                cross_check_consistency(&whole, &other, (position, from), root);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_agrees_with_another_implementation_and_with_its_definition(
        size in 1_u64..3_000,
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 24),
    ) {
        let (tree, tiles) = grown(size);
        let whole = tree.over(&tiles);
        let other = other(size);
        let root = tree.root();
        prop_assert_eq!(naive_root(&leaves(size)), root);
        prop_assert_eq!(tile::root(&whole, TreeSize(size)).unwrap(), root);
        for pick in picks {
            let position = pick.index(size as usize) as u64 + 1;
            cross_check_inclusion(&whole, &other, position, root);
            let from = naive_root(&leaves(position));
            prop_assert_eq!(tile::root(&whole, TreeSize(position)).unwrap(), from);
            cross_check_consistency(&whole, &other, (position, from), root);
        }
    }

    #[test]
    fn a_tree_that_begins_again_from_kept_tiles_goes_on_as_if_it_had_never_stopped(
        before in 0_u64..2_000,
        after in 0_u64..600,
    ) {
        let (stopped, mut tiles) = grown(before);
        let kept = tiles.count();
        for (id, hashes) in stopped.unfinished() {
            prop_assert_eq!(hashes.len(), id.width(TreeSize(before)));
            tiles.put(id, hashes);
        }
        prop_assert!(tiles.count() <= kept + 2, "one unfinished tile a level");
        let mut tree = Tree::resume(&tiles, TreeSize(before)).unwrap();
        prop_assert_eq!(&tree, &stopped);
        for leaf in leaves(before + after).split_off(before as usize) {
            tree.push(leaf, |id, hashes| {
                assert_eq!((hashes.len(), id.width(TreeSize(before + after))), (256, 256));
                tiles.put(id, hashes);
            });
        }
        let (whole, _) = grown(before + after);
        prop_assert_eq!(&tree, &whole);
        let root = tile::root(&tree.over(&tiles), TreeSize(before + after)).unwrap();
        prop_assert_eq!(root, naive_root(&leaves(before + after)));
    }
}

#[test]
fn finished_tiles_come_in_order_and_hold_the_hashes_below_them() {
    let mut ids = Vec::new();
    let mut tree = Tree::default();
    let leaves = leaves(65_536);
    for leaf in &leaves {
        tree.push(*leaf, |id, hashes| {
            let first = id.index as usize * 256;
            let under = 256_usize.pow(u32::from(id.level));
            for (number, hash) in hashes.iter().enumerate().step_by(51) {
                let from = (first + number) * under;
                assert_eq!(*hash, naive_root(&leaves[from..from + under]));
            }
            ids.push(id);
        });
    }
    let mut expected: Vec<TileId> = (0..256).map(|index| TileId { level: 0, index }).collect();
    expected.push(TileId { level: 1, index: 0 });
    assert_eq!(ids, expected);
    assert_eq!(tree.root(), naive_root(&leaves));
}

#[test]
fn a_kept_tile_that_is_wrong_or_short_changes_the_root() {
    let (tree, tiles) = grown(1_000);
    let root = tree.root();
    assert_eq!(
        tile::root(&tree.over(&tiles), TreeSize(1_000)).unwrap(),
        root
    );
    let first = TileId { level: 0, index: 0 };
    // The root of a size within the tile uses its hashes.
    let early = tile::root(&tree.over(&tiles), TreeSize(255)).unwrap();
    for wrong in [leaves(254), vec![TreeHash([1; 32]); 256], Vec::new()] {
        let mut damaged = tiles.clone();
        damaged.put(first, &wrong);
        assert_ne!(
            tile::root(&tree.over(&damaged), TreeSize(255)).unwrap(),
            early
        );
    }
}
