//! Measures the store against raw writes and against other engines, always in the same run.
//!
//! Every figure that matters is a ratio of two contenders that took turns on the same disk with the
//! same events. The events are prepared once into a file, so that neither JSON nor their invention is
//! measured. One run prints one table and appends one line of JSON to a file of results.

mod audit;
mod cold;
mod compare;
mod contender;
mod data;
mod fault;
mod findings;
mod full;
mod history;
mod ingest;
mod load;
mod machine;
mod medium;
mod reopen;
mod replay;
mod report;
mod seal;
mod views;

use clap::{Parser, Subcommand};
use fault::Outcome;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Parser)]
#[command(about = "Measures the activation ledger's store", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Prepare(data::prepare::Prepare),
    Medium(medium::Medium),
    Full(full::Full),
    Compare(compare::Compare),
    Ingest(ingest::Ingest),
    Replay(replay::Replay),
    Reopen(reopen::Reopen),
    #[command(hide = true)]
    Doomed(reopen::Doomed),
    History(history::History),
    Audit(audit::Audit),
    Findings(findings::Findings),
    Seal(seal::Seal),
    Views(views::ViewsBench),
}

impl Cli {
    fn run(self) -> Outcome<()> {
        match self.command {
            Command::Prepare(prepare) => prepare.run(),
            Command::Medium(medium) => medium.run(),
            Command::Full(full) => full.run(),
            Command::Compare(compare) => compare.run(),
            Command::Ingest(ingest) => ingest.run(),
            Command::Replay(replay) => replay.run(),
            Command::Reopen(reopen) => reopen.run(),
            Command::Doomed(doomed) => doomed.run(),
            Command::History(history) => history.run(),
            Command::Audit(audit) => audit.run(),
            Command::Findings(findings) => findings.run(),
            Command::Seal(seal) => seal.run(),
            Command::Views(views) => views.run(),
        }
    }
}

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
