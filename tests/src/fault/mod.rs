//! Trials of the durable engines: what a store has acknowledged is there after kills, failing disks,
//! power cuts and damage.
//!
//! A trial runs a *victim* (`store_writer`) that appends and notes in a *witness* what was acknowledged.
//! A preloaded library (`examples/interpose`) stands between the victim and its files: it records
//! every operation in a *trace*, and lets some of them fail, or kills the victim there, as a *plan*
//! says. What is left, or an *image* of what a power cut at some moment of the trace would have left,
//! is judged by a *checker* (`store_checker`) in a process of its own.

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
pub mod run;
pub mod trace;
pub mod trial;
pub mod victim;
pub mod witness;
