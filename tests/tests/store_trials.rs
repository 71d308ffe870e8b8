//! Whatever is done to a store, what it acknowledged is there, whole, once and in order; or there is an
//! error that says so. See `tests::fault`.
//!
//! A run of the tests makes a tenth of the trials with each engine; the full run is
//! `cargo run --release -p tests --bin store_trials`, which prints one table. The number of trials can
//! be changed with the variables that are named there; a trial that fails prints the command that makes
//! it again.

use std::process::Command;
use tests::fault::image::{Cut, Survival};
use tests::fault::run::{FULL, Settings, count_of, engines, run, table};
use tests::fault::trial::{Keep, Kind, cut_at_every_acknowledgement};

/// How many of the trials of a full run are made here: one in so many.
const SHARE: usize = 10;

fn trials(kind: Kind) {
    let settings = Settings {
        threads: 1,
        keep: Keep::Nothing,
        ..Settings::from_environment()
    };
    let full = FULL.into_iter().find(|(known, _)| *known == kind);
    let count = count_of(kind, full.map_or(0, |(_, count)| count / SHARE));
    let lines: Vec<_> = engines()
        .map(|engine| run(kind, engine, count, settings))
        .collect();
    let table = table(&lines);
    println!("{table}");
    assert!(
        lines.iter().all(|line| line.tally.failures.is_empty()),
        "\n{table}"
    );
    assert!(
        lines
            .iter()
            .all(|line| line.tally.trials >= count && line.tally.acknowledged > 0),
        "too little was tried\n{table}"
    );
}

#[test]
fn kills_at_named_points_and_at_any_moment() {
    trials(Kind::Kill);
}

#[test]
fn power_cuts() {
    trials(Kind::PowerCut);
}

#[test]
fn failing_writes_failing_syncs_and_full_disks() {
    trials(Kind::Fault);
}

#[test]
fn files_of_sled_that_are_old_empty_garbage_or_gone() {
    trials(Kind::OldFiles);
}

#[test]
fn flipped_bits_zeroed_pages_cut_tails_and_removed_files() {
    trials(Kind::Damage);
}

/// Sled never syncs its file `conf`, and a new store's was lost with the power once. And after a sync that
/// failed, the sled engine once went on with what was in memory only: it did not open after a power cut.
#[test]
fn what_was_acknowledged_survives_a_power_cut_that_keeps_only_what_was_synced() {
    let nothing_else = Cut {
        content: Survival::Percent(0),
        names: Survival::Percent(0),
        in_order: false,
    };
    for engine in engines() {
        let lost = "sync/log/@20=lost;sync/log/@28=lost;sync/log/@36=lost";
        // 24 appends, of which a busy machine may put four at a time into one frame; sled is given up after the
        // first sync that failed.
        for (plan, acknowledged_min) in [("sync@1+=slow", 60), (lost, 1)] {
            let tally = cut_at_every_acknowledgement(engine, plan, nothing_else);
            let seen = (tally.trials, tally.acknowledged);
            let is_enough = seen.0 > 5 && seen.1 >= acknowledged_min;
            assert!(is_enough, "{engine}, {plan}: {seen:?}");
            assert!(
                tally.failures.is_empty(),
                "{engine}, {plan}: {:#?}",
                tally.failures
            );
        }
    }
}

#[test]
fn a_panic_of_a_victim_or_checker_is_counted() {
    let place = tempfile::tempdir().unwrap();
    let panics = place.path().join("panics");
    for program in [
        env!("CARGO_BIN_EXE_store_checker"),
        env!("CARGO_BIN_EXE_store_writer"),
    ] {
        let mut command = Command::new(program);
        let ended = command
            .arg("nonsense")
            .env("FAULT_PANICS", &panics)
            .output();
        assert!(!ended.unwrap().status.success());
    }
    assert_eq!(tests::fault::panics::read(&panics).loose, 2);
}
