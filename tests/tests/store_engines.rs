//! Every engine keeps the contract of the commit log: what was appended is read back whole, nothing
//! out of order gets in, and what was synced is there after opening again.

use ledger::id::Position;
use ledger::log::{CommitLog, ENGINES, Engine, Epoch, Frame, LogError, Opening, Place, Stop};
use std::path::Path;

/// Opens a log with segments so small that a test has many.
fn open(engine: &Engine, path: &Path, stop: Stop) -> Box<dyn CommitLog> {
    let opening = Opening {
        stop,
        segment_length_bytes: 3_000,
        ..Opening::clean()
    };
    let opened = (engine.open)(path, opening).unwrap();
    assert_eq!(opened.torn, None);
    opened.log
}

/// A frame of `count` events; some are larger than a piece of the sled engine.
fn frame(epoch: u64, first: u64, count: u64) -> Frame {
    let event = |n: u64| {
        vec![
            n as u8;
            if n.is_multiple_of(7) {
                40_000
            } else {
                n as usize
            }
        ]
    };
    let events: Vec<Vec<u8>> = (first..first + count).map(event).collect();
    Frame::new(Epoch(epoch), Position(first), &events).unwrap()
}

fn each_engine(law: impl Fn(&Engine, &Path)) {
    for engine in ENGINES {
        let directory = tempfile::tempdir().unwrap();
        law(engine, directory.path());
    }
}

#[test]
fn an_empty_log_ends_at_zero_and_holds_nothing() {
    each_engine(|engine, path| {
        let log = open(engine, path, Stop::Clean);
        assert_eq!(log.end(), Position(0), "{}", engine.name);
        for position in [0, 1, u64::MAX] {
            assert!(log.frame(Position(position)).unwrap().is_none());
        }
    });
}

#[test]
fn every_position_leads_to_the_frame_that_holds_it() {
    each_engine(|engine, path| {
        let log = open(engine, path, Stop::Clean);
        let mut frames = Vec::new();
        for count in [1, 9, 1, 300, 2] {
            let made = frame(1, log.end().0 + 1, count);
            log.append(&made).unwrap();
            log.sync().unwrap();
            frames.push(made);
        }
        assert_eq!(log.end(), Position(313));
        for made in &frames {
            for position in made.first().0..=made.last().0 {
                let found = log.frame(Position(position)).unwrap().unwrap();
                assert_eq!(*found, *made, "{} at {position}", engine.name);
            }
        }
        assert!(log.frame(Position(314)).unwrap().is_none());
        assert!(log.frame(Position(0)).unwrap().is_none());
    });
}

#[test]
fn a_frame_that_leaves_a_hole_or_overlaps_is_refused_and_changes_nothing() {
    each_engine(|engine, path| {
        let log = open(engine, path, Stop::Clean);
        log.append(&frame(1, 1, 5)).unwrap();
        for first in [1, 5, 7] {
            let error = log.append(&frame(1, first, 2)).unwrap_err();
            assert!(
                matches!(error, LogError::WrongEnd { .. }),
                "{}: {error}",
                engine.name
            );
            assert!(error.nothing_written());
        }
        assert_eq!(log.end(), Position(5));
    });
}

#[test]
fn a_frame_of_an_earlier_epoch_is_refused_also_after_opening_again() {
    each_engine(|engine, path| {
        let mut log = open(engine, path, Stop::Clean);
        log.append(&frame(4, 1, 2)).unwrap();
        log.sync().unwrap();
        if engine.persistent {
            log.close().unwrap();
            drop(log);
            log = open(engine, path, Stop::Clean);
        }
        let error = log.append(&frame(3, 3, 2)).unwrap_err();
        assert!(
            matches!(error, LogError::WrongEpoch { .. }),
            "{}: {error}",
            engine.name
        );
        log.append(&frame(4, 3, 2)).unwrap();
        log.append(&frame(5, 5, 2)).unwrap();
    });
}

#[test]
fn what_was_synced_is_there_after_opening_again_and_nothing_makes_a_file_that_is_not_synced() {
    each_engine(|engine, path| {
        if !engine.persistent {
            return;
        }
        for round in 0..6_u64 {
            let stop = if round % 2 == 0 {
                Stop::Clean
            } else {
                Stop::Unclean
            };
            let log = open(engine, path, stop);
            assert_eq!(log.end(), Position(round * 300), "{}", engine.name);
            for _ in 0..3 {
                log.append(&frame(round, log.end().0 + 1, 100)).unwrap();
                log.sync().unwrap();
            }
            let mut place = Place::default();
            for position in (1..=log.end().0).step_by(25) {
                let found = log.frame(Position(position)).unwrap().unwrap();
                let first = (position - 1) / 100 * 100 + 1;
                assert_eq!(*found, frame((first - 1) / 300, first, 100));
                if position == first {
                    let next = log.next_frame(Position(position), &mut place).unwrap();
                    assert_eq!(next.unwrap(), found);
                }
            }
            // The next opening is after a clean stop if this one closes the log.
            if round % 2 == 1 {
                log.close().unwrap();
            }
        }
        let blobs = std::fs::read_dir(path.join("blobs"));
        assert_eq!(blobs.map_or(0, Iterator::count), 0, "{}", engine.name);
    });
}

#[test]
fn readers_beside_a_writer_find_every_frame() {
    each_engine(|engine, path| {
        let log = open(engine, path, Stop::Clean);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..400 {
                    log.append(&frame(1, log.end().0 + 1, 3)).unwrap();
                }
            });
            for seed in 0..2_u64 {
                let log = &log;
                scope.spawn(move || {
                    let mut state = seed + 1;
                    while log.end().0 < 1_200 {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(99);
                        let end = log.end().0;
                        if end > 0 {
                            let position = (state >> 20) % end + 1;
                            let found = log.frame(Position(position)).unwrap().unwrap();
                            assert!(found.event(Position(position)).is_some());
                        }
                    }
                });
            }
        });
    });
}
