//! What is recorded about volume-licensing activations, and how it is kept.
//!
//! This crate knows events, their identity, their stored and their JSON form, the subjects that they
//! name, and the stores that keep them. It knows nothing of views, rules, terminals or HTTP. It never
//! reads the wall clock, the environment or randomness: they come in through [`time::Clock`] and
//! [`secret::Keyring`]. It never panics on input, disk or network. See `ARCHITECTURE.md` beside it.

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

pub mod event;
mod files;
mod fixed;
pub mod id;
pub mod index;
pub mod limits;
pub mod lists;
pub mod log;
pub mod proof;
mod runs;
mod sealed;
pub mod secret;
pub mod store;
pub mod subject;
pub mod tiles;
pub mod time;
