//! What went wrong, and what to do about it.
//!
//! The audit judges every landing (DOMAIN section A) against the tenant that was expected, with the
//! evidence for and against. This crate is pure: it reads histories through `projections` and
//! returns values. It never reads the clock, the environment or randomness, and knows nothing of
//! terminals or HTTP.

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

pub mod audit;
pub mod compensate;
pub mod diff;
