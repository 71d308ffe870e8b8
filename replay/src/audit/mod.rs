//! The audit: every landing against the tenant that was expected, and every subject against what must
//! hold for it.
//!
//! [`evidence`] gathers what the record says, [`landing`] makes one landing of its reports,
//! [`expectation`] says where each should have gone, [`rules`] say what went wrong with a landing or a
//! subject, and [`finding`] is what comes out. Nothing depends on the order in which sources were imported.

pub mod authority;
mod beside;
pub mod clean;
pub mod decide;
pub mod evidence;
mod exhibits;
pub mod expectation;
pub mod finding;
pub mod hearing;
pub mod kept;
pub mod landing;
pub mod others;
pub mod preflight;
pub mod reads;
pub mod report;
pub mod rules;
pub mod select;
pub mod signals;
pub mod story;
pub mod streamed;
mod subjects;
mod unsettled;
pub mod walk;

pub use finding::{Finding, FindingState, Severity};
pub use report::{Report, audit};
pub use streamed::audit_log;
