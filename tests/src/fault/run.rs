//! Many trials, and what came of them as one table.

use super::random::Random;
use super::trial::{self, Keep, Kind, Tally};
use ledger::log::ENGINES;
use std::env;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// How many of each kind a full run makes, with each engine.
pub const FULL: [(Kind, usize); 5] = [
    (Kind::Kill, 500),
    (Kind::PowerCut, 100),
    (Kind::Fault, 50),
    (Kind::OldFiles, 50),
    (Kind::Damage, 200),
];

/// The most failures that are told in words.
const TOLD_MAX: usize = 10;

/// One line of the table.
pub struct Line {
    /// The engine.
    pub engine: &'static str,
    /// What went wrong.
    pub kind: Kind,
    /// What came of it.
    pub tally: Tally,
    /// How long it took, in seconds.
    pub seconds: u64,
}

/// The engines that outlive a process.
pub fn engines() -> impl Iterator<Item = &'static str> {
    let persistent = ENGINES.iter().filter(|engine| engine.persistent);
    persistent.map(|engine| engine.name)
}

/// How trials are made.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Decides every choice.
    pub seed: u64,
    /// How many trials are made at once.
    pub threads: usize,
    /// Which folders stay.
    pub keep: Keep,
}

impl Settings {
    /// What the environment says: `FAULT_SEED`, `FAULT_THREADS`, `FAULT_KEEP`.
    pub fn from_environment() -> Self {
        Self {
            seed: number("FAULT_SEED").unwrap_or(1),
            threads: number("FAULT_THREADS").unwrap_or(2) as usize,
            keep: match number("FAULT_KEEP") {
                None | Some(0) => Keep::Nothing,
                Some(_) => Keep::Failed,
            },
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let given = env::var(variable).ok()?;
    Some(given.parse().expect("the variable is a number"))
}

/// How many of a kind the environment asks for, in a variable like `FAULT_POWER_CUT`.
pub fn count_of(kind: Kind, otherwise: usize) -> usize {
    let name = kind.name().to_uppercase().replace('-', "_");
    let given = number(&format!("FAULT_{name}"));
    given.map_or(otherwise, |given| given as usize)
}

/// Makes so many trials of a kind with an engine.
pub fn run(kind: Kind, engine: &'static str, count: usize, settings: Settings) -> Line {
    let start = Instant::now();
    let trials = count.div_ceil(kind.per_trial());
    let next = AtomicUsize::new(0);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..settings.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= trials {
                        return;
                    }
                    let seed = Random::new(settings.seed.wrapping_add(number as u64)).number();
                    let mut made = trial::run(kind, engine, seed, settings.keep);
                    let name = kind.name();
                    for failure in &mut made.failures {
                        let again = format!(
                            "cargo run -p tests --bin store_trials -- {name} {engine} {seed}"
                        );
                        *failure = format!("{failure}\n    again: {again}");
                    }
                    *tally.lock().expect("no thread panics while it counts") += made;
                }
            });
        }
    });
    let tally = tally
        .into_inner()
        .expect("no thread panics while it counts");
    let seconds = start.elapsed().as_secs();
    Line {
        engine,
        kind,
        tally,
        seconds,
    }
}

/// The table, and the first failures in words.
pub fn table(lines: &[Line]) -> String {
    let mut text = format!(
        "{:<8} {:<10} {:>6} {:>10} {:>5} {:>5} {:>9} {:>7} {:>6} {:>6} {:>6} {:>10} {:>8} {:>12} {:>9} {:>7} {:>12} {:>13} {:>6} {:>7}\n",
        "engine",
        "fault",
        "trials",
        "acked",
        "lost",
        "twice",
        "reordered",
        "altered",
        "wrong",
        "errors",
        "named",
        "unreadable",
        "salvaged",
        "salvage lost",
        "recovered",
        "rebuilt",
        "panics loose",
        "panics caught",
        "failed",
        "seconds"
    );
    for line in lines {
        let tally = &line.tally;
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "{:<8} {:<10} {:>6} {:>10} {:>5} {:>5} {:>9} {:>7} {:>6} {:>6} {:>6} {:>10} {:>8} {:>12} {:>9} {:>7} {:>12} {:>13} {:>6} {:>7}",
            line.engine,
            line.kind.name(),
            tally.trials,
            tally.acknowledged,
            tally.lost,
            tally.duplicated,
            tally.reordered,
            tally.altered,
            tally.wrong,
            tally.errors,
            tally.named,
            tally.unreadable,
            tally.salvaged,
            tally.salvage_lost,
            tally.recovered,
            tally.rebuilt,
            tally.panics.loose,
            tally.panics.caught,
            tally.failures.len(),
            line.seconds,
        );
    }
    let failures = lines.iter().flat_map(|line| &line.tally.failures);
    for failure in failures.take(TOLD_MAX) {
        let _ = writeln!(text, "\n{failure}");
    }
    text
}
