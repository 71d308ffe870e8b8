//! Answers that may show what is sealed: made first, revealed and recorded, and only then shown.

use crate::error::Failure;
use crate::format::Format;
use crate::place::Place;
use crate::reveal::RevealArgs;
use crate::session::Session;
use ledger::store::Store;
use serde_json::Value;
use std::fmt;

/// What is shown at once: of one subject, or a line of a list.
pub enum Answer {
    /// For people.
    Text(String),
    /// For programs.
    Json(Value),
}

impl Answer {
    /// The answer in a format.
    pub fn of(format: Format, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) -> Self {
        match format {
            Format::Table => Self::Text(text()),
            Format::Json | Format::Jsonl => Self::Json(json()),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Json(json) => write!(f, "{json}"),
        }
    }
}

/// Shows answers to a request; if revealing is asked for, with what their pseudonyms stand for, which is
/// recorded before anything is shown. The store is to be closed afterwards: it may have been written to.
pub fn show(
    answers: &[Answer],
    reveal: &RevealArgs,
    place: &Place,
    store: &Store,
    request: &str,
    session: &mut Session,
) -> Result<(), Failure> {
    let texts = answers.iter().map(Answer::to_string);
    let labels = reveal.labels(place, store, request, texts)?;
    for answer in answers {
        match (answer, session.format) {
            (Answer::Text(text), _) => session.out.text(&labels.text(text))?,
            (Answer::Json(json), Format::Json) => session.out.json(&labels.value(json))?,
            (Answer::Json(json), _) => session.out.json_line(&labels.value(json))?,
        }
    }
    Ok(())
}
