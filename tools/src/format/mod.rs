//! How answers are written. Every command that answers with data answers in each of these.

pub mod ask;
pub mod audit;
pub mod compensate;
pub mod csv;
pub mod diff;
pub mod doctor;
pub mod event;
pub mod html;
pub mod layout;
pub mod preflight;
pub mod sarif;
pub mod sweep;
pub mod table;
pub mod view;
pub mod walk;
pub mod why;

/// The forms that `--format` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Asked {
    /// Columns for people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// A table for spreadsheets (audit replay).
    Csv,
    /// SARIF 2.1.0, for systems that collect findings (audit replay).
    Sarif,
    /// One file for a browser, with a picture a case (audit replay).
    Html,
}

impl Asked {
    /// The form of an ordinary answer, and the form of a report beyond those.
    pub fn forms(self) -> (Format, Option<ReportForm>) {
        match self {
            Self::Table => (Format::Table, None),
            Self::Json => (Format::Json, None),
            Self::Jsonl => (Format::Jsonl, None),
            Self::Csv => (Format::Table, Some(ReportForm::Csv)),
            Self::Sarif => (Format::Table, Some(ReportForm::Sarif)),
            Self::Html => (Format::Table, Some(ReportForm::Html)),
        }
    }
}

/// The forms that only a report has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportForm {
    /// A table for spreadsheets.
    Csv,
    /// SARIF 2.1.0.
    Sarif,
    /// One HTML file.
    Html,
}

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
