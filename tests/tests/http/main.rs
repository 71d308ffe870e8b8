//! `actl serve` as its callers see it: a real server on a port of this machine, asked over HTTP.
//!
//! Every answer says which position it reflects and agrees with the projections and the audit at
//! that position, whatever is appended meanwhile; everything that is no answer is a problem with a
//! stable code; and nothing that a caller can ask for shows a key or a person.

mod answers;
mod histories;
mod limits;
mod lists;
mod problems;
mod process;
mod secrets;
mod server;
mod tails;

use ledger::event::Fact;

/// The facts of a story.
fn story(name: &str) -> Vec<Fact> {
    let stories = tests::story::all();
    let story = stories.into_iter().find(|story| story.name == name);
    story.expect("the corpus has this story").facts
}

/// The facts of every story.
fn corpus() -> Vec<Fact> {
    let stories = tests::story::all().into_iter();
    stories.flat_map(|story| story.facts).collect()
}
