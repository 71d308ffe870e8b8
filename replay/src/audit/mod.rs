//! The audit: every landing against the tenant that was expected.
//!
//! [`evidence`] gathers what the record says, [`landing`] makes one landing of its reports,
//! [`expectation`] says where each should have gone, [`rules`] say what went wrong, and
//! [`finding`] is what comes out. Nothing depends on the order in which sources were imported.

pub mod authority;
pub mod clean;
pub mod evidence;
pub mod expectation;
pub mod finding;
pub mod landing;
pub mod others;
pub mod report;
pub mod rules;
pub mod story;

pub use finding::{Finding, FindingState, Severity};
pub use report::{Report, audit};
