//! Errors of a bench: there is nothing to do about them but to read them.

use std::error::Error;
use std::fmt::Display;
use std::path::Path;

/// What a step gives, or why the run ends.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Says which file an error is about.
pub trait About<T> {
    /// The same, with the path in front of the error.
    fn about(self, path: &Path) -> Outcome<T>;
}

impl<T, E: Display> About<T> for Result<T, E> {
    fn about(self, path: &Path) -> Outcome<T> {
        self.map_err(|error| format!("{}: {error}", path.display()).into())
    }
}
