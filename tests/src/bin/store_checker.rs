//! Holds what a fault left against the witness: the judge of the fault trials.
//!
//! `store_checker QUESTION` prints a `tests::fault::check::Verdict`; both are JSON. What the store says
//! while it is opened goes to standard error.

use tests::fault::check::{Question, check};
use tests::fault::panics;

fn main() {
    if let Some(path) = std::env::var_os("FAULT_PANICS") {
        panics::count_in(path.into());
    }
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let question = std::env::args().nth(1).expect("a question is given");
    let question: Question = serde_json::from_str(&question).expect("the argument is a question");
    let verdict = serde_json::to_string(&check(&question)).expect("a verdict can be written");
    println!("{verdict}");
}
