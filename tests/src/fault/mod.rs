//! Trials of the durable engines: what a store has acknowledged is there after kills, failing disks,
//! power cuts and damage.
//!
//! A trial runs a *victim* (`store_writer`) that appends and notes in a *witness* what was acknowledged.
//! A preloaded library (`examples/interpose`) stands between the victim and its files: it records
//! every operation in a *trace*, and lets some of them fail, or kills the victim there, as a *plan*
//! says. What is left, or an *image* of what a power cut at some moment of the trace would have left,
//! is judged by a *checker* (`store_checker`) in a process of its own.
//!
//! Every test run makes a tenth of the trials (`tests/store_trials.rs`). By hand:
//!
//! - `cargo run --release -p tests --bin store_trials` makes all and prints one table; numbers, seed and
//!   engine are variables that the program's head names.
//! - `cargo run -p tests --bin store_mutants` plants each bug of `tests/mutants` in a copy of the tree and
//!   says which ones the trials catch.
//!
//! The choices of a trial follow from its seed, which is printed when it fails. What threads do at the
//! same time does not, so the same seed leads to the same faults, but not always to the same bytes.
//!
//! What a power cut may leave is in [`medium`] and [`image`]. It is at least as bad as what ext4 leaves,
//! with two exceptions: a sector of 512 bytes is never torn, and space that was never written reads as
//! zeros.

pub mod append;
pub mod check;
pub mod damage;
pub mod image;
pub mod medium;
pub mod mutant;
pub mod panics;
pub mod plan;
pub mod processes;
pub mod random;
pub mod remains;
pub mod run;
pub mod trace;
pub mod trial;
pub mod victim;
pub mod witness;
