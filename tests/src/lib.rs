//! What must hold across crates, and what the tests of it share.

pub mod accuracy;
pub mod arbitrary;
pub mod domain;
pub mod facts;
pub mod fault;
pub mod faulty;
pub mod model;
pub mod sample;
pub mod stores;
pub mod story;
pub mod told;
