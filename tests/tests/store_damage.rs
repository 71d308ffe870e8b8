//! Bytes rot on the medium: what is read is right, or reading ends with an error that says so. It
//! never ends with a panic, never hangs, and never passes over what was lost.
//!
//! This holds for a store that was closed cleanly. See `FORMAT.md` for what can be known of one
//! that was not.

use ledger::store::Known;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tests::facts::session_started;
use tests::stores::{Place, copy, create};

const APPENDS: usize = 60;
const EVENTS_PER_APPEND: usize = 40;
const PLACES: usize = 8;
const READ_TIME_MAX: Duration = Duration::from_secs(60);

/// Reads the store in a process of its own.
fn read(store: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_store_reader"));
    command
        .arg(store)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > READ_TIME_MAX {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().unwrap()
}

#[test]
fn a_damaged_log_file_reads_right_or_ends_with_an_error() {
    let place = Place::new();
    let store = create(&place.store());
    for append in 0..APPENDS {
        let first = append * EVENTS_PER_APPEND;
        let one = |n: usize| session_started(n, &format!("s-{n}"), "t.example");
        let facts = (first..first + EVENTS_PER_APPEND).map(one).collect();
        store.append(facts, &[], Known::Refuse).unwrap();
    }
    drop(store);
    assert_eq!(read(&place.store()).stdout, b"2400\n");

    let flip: fn(&mut Vec<u8>, usize) = |bytes, at| bytes[at] ^= 0x55;
    let zero: fn(&mut Vec<u8>, usize) = |bytes, at| {
        let page = at / 4_096 * 4_096;
        let end = bytes.len().min(page + 4_096);
        bytes[page..end].fill(0);
    };
    let cut: fn(&mut Vec<u8>, usize) = |bytes, at| bytes.truncate(at);
    for (name, damage) in [("flip", flip), ("zero", zero), ("cut", cut)] {
        for number in 0..PLACES {
            let damaged = place.path().join("damaged");
            copy(&place.store(), &damaged);
            let file = damaged.join("log/db");
            let mut bytes = fs::read(&file).unwrap();
            let at = (bytes.len() * number + number * 7_919 % 4_096) / PLACES;
            damage(&mut bytes, at);
            fs::write(&file, bytes).unwrap();
            let output = read(&damaged);
            let said = String::from_utf8_lossy(&output.stderr);
            match output.status.code() {
                Some(0) => assert_eq!(output.stdout, b"2400\n", "{name} at {at}: {said}"),
                code => assert_eq!(code, Some(3), "{name} at {at}: {said}"),
            }
            fs::remove_dir_all(&damaged).unwrap();
        }
    }
}
