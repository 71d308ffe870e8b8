//! What a command works with.

use crate::format::{Format, ReportForm};
use crate::output::Output;
use crate::place::Place;

/// Where the store is, how the answer is written, and where to.
pub struct Session {
    /// Where the store and the vault are.
    pub place: Place,
    /// How the answer is written.
    pub format: Format,
    /// The form of a report beyond those, where one was asked for.
    pub report: Option<ReportForm>,
    /// Standard output.
    pub out: Output,
}
