//! A process is killed at any moment while it writes: the log is a prefix of whole appends, every
//! acknowledged one among them, the index is right, and the rest can be appended again.

use ledger::event::Fact;
use ledger::id::Position;
use ledger::store::Known;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::model::Model;
use tests::stores::{Place, create, open, sequence};

const KILLS: u64 = 20;

#[test]
fn after_a_kill_the_log_is_a_prefix_of_whole_appends_with_every_acknowledged_one() {
    let place = Place::new();
    let (path, witness) = (place.store(), place.path().join("witness"));
    drop(create(&path));
    let mut state = u64::from(std::process::id());
    let mut acknowledged_in_all = 0;
    for round in 0..KILLS {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let wait = Duration::from_micros(5_000 + (state >> 33) % 150_000);
        kill_after(wait, &path, &witness);
        let acknowledged = fs::read_to_string(&witness).unwrap_or_default();
        let acknowledged = acknowledged
            .lines()
            .last()
            .map(|line| line.parse::<usize>().unwrap() + 1);
        let acknowledged = acknowledged.unwrap_or(0);
        acknowledged_in_all = acknowledged_in_all.max(acknowledged);

        let store = open(&path);
        let appends = sequence::following(store.end());
        let appends = appends.unwrap_or_else(|| panic!("round {round}: half an append is there"));
        assert!(
            appends >= acknowledged,
            "round {round}: {appends} of {acknowledged} are left"
        );
        let facts: Vec<Fact> = (0..appends).flat_map(sequence::facts).collect();
        Model { facts }.check(&store);
        // What was under way is appended again, from before where it was left off.
        for append in appends.saturating_sub(3)..appends + 3 {
            store
                .append(sequence::facts(append), &[], Known::Refuse)
                .unwrap();
        }
        assert_eq!(store.end(), sequence::before(appends + 3));
        store.close().unwrap();
    }
    assert!(acknowledged_in_all > 0, "the writer never came to write");
    assert!(open(&path).end() > Position(0));
}

fn kill_after(wait: Duration, path: &std::path::Path, witness: &std::path::Path) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_store_writer"));
    let mut child = child.arg(path).arg(witness).spawn().unwrap();
    let start = Instant::now();
    while start.elapsed() < wait {
        assert_eq!(
            child.try_wait().unwrap(),
            None,
            "the writer ended by itself"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
