//! Why a query cannot be answered. Nothing in an error repeats a value that was asked for, because
//! it could be an address or a key.

use thiserror::Error;

/// Why a query cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// There are no views of this kind of subject.
    #[error("there are no views of the kind {kind}")]
    NoViews {
        /// The kind.
        kind: &'static str,
    },
    /// A filter is not of the form `FIELD OPERATOR VALUE`.
    #[error("a filter has the form FIELD=VALUE, and this one has no operator")]
    NoOperator,
    /// A view has no such field.
    #[error("{}", no_such_field(.view, .within, .field, .known))]
    UnknownField {
        /// The kind of view.
        view: &'static str,
        /// The field in which it was looked for; empty for the view itself.
        within: String,
        /// The name that was given.
        field: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The field cannot be compared like this.
    #[error("{field} is {what} and cannot be compared with {operator}")]
    WrongOperator {
        /// The field.
        field: String,
        /// What its values are.
        what: &'static str,
        /// The operator that was given.
        operator: &'static str,
        /// The operators that there are.
        known: Vec<&'static str>,
    },
    /// The value is none that the field can have.
    #[error("{field} is {what}, and the value given is not")]
    WrongValue {
        /// The field.
        field: String,
        /// What its values are.
        what: &'static str,
        /// How one is written.
        form: &'static str,
        /// The words that there are, for a field of words.
        known: Vec<&'static str>,
        /// The word that was given, for a field of words.
        given: Option<String>,
    },
    /// A field that holds records cannot be compared or sorted by as a whole.
    #[error("{field} has fields of its own: compare one of them")]
    WholeRecord {
        /// The field.
        field: String,
        /// Its fields.
        known: Vec<String>,
    },
    /// A field with several values gives no order.
    #[error("{field} can have several values, which give no order")]
    NoOrder {
        /// The field.
        field: String,
    },
    /// A cursor that no page of this query had.
    #[error(
        "the cursor was not given by this list: it was changed, or belongs to another kind, filter or order"
    )]
    ForeignCursor,
}

fn no_such_field(view: &str, within: &str, field: &str, known: &[String]) -> String {
    // A name that could be a secret is not repeated.
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let field = match field.len() <= 40 && field.chars().all(plain) {
        true => format!(" {field}"),
        false => String::new(),
    };
    match (within.is_empty(), known.is_empty()) {
        (true, _) => format!("a view of the kind {view} has no field{field}"),
        (false, false) => format!("{within} of the view {view} has no field{field}"),
        (false, true) => format!("{within} of the view {view} has no fields"),
    }
}
