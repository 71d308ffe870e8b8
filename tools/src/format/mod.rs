//! How answers are written. Every command that answers with data answers in each of these.

pub mod ask;
pub mod audit;
pub mod compensate;
pub mod diff;
pub mod doctor;
pub mod event;
pub mod layout;
pub mod preflight;
pub mod sweep;
pub mod table;
pub mod view;
pub mod why;

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
