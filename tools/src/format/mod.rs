//! How answers are written. Every command that answers with data answers in each of these.

pub mod audit;
pub mod compensate;
pub mod diff;
pub mod doctor;
pub mod event;
pub mod preflight;
pub mod table;

/// The forms of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Columns for people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
}
