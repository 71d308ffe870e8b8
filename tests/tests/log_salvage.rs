//! What is left of a damaged log is found without opening it: every whole frame, as it was, at its place,
//! each once; what is missing is what was damaged and nothing else; and nothing is changed.

use ledger::id::Position;
use ledger::log::{CommitLog, Damage, Engine, Epoch, Frame, Opening};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tests::stores::copy;

const FRAMES: u64 = 40;
const EVENTS_PER_FRAME: u64 = 3;
const SEGMENT_LENGTH_BYTES: u64 = 9_000;
/// How much of a frame is in one piece of the sled engine.
const CONTENT_BYTES: usize = (6 << 10) - 36;

/// A frame that no other one resembles; some are in several pieces of the sled engine.
fn frame(number: u64) -> Frame {
    let first = number * EVENTS_PER_FRAME + 1;
    let length = if number % 7 == 3 { 4_000 } else { 300 };
    let event = |n: u64| {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            bytes.extend_from_slice(
                blake3::hash(&(n + bytes.len() as u64).to_le_bytes()).as_bytes(),
            );
        }
        bytes
    };
    let events: Vec<_> = (first..first + EVENTS_PER_FRAME).map(event).collect();
    Frame::new(Epoch(1 + number / 15), Position(first), &events).unwrap()
}

fn write(engine: &Engine, path: &Path, frames: std::ops::Range<u64>) -> Box<dyn CommitLog> {
    fs::create_dir_all(path).unwrap();
    let opening = Opening {
        segment_length_bytes: SEGMENT_LENGTH_BYTES,
        ..Opening::clean()
    };
    let log = (engine.open)(path, opening).unwrap().log;
    for number in frames {
        log.append(&frame(number)).unwrap();
        log.sync().unwrap();
    }
    log
}

/// The numbers of the frames that are found as they were, in order. Of others whole blocks may be found:
/// each of their events is as it was.
fn found(engine: &Engine, path: &Path) -> (BTreeSet<u64>, Vec<Damage>) {
    let mut salvage = (engine.salvage)(path, Position(0)).unwrap();
    let mut numbers = BTreeSet::new();
    let mut end = Position(0);
    for found in salvage.by_ref() {
        assert!(found.first() > end);
        end = found.last();
        let number = found.before().0 / EVENTS_PER_FRAME;
        let whole = frame(number);
        for position in (found.first().0..=found.last().0).map(Position) {
            assert_eq!(found.event(position), whole.event(position));
        }
        if found.bytes() == whole.bytes() {
            numbers.insert(number);
        }
    }
    (numbers, salvage.damage().to_vec())
}

fn all() -> BTreeSet<u64> {
    (0..FRAMES).collect()
}

/// Every place at which some bytes are.
fn places(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    let starts = bytes.windows(wanted.len()).enumerate();
    let found = starts.filter(|(_, window)| window == &wanted);
    found.map(|(at, _)| at).collect()
}

fn files(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_whole_log_is_found_whole_and_left_as_it_was_open_or_closed() {
    for engine in ledger::log::ENGINES
        .iter()
        .filter(|engine| engine.persistent)
    {
        let place = tempfile::tempdir().unwrap();
        let log = write(engine, &place.path().join("log"), 0..FRAMES);
        let killed = place.path().join("killed");
        copy(&place.path().join("log"), &killed);
        log.close().unwrap();
        drop(log);
        for path in [killed, place.path().join("log")] {
            let before = files(&path);
            assert_eq!(found(engine, &path), (all(), vec![]), "{}", engine.name);
            assert_eq!(files(&path), before, "{}", engine.name);
        }
        let empty = place.path().join("empty");
        fs::create_dir(&empty).unwrap();
        assert_eq!(found(engine, &empty).0, BTreeSet::new());
    }
}

#[test]
fn a_damaged_journal_loses_the_damaged_frames_only() {
    let engine = Engine::named("journal").unwrap();
    let place = tempfile::tempdir().unwrap();
    let log = place.path().join("log");
    let open = write(engine, &log, 0..FRAMES);
    open.close().unwrap();
    drop(open);
    let files = files(&log);
    assert!(files.len() > 3);
    for (path, bytes) in &files {
        let held: Vec<(u64, usize)> = all()
            .into_iter()
            .filter_map(|n| Some((n, *places(bytes, frame(n).bytes()).first()?)))
            .collect();
        let frames_end = held
            .last()
            .map(|(n, at)| at + frame(*n).bytes().len())
            .unwrap();
        for at in (0..bytes.len()).step_by(601).chain([bytes.len() - 1]) {
            for zeroed in [1, 40, 700] {
                let mut damaged = bytes.clone();
                let end = damaged.len().min(at + zeroed);
                match zeroed {
                    1 => damaged[at] ^= 0x10,
                    _ => damaged[at..end].fill(0),
                }
                if damaged == *bytes {
                    continue;
                }
                fs::write(path, &damaged).unwrap();
                let lost = held.iter().filter(|(n, start)| {
                    let stop = start + frame(*n).bytes().len();
                    bytes[*start..stop] != damaged[*start..stop]
                });
                let lost: BTreeSet<u64> = lost.map(|(n, _)| *n).collect();
                let (found, damage) = found(engine, &log);
                let wanted: BTreeSet<u64> = &all() - &lost;
                // A frame of which only the hash is wrong is found by its blocks.
                assert_eq!(
                    &found - &lost,
                    wanted,
                    "{} at {at} for {zeroed}",
                    path.display()
                );
                // Zeros where the way points were are as if they had not been written yet.
                let told = !damage.is_empty() || (at >= frames_end && zeroed > 1);
                assert!(told, "{} at {at} for {zeroed}", path.display());
                let held_here = held.iter().filter(|(n, _)| !lost.contains(n));
                assert!(damage.iter().all(|damage| {
                    path.ends_with(&damage.file)
                        && held_here.clone().all(|(n, start)| {
                            let stop = start + frame(*n).bytes().len();
                            damage.offset >= stop as u64
                                || damage.offset + damage.length_bytes <= *start as u64
                        })
                }));
            }
        }
        for length in (0..bytes.len()).step_by(1_511) {
            fs::write(path, &bytes[..length]).unwrap();
            let cut = |&&(n, start): &&(u64, usize)| start + frame(n).bytes().len() > length;
            let lost: BTreeSet<u64> = held.iter().filter(cut).map(|(n, _)| *n).collect();
            assert_eq!(found(engine, &log).0, &all() - &lost, "cut to {length}");
        }
        fs::remove_file(path).unwrap();
        let lost: BTreeSet<u64> = held.iter().map(|(n, _)| *n).collect();
        assert_eq!(found(engine, &log).0, &all() - &lost);
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn a_damaged_file_of_sled_loses_at_most_the_damaged_frames() {
    let engine = Engine::named("sled").unwrap();
    let place = tempfile::tempdir().unwrap();
    let log = place.path().join("log");
    drop(write(engine, &log, 0..FRAMES));
    let db = log.join("db");
    let bytes = fs::read(&db).unwrap();
    // By the contents of its pieces, which are found wherever sled put them.
    let copies: Vec<Vec<Vec<(usize, usize)>>> = all()
        .into_iter()
        .map(|n| {
            let frame = frame(n);
            let pieces = frame.bytes().chunks(CONTENT_BYTES);
            let copies_of = |piece: &[u8]| {
                let starts = places(&bytes, piece).into_iter();
                starts
                    .map(|at| (at - 36, at + piece.len()))
                    .collect::<Vec<_>>()
            };
            pieces.map(copies_of).collect()
        })
        .collect();
    assert!(copies.iter().flatten().all(|copies| !copies.is_empty()));
    let page = 4_096;
    for start in (0..bytes.len()).step_by(page) {
        let end = bytes.len().min(start + page);
        let flips = (start / page).is_multiple_of(2);
        let mut damaged = bytes.clone();
        match flips {
            true => damaged[start..end]
                .iter_mut()
                .step_by(64)
                .for_each(|b| *b ^= 4),
            false => damaged[start..end].fill(0),
        }
        if damaged == bytes {
            continue;
        }
        fs::write(&db, &damaged).unwrap();
        let is_lost = |n: &u64| {
            let pieces = &copies[usize::try_from(*n).unwrap()];
            let whole = |&(from, to): &(usize, usize)| bytes[from..to] == damaged[from..to];
            !pieces.iter().all(|copies| copies.iter().any(whole))
        };
        let lost: BTreeSet<u64> = all().into_iter().filter(is_lost).collect();
        assert_eq!(found(engine, &log).0, &all() - &lost, "page at {start}");
    }
    let cut = copies[20][0][0].0;
    fs::write(&db, &bytes[..cut]).unwrap();
    assert!(!found(engine, &log).0.contains(&(FRAMES - 1)));
    fs::remove_file(&db).unwrap();
    assert_eq!(found(engine, &log).0, BTreeSet::new());
}

/// Sled believes its snapshot, and writes over what that does not know. An opening that fails leaves
/// sled's files as it found them.
#[test]
fn an_opening_that_fails_costs_no_frame_that_was_whole() {
    let engine = Engine::named("sled").unwrap();
    let place = tempfile::tempdir().unwrap();
    let log = place.path().join("log");
    for round in 0..4 {
        drop(write(engine, &log, round * 10..(round + 1) * 10));
    }
    let snapshots = || {
        let files = files(&log).into_iter();
        files.filter(|(path, _)| path.to_string_lossy().contains("/snap."))
    };
    assert!(snapshots().count() > 0);
    let opening = Opening {
        reached: Position(FRAMES * EVENTS_PER_FRAME),
        ..Opening::clean()
    };
    let mut failed = 0;
    for (path, bytes) in snapshots() {
        for at in (0..bytes.len()).step_by(5) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            for damaged in [&flipped[..], &bytes[..at]] {
                let damaged_log = place.path().join(format!("damaged-{failed}-{at}"));
                copy(&log, &damaged_log);
                fs::write(damaged_log.join(path.file_name().unwrap()), damaged).unwrap();
                let opened = (engine.open)(&damaged_log, opening);
                failed += usize::from(opened.is_err());
                drop(opened);
                assert_eq!(found(engine, &damaged_log).0, all(), "byte {at}");
                fs::remove_dir_all(damaged_log).unwrap();
            }
        }
    }
    assert!(failed > 0, "no damage mattered");
}

/// Sled moves what it keeps: what is found of a large log that was opened and closed often is still all
/// of it, and the blocks that sled has written over do not bring back anything.
#[test]
fn what_sled_has_moved_is_found_too() {
    let engine = Engine::named("sled").unwrap();
    let place = tempfile::tempdir().unwrap();
    let log = place.path().join("log");
    for round in 0..6_u64 {
        drop(write(engine, &log, round * 150..(round + 1) * 150));
    }
    let bytes = fs::read(log.join("db")).unwrap();
    let pieces = (0..900).map(|n| frame(n).bytes().len().div_ceil(CONTENT_BYTES));
    let (copies, once) = (places(&bytes, b"ALpc").len(), pieces.sum::<usize>());
    assert!(
        copies > once + 100,
        "sled has moved too little: {copies} {once} {}",
        bytes.len()
    );
    assert_eq!(found(engine, &log).0, (0..900).collect());
}

/// A frame that was cut when its log was opened, because pieces of it were missing, may still be in sled's
/// file as a whole. What took its place is what counts, even if it is damaged.
#[test]
fn a_frame_that_was_cut_does_not_come_back() {
    let engine = Engine::named("sled").unwrap();
    let place = tempfile::tempdir().unwrap();
    let make = |epoch, first, count| {
        let events = vec![vec![epoch as u8; 500]; count];
        Frame::new(Epoch(epoch), Position(first), &events).unwrap()
    };
    let file_with = |name, frames: &[&Frame]| {
        let path = place.path().join(name);
        fs::create_dir(&path).unwrap();
        let log = (engine.open)(&path, Opening::clean()).unwrap().log;
        frames.iter().for_each(|frame| log.append(frame).unwrap());
        log.sync().unwrap();
        drop(log);
        fs::read(path.join("db")).unwrap()
    };
    let (before, cut) = (make(1, 1, 9), make(1, 10, 6));
    let (second, third) = (make(2, 10, 2), make(2, 12, 6));
    let log = file_with("log", &[&before, &second, &third]);
    let old = file_with("old", &[&before, &cut]);
    let path = place.path().join("both");
    fs::create_dir(&path).unwrap();
    for is_damaged in [false, true] {
        let mut bytes = [&old[..], &log[..]].concat();
        let mut wanted = vec![before.bytes(), third.bytes()];
        match is_damaged {
            false => wanted.insert(1, second.bytes()),
            true => {
                let found = places(&bytes, second.bytes());
                found.into_iter().for_each(|at| bytes[at + 100] ^= 1);
            }
        }
        fs::write(path.join("db"), bytes).unwrap();
        let found: Vec<_> = (engine.salvage)(&path, Position(0)).unwrap().collect();
        let found: Vec<&[u8]> = found.iter().map(|frame| frame.bytes()).collect();
        assert!(found == wanted, "damaged: {is_damaged}");
    }
}

/// What stands behind damage counts only if it goes on: a medium that gives back an old page, or a copy of
/// another place, brings no position twice and none out of order.
#[test]
fn a_frame_of_another_place_is_not_taken_for_what_was_there() {
    let engine = Engine::named("journal").unwrap();
    let place = tempfile::tempdir().unwrap();
    let log = place.path().join("log");
    write(engine, &log, 0..FRAMES).close().unwrap();
    let (path, bytes) = files(&log).swap_remove(0);
    let later = files(&log)[1].1[32..].to_vec();
    let at = |number: u64| places(&bytes, frame(number).bytes())[0];
    for (wrong, lost) in [(frame(0).bytes(), 2), (&later[..frame(2).bytes().len()], 2)] {
        let mut damaged = bytes.clone();
        damaged[at(2)..at(2) + wrong.len()].copy_from_slice(wrong);
        fs::write(&path, damaged).unwrap();
        assert_eq!(found(engine, &log).0, &all() - &BTreeSet::from([lost]));
    }
}
