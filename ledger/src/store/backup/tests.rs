//! A later backup leaves the full segments of an earlier one as they are, and a backup that was killed goes on.

use super::*;
use crate::limits::APPEND_EVENTS_MAX;
use crate::log::Frame;
use crate::secret::Pepper;
use std::collections::BTreeMap;
use std::sync::Arc;

const STEPS: Steps = Steps {
    segment_length_bytes: 2_000,
    sync_bytes: 1_500,
};

fn frame(number: u64) -> StoredFrame {
    let events = [vec![number as u8; 300], vec![1; 10]];
    Arc::new(Frame::new(Epoch(1), Position(number * 2 + 1), &events).unwrap())
}

fn manifest(frames: u64) -> Manifest {
    Manifest {
        form: Form::Store,
        store_id: [3; 16],
        incarnation: 1,
        engine: "memory".to_owned(),
        pepper: Pepper::public().id(),
        created_at: Timestamp::from_micros(0),
        epoch: Epoch(1),
        reached: Position(frames * 2),
        is_open: true,
        lost: Vec::new(),
    }
}

/// Backs up a log of so many frames.
fn back_up(to: &Path, manifest: Manifest) -> Result<BackedUp, StoreError> {
    assert!(manifest.reached.0 < APPEND_EVENTS_MAX as u64);
    let count = manifest.reached.0 / 2;
    let frames = |after: Position| {
        let frames: Frames<'_> = Box::new((after.0 / 2..count).map(|number| Ok(frame(number))));
        Ok(frames)
    };
    let origin = Origin {
        path: Path::new("nowhere"),
        manifest,
        frames: &frames,
    };
    write(&origin, to, STEPS, &mut |_, _| {})
}

fn segments(to: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(Directory::log(to)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}

fn check(to: &Path, frames: u64) {
    let until = Position(frames * 2);
    let found = journal::read(&Directory::log(to), Position(0), until).unwrap();
    let found: Vec<_> = found.map(Result::unwrap).collect();
    assert_eq!(found, (0..frames).map(frame).collect::<Vec<_>>());
    let manifest = Manifest::read_form(to, Form::Backup).unwrap();
    assert_eq!(manifest.reached, until);
}

#[test]
fn full_segments_never_change_and_only_what_is_new_is_copied() {
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("backup");
    let mut before = 0;
    let mut kept: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for frames in [0, 0, 1, 2, 9, 10, 30, 30, 31, 70] {
        let done = back_up(&to, manifest(frames)).unwrap();
        assert_eq!((done.before.0, done.end.0), (before * 2, frames * 2));
        let copied = (before..frames).map(|n| frame(n).bytes().len() as u64);
        assert_eq!(done.copied_bytes, copied.sum::<u64>());
        check(&to, frames);
        let found = segments(&to);
        for (name, bytes) in &kept {
            assert_eq!(found.get(name), Some(bytes), "{name} at {frames} frames");
        }
        kept = found.clone();
        kept.pop_last();
        before = frames;
    }
    assert!(kept.len() > 10);
}

#[test]
fn a_backup_that_was_killed_is_whole_up_to_its_manifest_and_goes_on() {
    for frames in [1, 5, 6, 7, 20, 40] {
        let place = tempfile::tempdir().unwrap();
        let to = place.path().join("backup");
        back_up(&to, manifest(6)).unwrap();
        let kept = fs::read(to.join("manifest")).unwrap();
        back_up(&to, manifest(6 + frames)).unwrap();
        fs::write(to.join("manifest"), &kept).unwrap();
        let log = Directory::log(&to);
        let last = segments(&to).pop_last().unwrap();
        let torn = &last.1[..last.1.len() - 40];
        for left in [&last.1[..], torn, &[torn, &[0; 3_000]].concat()] {
            fs::write(log.join(&last.0), left).unwrap();
            fs::write(to.join("manifest"), &kept).unwrap();
            let first = journal::read(&log, Position(0), Position(12)).unwrap();
            assert_eq!(first.filter(Result::is_ok).count(), 6);
            back_up(&to, manifest(50)).unwrap();
            check(&to, 50);
        }
    }
}

#[test]
fn what_is_no_backup_of_this_history_is_refused_and_left_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("backup");
    back_up(&to, manifest(5)).unwrap();
    let before = segments(&to);
    let mut other = manifest(6);
    other.store_id = [4; 16];
    let mut lost = manifest(6);
    lost.lost = vec![(Position(3), Position(4))];
    let refused = [
        back_up(&to, other).unwrap_err(),
        back_up(&to, manifest(4)).unwrap_err(),
        back_up(&to, lost).unwrap_err(),
    ];
    assert!(matches!(refused[0], StoreError::OtherStore { .. }));
    assert!(matches!(refused[1], StoreError::Ahead { .. }));
    let lost = Position(3);
    assert!(matches!(refused[2], StoreError::Parted { position, .. } if position == lost));
    let frames = |after: Position| {
        let parted = [vec![9; 300], vec![2; 10]];
        let parted = Frame::new(Epoch(1), Position(9), &parted).unwrap();
        let frames = (after.0 / 2..5).map(move |number| match number {
            4 => Ok(Arc::new(parted.clone())),
            number => Ok(frame(number)),
        });
        let frames: Frames<'_> = Box::new(frames);
        Ok(frames)
    };
    let origin = Origin {
        path: Path::new("nowhere"),
        manifest: manifest(5),
        frames: &frames,
    };
    let parted = write(&origin, &to, STEPS, &mut |_, _| {}).unwrap_err();
    assert!(matches!(
        parted,
        StoreError::Parted {
            position: Position(10),
            ..
        }
    ));
    assert!(refused.iter().chain([&parted]).all(StoreError::is_refusal));
    assert_eq!(segments(&to), before);
    check(&to, 5);
}

#[test]
fn a_backup_whose_source_fails_is_whole_up_to_its_manifest_and_goes_on() {
    for fails_at in 0..30 {
        let place = tempfile::tempdir().unwrap();
        let to = place.path().join("backup");
        let frames = |after: Position| {
            let frames = (after.0 / 2..40).map(|number| match number == fails_at {
                true => Err(StoreError::NotAStore {
                    path: PathDisplay::from(Path::new("nowhere")),
                }),
                false => Ok(frame(number)),
            });
            let frames: Frames<'_> = Box::new(frames);
            Ok(frames)
        };
        let origin = Origin {
            path: Path::new("nowhere"),
            manifest: manifest(40),
            frames: &frames,
        };
        assert!(write(&origin, &to, STEPS, &mut |_, _| {}).is_err());
        let reached = Manifest::read_form(&to, Form::Backup).unwrap().reached;
        let synced = STEPS.sync_bytes.div_ceil(frame(0).bytes().len() as u64);
        assert_eq!(reached, Position(fails_at / synced * synced * 2));
        check(&to, reached.0 / 2);
        back_up(&to, manifest(40)).unwrap();
        check(&to, 40);
    }
}
