//! What must hold across crates, and what the tests of it share.

pub mod facts;
pub mod faulty;
pub mod model;
pub mod stores;
pub mod story;
