//! What must hold across crates, and what the tests of it share.

pub mod facts;
pub mod stores;
pub mod story;
