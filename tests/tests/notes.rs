//! Checkpoints can be believed: they are read in one form only, and no change to one, to its
//! signature or to a proof that builds on it goes unnoticed.

use ledger::event::KindInfo;
use ledger::id::Position;
use ledger::proof::checkpoint::CheckpointError;
use ledger::proof::file::ProofFileError;
use ledger::proof::note::NoteError;
use ledger::proof::{
    Checkpoint, KeyName, MemoryTiles, Note, Origin, ProofError, ProofFile, SignedCheckpoint,
    SignerKey, Tree, TreeHash, TreeSize, VerifierKey, consistency, inclusion, leaf_hash, tile,
};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use std::convert::Infallible;
use tests::sample::{self, Extent};

const ORIGIN: Origin = Origin {
    store_id: [7; 16],
    incarnation: 0,
};

/// A note, and its key, made with OpenSSL and Python.
const OPENSSL_KEY: &str = "activation-ledger/blake3/07070707070707070707070707070707+1a347806+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const OPENSSL_NOTE: &str = "activation-ledger/blake3/07070707070707070707070707070707\n42\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n\n\u{2014} activation-ledger/blake3/07070707070707070707070707070707 GjR4BjryBsBIwaG9/005KVpN+9UVbRcFqh7vlZyUslfjRjvqWa9IoHbgsKTWRKQN1c6M+0EH3F9xaPNg88wC1ZnJRQY=\n";

fn signer() -> SignerKey {
    let seed: [u8; 32] = std::array::from_fn(|at| at as u8);
    SignerKey::new(KeyName::new(&ORIGIN.to_string()).unwrap(), &seed)
}

fn checkpoint(size: u64, root: TreeHash) -> Checkpoint {
    Checkpoint {
        origin: ORIGIN,
        size: TreeSize(size),
        root,
        extensions: Vec::new(),
    }
}

#[test]
fn a_checkpoint_is_the_one_that_openssl_would_have_signed() {
    let signed = SignedCheckpoint::sign(checkpoint(42, TreeHash([9; 32])), &signer()).unwrap();
    assert_eq!(signed.to_string(), OPENSSL_NOTE);
    assert_eq!(signer().verifier().to_string(), OPENSSL_KEY);
    let key = VerifierKey::parse(OPENSSL_KEY).unwrap();
    let read = SignedCheckpoint::parse(OPENSSL_NOTE).unwrap();
    assert_eq!(read, signed);
    read.verify(&key).unwrap();
}

#[test]
fn keys_are_read_back_and_every_changed_character_is_noticed() {
    let key = signer();
    let texts = [key.expose(), key.verifier().to_string()];
    let read = |text: &str| -> Option<String> {
        let signer = SignerKey::parse(text).map(|key| key.expose());
        signer
            .or(VerifierKey::parse(text).map(|key| key.to_string()))
            .ok()
    };
    for text in texts {
        assert_eq!(read(&text).as_ref(), Some(&text));
        for at in 0..text.len() {
            for bit in 0..7 {
                let mut changed = text.clone().into_bytes();
                changed[at] ^= 1 << bit;
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(read(&changed), None, "{at}");
            }
        }
        assert_eq!(read(&text[..text.len() - 1]), None);
        assert_eq!(read(&format!("{text}\n")), None);
    }
    let secret = signer().expose();
    let (_, secret) = secret.rsplit_once('+').unwrap();
    assert!(!format!("{:?}", signer()).contains(secret));
    for wrong in ["", "a b", "a+b", "a\u{a0}b", "a\nb"] {
        assert!(KeyName::new(wrong).is_none(), "{wrong:?}");
    }
}

#[test]
fn a_note_has_one_form() {
    let note = Note::sign("one\n\ntwo\n".to_owned(), &signer()).unwrap();
    let text = note.to_string();
    assert_eq!(Note::parse(&text).unwrap(), note);
    assert_eq!(note.text(), "one\n\ntwo\n");
    let line = text.lines().last().unwrap();
    for (wrong, why) in [
        (text.trim_end().to_owned(), "no end of the last line"),
        (text.replace('\u{2014}', "-"), "another dash"),
        (text.replace("\u{2014} ", "\u{2014}  "), "a second blank"),
        (text.replace("\n\n\u{2014}", "\n\u{2014}"), "no empty line"),
        (text.replace("one", "o\tne"), "a control character"),
        (text.replace('\n', "\r\n"), "other line ends"),
        (format!("{text}\n"), "an empty line after it"),
        (format!("{text}text\n"), "text after the signatures"),
        (text.replace("=\n", "\n"), "padding"),
        ("one\n".to_owned(), "no signature"),
        (
            format!("one\n\n{}\n", line.split_at(line.len() - 60).0),
            "half a signature",
        ),
        (
            format!("one\n\n{}", format!("{line}\n").repeat(101)),
            "too many",
        ),
        (format!("{}\n\n{line}\n", "x".repeat(70_000)), "too long"),
    ] {
        let read = Note::parse(&wrong);
        let read = read.and_then(|note| note.verify(&signer().verifier()));
        assert!(read.is_err(), "{why}: {wrong}");
    }
    for wrong in ["", "no end", "a\tb\n"] {
        assert!(Note::sign(wrong.to_owned(), &signer()).is_err());
    }
}

#[test]
fn signatures_by_others_are_passed_over_and_a_wrong_one_by_a_known_key_is_not() {
    let text = "a text\n".to_owned();
    let ours = Note::sign(text.clone(), &signer()).unwrap().to_string();
    let stranger = SignerKey::new(KeyName::new("witness.example").unwrap(), &[5; 32]);
    let theirs = Note::sign(text, &stranger).unwrap().to_string();
    let line = |note: &str| note.lines().last().unwrap().to_owned() + "\n";
    let both = Note::parse(&(ours.clone() + &line(&theirs))).unwrap();
    assert_eq!(both.to_string(), ours.clone() + &line(&theirs));
    both.verify(&signer().verifier()).unwrap();
    both.verify(&stranger.verifier()).unwrap();

    // Same name, another key: the id tells them apart.
    let namesake = SignerKey::new(signer().name().clone(), &[6; 32]);
    let refused = both.verify(&namesake.verifier());
    assert!(matches!(refused, Err(NoteError::NotSigned { .. })));

    // A right signature does not make up for a wrong one.
    let other = Note::sign("another text\n".to_owned(), &signer()).unwrap();
    let mixed = Note::parse(&(ours + &line(&other.to_string()))).unwrap();
    let refused = mixed.verify(&signer().verifier());
    assert!(matches!(refused, Err(NoteError::WrongSignature { .. })));
}

#[test]
fn a_checkpoint_has_one_form_and_belongs_to_the_log_of_its_key() {
    let good = checkpoint(42, TreeHash([9; 32]));
    let text = good.to_string();
    assert_eq!(Checkpoint::parse(&text).unwrap(), good);
    let extended = Checkpoint {
        origin: Origin {
            incarnation: 3,
            ..ORIGIN
        },
        extensions: vec!["more".to_owned(), "and more".to_owned()],
        ..good.clone()
    };
    assert_eq!(Checkpoint::parse(&extended.to_string()).unwrap(), extended);
    assert!(extended.to_string().contains("07/3\n"));
    for wrong in [
        text.replace("\n42\n", "\n042\n"),
        text.replace("\n42\n", "\n+42\n"),
        text.replace("\n42\n", "\n-1\n"),
        text.replace("\n42\n", "\n42 \n"),
        text.replace("\n42\n", "\n18446744073709551616\n"),
        text.replace("kJCQk=", "kJCQl="),
        text.replace("kJCQk=", "kJCQk"),
        text.replace("CQkJCQkJ", "CQkJ"),
        text.replace("blake3", "sha256"),
        text.replace("0707", "070"),
        text.replace("07\n", "07/0\n"),
        text.replace("07\n", "07/01\n"),
        text.replace("activation", "Activation"),
        text.trim_end().to_owned(),
        format!("{text}\n"),
        format!("{text}\nmore\n"),
        String::new(),
    ] {
        assert!(Checkpoint::parse(&wrong).is_err(), "{wrong}");
    }
    // A key signs for its own log only, and no line can be smuggled in.
    assert!(SignedCheckpoint::sign(extended, &signer()).is_err());
    let smuggled = Checkpoint {
        extensions: vec!["one\ntwo".to_owned()],
        ..good.clone()
    };
    assert!(SignedCheckpoint::sign(smuggled, &signer()).is_err());
    let signed = SignedCheckpoint::sign(good, &signer()).unwrap();
    let other = SignerKey::new(
        KeyName::new("activation-ledger/blake3/08").unwrap(),
        &[1; 32],
    );
    let refused = signed.verify(&other.verifier());
    assert!(matches!(refused, Err(CheckpointError::OtherKey { .. })));
}

/// A log with checkpoints of all its sizes.
struct Log {
    tree: Tree,
    tiles: MemoryTiles,
}

impl Log {
    fn new(size: u64) -> Self {
        Self::of(size, event)
    }

    /// The log that the same key signed for somebody else: every event after the first is another.
    fn forked(size: u64) -> Self {
        Self::of(size, |number| event(number + u64::from(number > 1)))
    }

    fn of(size: u64, event: fn(u64) -> Vec<u8>) -> Self {
        let (mut tree, mut tiles) = (Tree::default(), MemoryTiles::default());
        for number in 1..=size {
            tree.push(leaf_hash(&event(number)), |id, hashes| {
                tiles.put(id, hashes)
            });
        }
        Self { tree, tiles }
    }

    fn signed(&self, size: u64) -> SignedCheckpoint {
        let Ok::<_, Infallible>(root) = tile::root(&self.tree.over(&self.tiles), TreeSize(size));
        SignedCheckpoint::sign(checkpoint(size, root), &signer()).unwrap()
    }

    fn inclusion(&self, position: u64, size: u64) -> ProofFile {
        let (position, size) = (Position(position), TreeSize(size));
        let Ok(nodes) = inclusion::prove(&self.tree.over(&self.tiles), position, size);
        ProofFile::Inclusion {
            position,
            stored: event(position.0),
            nodes: nodes.unwrap(),
            checkpoint: self.signed(size.0),
        }
    }

    fn consistency(&self, from: u64, to: u64) -> ProofFile {
        let whole = self.tree.over(&self.tiles);
        let Ok(nodes) = consistency::prove(&whole, TreeSize(from), TreeSize(to));
        ProofFile::Consistency {
            nodes: nodes.unwrap(),
            from: self.signed(from),
            to: self.signed(to),
        }
    }
}

fn event(number: u64) -> Vec<u8> {
    format!("event {number}").into_bytes()
}

/// The same numbers in every run.
struct Dice(TestRng);

impl Dice {
    fn new() -> Self {
        Self(TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.0.next_u64() % limit as u64) as usize
    }
}

const LOG_SIZE: u64 = 700;
const MUTATIONS: usize = 10_000;

fn some_proof(log: &Log, dice: &mut Dice) -> ProofFile {
    let to = dice.below(LOG_SIZE as usize) as u64 + 1;
    let at = dice.below(to as usize) as u64 + 1;
    match dice.below(2) {
        0 => log.inclusion(at, to),
        _ => log.consistency(at, to),
    }
}

/// Changes something that a forger could change: whatever is not signed, and the choice among the
/// checkpoints that were signed, those of a second history included. `None` if the dice changed nothing.
fn mutate(proof: &ProofFile, [log, forked]: [&Log; 2], dice: &mut Dice) -> Option<ProofFile> {
    let mut changed = proof.clone();
    let other_size = dice.below(LOG_SIZE as usize) as u64 + 1;
    let nodes = match &mut changed {
        ProofFile::Inclusion { nodes, .. } | ProofFile::Consistency { nodes, .. } => nodes,
    };
    let count = nodes.len();
    let pick = dice.below(count.max(1));
    match dice.below(9) {
        0 if count > 0 => nodes[pick].0[dice.below(32)] ^= 1 << dice.below(8),
        1 if count > 0 => drop(nodes.remove(pick)),
        2 if count > 0 => nodes.insert(pick, nodes[pick]),
        3 if count > 0 => nodes.swap(pick, dice.below(count)),
        4 => nodes.push(leaf_hash(&event(other_size))),
        5 => nodes.insert(0, leaf_hash(&event(other_size))),
        6 => nodes.truncate(pick),
        _ => match &mut changed {
            ProofFile::Inclusion {
                position,
                stored,
                checkpoint,
                ..
            } => match dice.below(4) {
                0 => *position = Position(dice.below(LOG_SIZE as usize + 2) as u64),
                1 => {
                    let at = dice.below(stored.len());
                    stored[at] ^= 1 << dice.below(8);
                }
                2 => *checkpoint = forked.signed(checkpoint.checkpoint().size.0),
                _ => *checkpoint = log.signed(other_size),
            },
            ProofFile::Consistency { from, to, .. } => match dice.below(5) {
                0 => *from = log.signed(other_size),
                1 => *to = log.signed(other_size),
                2 => *from = forked.signed(from.checkpoint().size.0),
                3 => *to = forked.signed(to.checkpoint().size.0),
                _ => std::mem::swap(from, to),
            },
        },
    }
    (changed != *proof).then_some(changed)
}

/// Whether two consistency proofs say the same for the same checkpoints, which a mutation can reach
/// by chance: replacing one checkpoint of an empty proof by the other makes a true statement.
fn is_true(proof: &ProofFile, log: &Log) -> bool {
    match proof {
        ProofFile::Inclusion { .. } => false,
        ProofFile::Consistency { from, to, .. } => {
            let (from, to) = (from.checkpoint().size.0, to.checkpoint().size.0);
            from <= to && log.consistency(from, to) == *proof
        }
    }
}

#[test]
fn of_ten_thousand_changed_proofs_none_is_accepted() {
    let (log, forked) = (Log::new(LOG_SIZE), Log::forked(LOG_SIZE));
    let key = signer().verifier();
    let mut dice = Dice::new();
    let (mut made, mut accepted) = (0, Vec::new());
    while made < MUTATIONS {
        let proof = some_proof(&log, &mut dice);
        proof.verify(&key).unwrap();
        for _ in 0..8 {
            let Some(changed) = mutate(&proof, [&log, &forked], &mut dice) else {
                continue;
            };
            if is_true(&changed, &log) {
                continue;
            }
            made += 1;
            if changed.verify(&key).is_ok() {
                accepted.push(changed.to_string());
            }
            assert_eq!(ProofFile::parse(&changed.to_string()), Ok(changed));
        }
    }
    assert!(accepted.is_empty(), "{}: {}", accepted.len(), accepted[0]);
}

#[test]
fn every_changed_bit_of_a_proof_file_is_noticed() {
    let log = Log::new(11);
    let key = signer().verifier();
    for proof in [log.inclusion(7, 11), log.consistency(6, 11)] {
        let text = proof.to_string();
        assert_eq!(ProofFile::parse(&text).as_ref(), Ok(&proof));
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut changed = text.clone().into_bytes();
                changed[at] ^= 1 << bit;
                let Ok(changed) = String::from_utf8(changed) else {
                    continue;
                };
                let read = ProofFile::parse(&changed).and_then(|proof| proof.verify(&key));
                assert!(read.is_err(), "byte {at}, bit {bit}:\n{changed}");
            }
        }
        for wrong in [
            text.replace('\n', "\r\n"),
            format!("{text}\n"),
            format!("{text}> more\n"),
            text.replace("nodes ", "nodes 0"),
            text.replace("> ", ">  "),
            text.replace("> ", ">"),
            text.trim_end().to_owned(),
            text.lines()
                .take(4)
                .map(|line| format!("{line}\n"))
                .collect(),
        ] {
            assert!(ProofFile::parse(&wrong).is_err(), "{wrong}");
        }
    }
}

#[test]
fn a_proof_says_why_it_does_not_hold() {
    let log = Log::new(20);
    let key = signer().verifier();
    let of = |change: fn(&mut Vec<TreeHash>)| {
        let mut proof = log.inclusion(5, 20);
        if let ProofFile::Inclusion { nodes, .. } = &mut proof {
            change(nodes);
        }
        proof.verify(&key).unwrap_err()
    };
    let proof = ProofFileError::Proof;
    assert_eq!(of(|nodes| nodes.push(nodes[0])), proof(ProofError::Surplus));
    assert_eq!(of(|nodes| nodes.truncate(2)), proof(ProofError::TooFew));
    let root = ProofError::OtherRoot { size: TreeSize(20) };
    assert_eq!(of(|nodes| nodes.reverse()), proof(root));

    let of = |change: fn(&mut Vec<TreeHash>)| {
        let mut proof = log.consistency(6, 20);
        if let ProofFile::Consistency { nodes, .. } = &mut proof {
            change(nodes);
        }
        proof.verify(&key).unwrap_err()
    };
    assert_eq!(of(|nodes| nodes.push(nodes[0])), proof(ProofError::Surplus));
    assert_eq!(
        of(|nodes| drop(nodes.split_off(2))),
        proof(ProofError::TooFew)
    );
    assert_eq!(of(Vec::clear), proof(ProofError::TooFew));

    // Whoever signed two histories cannot prove that one continues the other, neither way.
    let forked = Log::forked(20);
    for (earlier, later) in [(&forked, &log), (&log, &forked)] {
        let mut proof = later.consistency(6, 20);
        if let ProofFile::Consistency { from, .. } = &mut proof {
            *from = earlier.signed(6);
        }
        let root = ProofError::OtherRoot { size: TreeSize(6) };
        assert_eq!(proof.verify(&key), Err(ProofFileError::Proof(root)));
    }

    // Without the key a forged log passes: that is what the key is for.
    let forger = SignerKey::new(signer().name().clone(), &[66; 32]);
    let mut forged = log.inclusion(5, 20);
    if let ProofFile::Inclusion { checkpoint, .. } = &mut forged {
        *checkpoint = SignedCheckpoint::sign(checkpoint.checkpoint().clone(), &forger).unwrap();
    }
    forged.check_arithmetic().unwrap();
    let refused = forged.verify(&key);
    assert!(
        matches!(refused, Err(ProofFileError::Checkpoint(_))),
        "{refused:?}"
    );
}

#[test]
fn an_event_that_says_another_position_is_refused() {
    let kind = KindInfo::named("TenantCreated").unwrap();
    let stored = sample::event(kind, Extent::Full).encode_checked().unwrap();
    let mut tree = Tree::default();
    tree.push(leaf_hash(&event(1)), |_, _| {});
    tree.push(leaf_hash(&stored), |_, _| {});
    let sized = checkpoint(2, tree.root());
    let proof = ProofFile::Inclusion {
        position: Position(2),
        stored,
        nodes: vec![leaf_hash(&event(1))],
        checkpoint: SignedCheckpoint::sign(sized, &signer()).unwrap(),
    };
    assert_eq!(
        proof.verify(&signer().verifier()),
        Err(ProofFileError::OtherPosition {
            said: Position(1),
            position: Position(2),
        })
    );
}
