//! Every way in which a command can end, and the one place where that becomes an exit code.
//!
//! An error says what could not be done, why, and what to do next. Nothing in it may be secret: the
//! text is passed through [`crate::privacy::scrub`] once more before it is printed.

use std::fmt;

/// How a command that ran has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There is nothing to report beyond the data.
    Clean,
    /// There are findings or differences.
    Findings,
    /// Part of the input was left out, as the caller allowed.
    Incomplete,
}

/// Why a command has stopped: decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Wrong arguments, wrong input, a missing or unusable file.
    CouldNotRun,
    /// Stored data is not what was stored.
    IntegrityBroken,
    /// A condition did not hold, or what was asked contradicts what is recorded.
    Refused,
}

/// An error as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Decides the exit code.
    pub class: Class,
    /// What could not be done.
    pub what: String,
    /// Why.
    pub why: String,
    /// What to do next.
    pub hint: String,
}

impl Failure {
    /// A command that could not run.
    pub fn new(what: impl Into<String>, why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            class: Class::CouldNotRun,
            what: what.into(),
            why: why.into(),
            hint: hint.into(),
        }
    }

    /// The same error as one of another class.
    #[must_use]
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Standard output or standard error could not be written to.
    pub fn output(error: &std::io::Error) -> Self {
        let why = error.to_string();
        Self::new(
            "cannot write the answer",
            why,
            "check where the output goes",
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        write!(f, "\n  why: {}", self.why)?;
        write!(f, "\n  hint: {}", self.hint)
    }
}

/// The exit code of a command: 0 clean, 1 findings or differences, 2 could not run (or not on all of
/// its input), 3 integrity broken, 4 refused or conflict.
pub fn exit_code(result: &Result<Outcome, Failure>) -> u8 {
    match result {
        Ok(Outcome::Clean) => 0,
        Ok(Outcome::Findings) => 1,
        Ok(Outcome::Incomplete) => 2,
        Err(failure) => match failure.class {
            Class::CouldNotRun => 2,
            Class::IntegrityBroken => 3,
            Class::Refused => 4,
        },
    }
}
