//! Queries as people write them: addresses in clear become pseudonyms, and what cannot be asked is
//! answered with what can.

use crate::error::Failure;
use crate::near::nearest;
use crate::subject;
use ledger::secret::Pepper;
use ledger::subject::SubjectKind;
use projections::query::{Kind, Parts, Query, QueryError};

/// A query over a kind of view, from filters and an order as they were typed. The pepper is asked for
/// only if a person or a machine is named in clear.
pub fn read(
    kind: SubjectKind,
    filters: &[String],
    sort: Option<&str>,
    pepper: &mut dyn FnMut() -> Result<Pepper, Failure>,
) -> Result<Query, Failure> {
    let mut query = Query::of(kind).map_err(|error| failure(&error))?;
    for text in filters {
        add(&mut query, text, pepper)?;
    }
    if let Some(sort) = sort {
        query.sort(sort).map_err(|error| failure(&error))?;
    }
    Ok(query)
}

fn add(
    query: &mut Query,
    text: &str,
    pepper: &mut dyn FnMut() -> Result<Pepper, Failure>,
) -> Result<(), Failure> {
    let fail = |error: QueryError| failure(&error);
    let mut parts = Parts::of(text).map_err(fail)?;
    let path = query.field(parts.field).map_err(fail)?;
    let named = match path.kind() {
        Kind::Pseudonym(kind) if !parts.value.is_empty() => {
            let text = format!("{}:{}", kind.name(), parts.value);
            Some(subject::read(&text, pepper)?.id)
        }
        _ => None,
    };
    if let Some(id) = &named {
        parts.value = id;
    }
    query.filter_parts(parts).map_err(fail)
}

/// An error of a query, with the names that may have been meant.
pub fn failure(error: &QueryError) -> Failure {
    let (what, hint) = match error {
        QueryError::NoViews { .. } => (
            "cannot list that",
            "`actl find` looks for subjects of every kind".to_owned(),
        ),
        QueryError::NoOperator => (
            "cannot read a filter",
            "for example 'state=Grace', 'seats>=25' or 'end<2024-03'; the operators are =, !=, <, <=, >, >= and ~ (has this text in it)"
                .to_owned(),
        ),
        QueryError::UnknownField { field, known, .. } => {
            ("cannot ask for that field", meant(field, known, "fields"))
        }
        QueryError::WrongOperator { known, .. } => (
            "cannot compare that field like this",
            format!("its operators are: {}", known.join(" ")),
        ),
        QueryError::WrongValue {
            known,
            form,
            given: Some(given),
            ..
        } => {
            let words: Vec<String> = known.iter().map(|word| (*word).to_owned()).collect();
            let hint = match words.is_empty() {
                true => format!("write {form}"),
                false => meant(given, &words, "words"),
            };
            ("cannot compare with that value", hint)
        }
        QueryError::WrongValue { known, form, .. } => (
            "cannot compare with that value",
            match known.is_empty() {
                true => format!("write {form}"),
                false => format!("the words are: {}", known.join(", ")),
            },
        ),
        QueryError::WholeRecord { field, known } => (
            "cannot compare that field as a whole",
            match known.first() {
                None => format!("name one of its values: {field}.NAME"),
                Some(first) => format!(
                    "for example {field}.{first}; its fields are: {}",
                    known.join(", ")
                ),
            },
        ),
        QueryError::NoOrder { .. } => (
            "cannot sort by that field",
            "sort by a field with one value, such as a state, a number or a day".to_owned(),
        ),
        QueryError::ForeignCursor => (
            "cannot go on from that cursor",
            "give it with the same command, filters and order that printed it, or leave it out to \
             begin anew"
                .to_owned(),
        ),
        _ => ("cannot answer that", "see the command's help".to_owned()),
    };
    Failure::new(what, error.to_string(), hint)
}

/// The nearest of some names, and all of them.
fn meant(given: &str, known: &[String], what: &str) -> String {
    let nearest = nearest(given, known.iter().map(String::as_str));
    match (nearest, known.is_empty()) {
        (_, true) => "leave out what comes after the last dot".to_owned(),
        (None, false) => format!("the {what} are: {}", known.join(", ")),
        (Some(nearest), false) => format!(
            "did you mean {nearest}? The {what} are: {}",
            known.join(", ")
        ),
    }
}
