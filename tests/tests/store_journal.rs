//! What the journal engine makes of a log whose writer was stopped: a frame that was being written is
//! cut and kept; one that had been acknowledged is never cut, and named if it is damaged.

use ledger::id::Position;
use ledger::log::{CommitLog, Engine, Epoch, Frame, LogError, Opened, Opening, Stop};
use std::fs;
use std::path::{Path, PathBuf};

const SEGMENT_HEADER_BYTES: usize = 32;
const SEGMENT_LENGTH_BYTES: u64 = 4_000;

fn frame(first: u64) -> Frame {
    let events: Vec<Vec<u8>> = (first..first + 3).map(|n| vec![n as u8 | 1; 200]).collect();
    Frame::new(Epoch(1), Position(first), &events).unwrap()
}

fn open(path: &Path, stop: Stop, reached: u64) -> Result<Opened, LogError> {
    let engine = Engine::named("journal").unwrap();
    let opening = Opening {
        stop,
        reached: Position(reached),
        segment_length_bytes: SEGMENT_LENGTH_BYTES,
    };
    (engine.open)(path, opening)
}

/// Writes so many frames of three events and leaves them as a kill would.
fn write(path: &Path, frames: u64) -> Box<dyn CommitLog> {
    let log = open(path, Stop::Clean, 0).unwrap().log;
    for number in 0..frames {
        log.append(&frame(number * 3 + 1)).unwrap();
        log.sync().unwrap();
    }
    log
}

fn segments(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn damaged_at(opened: Result<Opened, LogError>) -> Position {
    match opened.err().expect("it does not open") {
        LogError::Damaged { position, .. } | LogError::Frame { position, .. } => position,
        other => panic!("{other}"),
    }
}

/// Where the nth frame of the first segment begins.
fn offset(number: u64) -> usize {
    let before = (0..number).map(|n| frame(n * 3 + 1).bytes().len());
    SEGMENT_HEADER_BYTES + before.sum::<usize>()
}

#[test]
fn a_frame_that_was_being_written_is_cut_and_kept_wherever_it_was_torn() {
    for torn_from in (0..frame(7).bytes().len()).step_by(13) {
        let place = tempfile::tempdir().unwrap();
        drop(write(place.path(), 3));
        let start = offset(2);
        change(&segments(place.path())[0], |bytes| {
            bytes[start + torn_from..].fill(0);
        });
        let opened = open(place.path(), Stop::Unclean, 3).unwrap();
        assert_eq!(opened.log.end(), Position(6), "torn from {torn_from}");
        match torn_from {
            0 => assert_eq!(opened.torn, None),
            _ => {
                let torn = opened.torn.unwrap();
                assert_eq!(torn.first, Position(7));
                assert!(frame(7).bytes().starts_with(&torn.bytes));
            }
        }
        opened.log.append(&frame(7)).unwrap();
        opened.log.sync().unwrap();
        drop(opened.log);
        let opened = open(place.path(), Stop::Unclean, 9).unwrap();
        assert_eq!((opened.log.end(), opened.torn), (Position(9), None));
    }
}

#[test]
fn the_last_frame_is_not_cut_if_the_log_had_reached_it() {
    let place = tempfile::tempdir().unwrap();
    drop(write(place.path(), 3));
    change(&segments(place.path())[0], |bytes| {
        bytes[offset(2) + 100] ^= 1
    });
    let before = fs::read(&segments(place.path())[0]).unwrap();
    assert_eq!(
        damaged_at(open(place.path(), Stop::Unclean, 9)),
        Position(7)
    );
    assert_eq!(fs::read(&segments(place.path())[0]).unwrap(), before);
}

#[test]
fn a_frame_that_another_one_follows_is_never_cut() {
    for at in [0, 5, 20, 37, 100] {
        let place = tempfile::tempdir().unwrap();
        drop(write(place.path(), 3));
        change(&segments(place.path())[0], |bytes| {
            bytes[offset(1) + at] ^= 1
        });
        assert_eq!(
            damaged_at(open(place.path(), Stop::Unclean, 0)),
            Position(4)
        );
    }
}

#[test]
fn a_log_that_was_closed_has_to_be_whole_but_can_do_without_its_seal() {
    let place = tempfile::tempdir().unwrap();
    let log = write(place.path(), 3);
    log.close().unwrap();
    drop(log);
    let length = fs::metadata(&segments(place.path())[0]).unwrap().len() as usize;
    for at in offset(3)..length {
        change(&segments(place.path())[0], |bytes| bytes[at] ^= 1);
        let log = open(place.path(), Stop::Clean, 9).unwrap().log;
        assert_eq!(log.end(), Position(9));
        let found = log.frame(Position(5)).unwrap().unwrap();
        assert_eq!(*found, frame(4));
        change(&segments(place.path())[0], |bytes| bytes[at] ^= 1);
    }
    change(&segments(place.path())[0], |bytes| {
        bytes.truncate(offset(3))
    });
    let log = open(place.path(), Stop::Clean, 9).unwrap().log;
    log.append(&frame(10)).unwrap();
    log.close().unwrap();
    drop(log);
    assert_eq!(
        open(place.path(), Stop::Clean, 12).unwrap().log.end(),
        Position(12)
    );
    change(&segments(place.path())[0], |bytes| {
        bytes.truncate(offset(3))
    });
    assert_eq!(
        damaged_at(open(place.path(), Stop::Clean, 12)),
        Position(10)
    );
}

#[test]
fn a_seal_that_was_being_written_is_cut() {
    let place = tempfile::tempdir().unwrap();
    let log = write(place.path(), 3);
    log.close().unwrap();
    drop(log);
    let whole = fs::read(&segments(place.path())[0]).unwrap();
    // Of less than its mark nobody can tell what it was to be.
    for length in offset(3) + 4..whole.len() {
        change(&segments(place.path())[0], |bytes| {
            bytes.clone_from(&whole);
            bytes[length..].fill(0);
            bytes.extend([0; 500]);
        });
        let opened = open(place.path(), Stop::Unclean, 9).unwrap();
        assert_eq!(
            (opened.log.end(), opened.torn),
            (Position(9), None),
            "{length}"
        );
        opened.log.append(&frame(10)).unwrap();
        drop(opened.log);
        let opened = open(place.path(), Stop::Unclean, 9).unwrap();
        assert_eq!((opened.log.end(), opened.torn), (Position(12), None));
    }
}

#[test]
fn a_segment_that_is_missing_or_not_what_was_written_is_named() {
    let place = tempfile::tempdir().unwrap();
    drop(write(place.path(), 30));
    let files = segments(place.path());
    assert!(files.len() > 3);
    let firsts: Vec<u64> = files
        .iter()
        .map(|file| file.file_stem().unwrap().to_str().unwrap().parse().unwrap())
        .collect();
    for missing in 0..2 {
        let aside = place.path().join("aside");
        fs::rename(&files[missing], &aside).unwrap();
        let at = damaged_at(open(place.path(), Stop::Unclean, 0));
        assert_eq!(at, Position(firsts[missing]));
        fs::rename(&aside, &files[missing]).unwrap();
    }
    let whole = fs::read(&files[1]).unwrap();
    change(&files[1], |bytes| bytes[40] ^= 1);
    let log = open(place.path(), Stop::Unclean, 0).unwrap().log;
    assert!(log.frame(Position(firsts[1])).is_err());
    assert!(log.frame(Position(firsts[2])).is_ok());
    assert!(log.frame(Position(firsts[1] - 1)).is_ok());
    drop(log);
    // Neither its seal nor its frames lead to its end.
    change(&files[1], |bytes| bytes.truncate(whole.len() / 2));
    assert!(open(place.path(), Stop::Unclean, 0).is_err());
}
