//! Trials of the durable engines, and one table of what came of them.
//!
//! `store_trials` makes a full run; `FAULT_KILL`, `FAULT_POWER_CUT`, `FAULT_FAULT`, `FAULT_OLD_FILES`
//! and `FAULT_DAMAGE` say how many of each, `FAULT_SEED` which, `FAULT_ENGINE` with
//! which engine only, `FAULT_THREADS` how many at once, `FAULT_PLANS` gives the plan of every
//! fault trial, and `FAULT_KEEP=1` keeps the files of those in
//! which something was not as it must be. `store_trials KIND ENGINE SEED` makes one trial
//! again and keeps its files. It ends with 1 if anything is not as it must be.

use std::env;
use std::process::ExitCode;
use tests::fault::run::{FULL, Line, Settings, count_of, engines, run, table};
use tests::fault::trial::{self, Keep, Kind};

fn all() -> Vec<Line> {
    let settings = Settings::from_environment();
    let only = env::var("FAULT_ENGINE").ok();
    let mut lines = Vec::new();
    for engine in engines().filter(|engine| only.as_deref().is_none_or(|only| only == *engine)) {
        for (kind, count) in FULL {
            let count = count_of(kind, count);
            if count > 0 {
                let line = run(kind, engine, count, settings);
                eprintln!("{engine}: {} done in {} s", kind.name(), line.seconds);
                lines.push(line);
            }
        }
    }
    lines
}

fn one(arguments: &[String]) -> Option<Line> {
    let [kind, engine, seed] = arguments else {
        return None;
    };
    let kind = Kind::named(kind)?;
    let engine = engines().find(|known| known == engine)?;
    let tally = trial::run(kind, engine, seed.parse().ok()?, Keep::Everything);
    Some(Line {
        engine,
        kind,
        tally,
        seconds: 0,
    })
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let lines = match arguments.is_empty() {
        true => all(),
        false => one(&arguments).into_iter().collect(),
    };
    if lines.is_empty() {
        eprintln!("usage: store_trials [KIND ENGINE SEED]");
        return ExitCode::from(2);
    }
    print!("{}", table(&lines));
    let failed = lines.iter().any(|line| !line.tally.failures.is_empty());
    ExitCode::from(u8::from(failed))
}
