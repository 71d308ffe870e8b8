//! What is asked of an append and what it answers.

use super::answer::Waiter;
use super::error::AppendError;
use crate::id::{Position, Revision};
use crate::subject::Subject;
use crate::time::Timestamp;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What has to hold for an append to happen. It is checked against everything that was appended
/// before, durable or in the same frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Exactly so many events name the subject.
    SubjectAt {
        /// The subject.
        subject: Subject,
        /// How many.
        revision: Revision,
    },
    /// No event names the subject.
    SubjectAbsent {
        /// The subject.
        subject: Subject,
    },
    /// No event after a position names the subject.
    SubjectUnchangedSince {
        /// The subject.
        subject: Subject,
        /// The position.
        position: Position,
    },
}

/// What to do with events whose ids are known with the same content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// An append that is wholly known gets its first receipt; one that is partly known is refused,
    /// and so is one that names an id twice.
    Refuse,
    /// They are dropped, and the others appended: for imports.
    Skip,
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The position of the first event that was appended; if none was, of the first known one;
    /// `None` if the append had no events.
    pub first: Option<Position>,
    /// The position of the last one likewise; the end of the log if the append had no events.
    pub last: Position,
    /// How many events were appended.
    pub appended: usize,
    /// How many were known already, here or elsewhere in the append.
    pub known: usize,
    /// When the ledger took the last one in; `None` if the append had no events.
    pub recorded_at: Option<Timestamp>,
}

/// The answer to an append.
pub type Answer = Result<Receipt, AppendError>;

/// An append that was submitted. Dropping it does not undo the append. It is a future, and needs no
/// runtime.
#[must_use = "an append is only certain once it is answered"]
pub struct Pending(pub(crate) Waiter);

impl Pending {
    /// Blocks until the append is answered. Not for asynchronous code: await it there.
    pub fn wait(self) -> Answer {
        self.0.wait()
    }
}

impl Future for Pending {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        self.0.poll(context)
    }
}
