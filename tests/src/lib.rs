//! Helpers that the tests share.

pub mod domain;
pub mod sample;
pub mod story;
