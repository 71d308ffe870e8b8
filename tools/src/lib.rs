//! How people and programs reach the activation ledger: the command line `actl`, the importers and
//! the renderers.
//!
//! This crate knows nothing of how the store keeps its events. It is the only one that reads the
//! clock, the environment and randomness. Data goes to standard output, everything else to standard
//! error; no activation key is ever printed, and a person's name or address only where revealing it was
//! asked for and recorded.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::allow_attributes,
        reason = "tests may stop at the first surprise"
    )
)]

pub mod answer;
pub mod asking;
pub mod audited;
pub mod checkpoints;
pub mod cli;
pub mod clock;
pub mod command;
pub mod erase;
pub mod error;
pub mod format;
pub mod ground;
pub mod hex;
pub mod histories;
pub mod import;
pub mod incarnate;
pub mod keyring;
pub mod near;
pub mod output;
pub mod persons;
pub mod place;
pub mod point;
pub mod privacy;
pub mod progress;
pub mod reveal;
pub mod secret_file;
pub mod serve;
pub mod session;
pub mod signing;
pub mod simulate;
pub mod subject;
pub mod vault;
pub mod which;
