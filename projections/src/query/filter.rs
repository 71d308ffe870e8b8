//! Filters: `FIELD OPERATOR VALUE`, read by the type of the field.

use super::cell::{Cell, Kind};
use super::error::QueryError;
use super::field::Path;
use ledger::time::{Date, Occurred, Timestamp};

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// One of its values is this.
    Is,
    /// None of its values is this.
    IsNot,
    /// One of its values is smaller or earlier.
    Less,
    /// One of its values is this, smaller or earlier.
    AtMost,
    /// One of its values is larger or later.
    More,
    /// One of its values is this, larger or later.
    AtLeast,
    /// One of its values has this text in it, whatever the case.
    Holds,
}

impl Operator {
    /// Every operator; of two that begin alike the longer one comes first.
    const ALL: [Self; 7] = [
        Self::IsNot,
        Self::AtMost,
        Self::AtLeast,
        Self::Is,
        Self::Less,
        Self::More,
        Self::Holds,
    ];
    const EQUAL: &[Self] = &[Self::Is, Self::IsNot];
    const TEXT: &[Self] = &[Self::Is, Self::IsNot, Self::Holds];
    const ORDERED: &[Self] = &[
        Self::Is,
        Self::IsNot,
        Self::Less,
        Self::AtMost,
        Self::More,
        Self::AtLeast,
    ];

    /// How it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Holds => "~",
        }
    }

    /// The operators that a kind of value can be compared with.
    fn of(kind: &Kind) -> &'static [Self] {
        match kind {
            Kind::Text | Kind::LowerText => Self::TEXT,
            Kind::Number(_) | Kind::Day | Kind::Instant => Self::ORDERED,
            Kind::Pseudonym(_)
            | Kind::Flag
            | Kind::Word(_)
            | Kind::Record(_)
            | Kind::Map(_)
            | Kind::List(_) => Self::EQUAL,
        }
    }
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Nothing,
    Text(String),
    Number(i64),
    Flag(bool),
    /// Any of these words.
    Words(Vec<&'static str>),
    /// From the first day to the last.
    Days(Date, Date),
    /// From the first instant to the last.
    Instants(Timestamp, Timestamp),
}

/// A filter that has been read. All filters of a query have to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    path: Path,
    operator: Operator,
    wanted: Wanted,
}

/// A filter taken apart and not yet read: the field, the operator and the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'t> {
    /// The field.
    pub field: &'t str,
    /// The operator.
    pub operator: Operator,
    /// The value; empty for "nothing".
    pub value: &'t str,
}

impl<'t> Parts<'t> {
    /// Takes a filter apart at its first operator.
    pub fn of(text: &'t str) -> Result<Self, QueryError> {
        let at = text.find(['=', '!', '<', '>', '~']);
        let (field, rest) = at.map_or((text, ""), |at| text.split_at(at));
        let mut operators = Operator::ALL.into_iter();
        let found = operators.find_map(|op| Some((op, rest.strip_prefix(op.as_str())?)));
        let (operator, value) = found.ok_or(QueryError::NoOperator)?;
        Ok(Self {
            field: field.trim(),
            operator,
            value: value.trim(),
        })
    }
}

impl Filter {
    /// Reads a filter on a field.
    pub(super) fn read(path: Path, operator: Operator, value: &str) -> Result<Self, QueryError> {
        let kind = path.kind();
        let known = Operator::of(&kind);
        if !known.contains(&operator) {
            return Err(QueryError::WrongOperator {
                field: path.as_str().to_owned(),
                what: what(&kind),
                operator: operator.as_str(),
                known: known.iter().map(|known| known.as_str()).collect(),
            });
        }
        let wanted = match value {
            "" => match operator {
                Operator::Is | Operator::IsNot => Some(Wanted::Nothing),
                _ => None,
            },
            value => wanted(&path, &kind, value)?,
        };
        let wanted = wanted.ok_or_else(|| wrong_value(&path, &kind, value))?;
        Ok(Self {
            path,
            operator,
            wanted,
        })
    }

    /// The field that is compared.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What tells this filter from others: its meaning, however it was written.
    pub(super) fn identity(&self) -> String {
        format!(
            "{} {} {:?}",
            self.path.as_str(),
            self.operator.as_str(),
            self.wanted
        )
    }

    /// Whether a value of the field passes.
    pub(super) fn passes(&self, cell: &Cell) -> bool {
        if self.wanted == Wanted::Nothing {
            return (self.operator == Operator::Is) == cell.is_absent();
        }
        let any = |test: &dyn Fn(&Cell) -> bool| cell.each().into_iter().any(test);
        match self.operator {
            Operator::Is => any(&|cell| self.is(cell)),
            Operator::IsNot => !any(&|cell| self.is(cell)),
            Operator::Less => any(&|cell| self.before(cell)),
            Operator::AtMost => any(&|cell| self.before(cell) || self.is(cell)),
            Operator::More => any(&|cell| self.after(cell)),
            Operator::AtLeast => any(&|cell| self.after(cell) || self.is(cell)),
            Operator::Holds => any(&|cell| self.holds(cell)),
        }
    }

    fn is(&self, cell: &Cell) -> bool {
        match (cell, &self.wanted) {
            (Cell::Text(a), Wanted::Text(b)) => a == b,
            (Cell::Number(a), Wanted::Number(b)) => a == b,
            (Cell::Flag(a), Wanted::Flag(b)) => a == b,
            (Cell::Word(_, a), Wanted::Words(words)) => words.contains(a),
            (Cell::Day(a), Wanted::Days(first, last)) => first <= a && a <= last,
            (Cell::Instant(a), Wanted::Instants(first, last)) => first <= a && a <= last,
            _ => false,
        }
    }

    fn before(&self, cell: &Cell) -> bool {
        match (cell, &self.wanted) {
            (Cell::Number(a), Wanted::Number(b)) => a < b,
            (Cell::Day(a), Wanted::Days(first, _)) => a < first,
            (Cell::Instant(a), Wanted::Instants(first, _)) => a < first,
            _ => false,
        }
    }

    fn after(&self, cell: &Cell) -> bool {
        match (cell, &self.wanted) {
            (Cell::Number(a), Wanted::Number(b)) => a > b,
            (Cell::Day(a), Wanted::Days(_, last)) => a > last,
            (Cell::Instant(a), Wanted::Instants(_, last)) => a > last,
            _ => false,
        }
    }

    fn holds(&self, cell: &Cell) -> bool {
        match (cell, &self.wanted) {
            (Cell::Text(a), Wanted::Text(b)) => a.to_lowercase().contains(&b.to_lowercase()),
            _ => false,
        }
    }
}

/// Reads what a field is compared with; `None` if it is no value of the field.
fn wanted(path: &Path, kind: &Kind, value: &str) -> Result<Option<Wanted>, QueryError> {
    Ok(match kind {
        Kind::Text => Some(Wanted::Text(value.to_owned())),
        Kind::LowerText => Some(Wanted::Text(value.to_lowercase())),
        Kind::Pseudonym(_) => {
            let digits = value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
            digits.then(|| Wanted::Text(value.to_ascii_lowercase()))
        }
        Kind::Number(_) => value.parse().ok().map(Wanted::Number),
        Kind::Flag => match value {
            "true" | "yes" => Some(Wanted::Flag(true)),
            "false" | "no" => Some(Wanted::Flag(false)),
            _ => None,
        },
        Kind::Word(words) => {
            let mut wanted = Vec::new();
            for one in value.split(',') {
                let word = words.iter().find(|word| plain(word) == plain(one));
                let word = word.ok_or_else(|| wrong_value(path, kind, one))?;
                wanted.push(*word);
            }
            wanted.sort_unstable();
            Some(Wanted::Words(wanted))
        }
        Kind::Day => {
            Occurred::parse(value).map(|when| Wanted::Days(when.start.date(), when.last().date()))
        }
        Kind::Instant => {
            Occurred::parse(value).map(|when| Wanted::Instants(when.start, when.last()))
        }
        Kind::Record(fields) => {
            return Err(QueryError::WholeRecord {
                field: path.as_str().to_owned(),
                known: fields.iter().map(|(name, _)| (*name).to_owned()).collect(),
            });
        }
        Kind::Map(_) => {
            return Err(QueryError::WholeRecord {
                field: path.as_str().to_owned(),
                known: Vec::new(),
            });
        }
        Kind::List(_) => None,
    })
}

/// A word as it is compared: tools write `EXTENDED_GRACE` or `EXTENDED GRACE`, views `ExtendedGrace`.
fn plain(word: &str) -> String {
    let letters = word.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

fn wrong_value(path: &Path, kind: &Kind, given: &str) -> QueryError {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let (known, given) = match kind {
        Kind::Word(words) if given.len() <= 40 && given.chars().all(is_plain) => {
            (words.clone(), Some(given.to_owned()))
        }
        Kind::Word(words) => (words.clone(), None),
        _ => (Vec::new(), None),
    };
    QueryError::WrongValue {
        field: path.as_str().to_owned(),
        what: what(kind),
        form: form(kind),
        known,
        given,
    }
}

/// What the values of a field are, in words.
fn what(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text => "a text",
        Kind::LowerText => "a domain or a tenant",
        Kind::Pseudonym(_) => "a pseudonym",
        Kind::Number(_) => "a whole number",
        Kind::Flag => "true or false",
        Kind::Word(_) => "one of some words",
        Kind::Day => "a day",
        Kind::Instant => "an instant",
        Kind::Record(_) => "a record",
        Kind::Map(_) => "a set of named values",
        Kind::List(_) => "a list",
    }
}

/// How a value of a field is written.
fn form(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::LowerText => "any text; nothing after the operator means: has none",
        Kind::Pseudonym(_) => "32 hexadecimal digits, as `actl find` prints them",
        Kind::Number(_) => "digits, for example 25",
        Kind::Flag => "true or false",
        Kind::Word(_) => "one of the words, or several with commas between them",
        Kind::Day | Kind::Instant => {
            "a month (2024-03), a day (2024-03-11) or an instant (2024-03-11T09:42:00Z)"
        }
        Kind::Record(_) | Kind::Map(_) | Kind::List(_) => "a field of it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::cell::Unit;

    fn filter(kind: Kind, text: &str) -> Result<Filter, QueryError> {
        let parts = Parts::of(text)?;
        let path = Path::find(parts.field, "test", &[("f", kind)])?;
        Filter::read(path, parts.operator, parts.value)
    }

    fn passes(kind: &Kind, text: &str, cell: &Cell) -> bool {
        filter(kind.clone(), text).unwrap().passes(cell)
    }

    #[test]
    fn numbers_are_compared_with_every_order() {
        let kind = Kind::Number(Unit::Seats);
        for (text, two, three, four) in [
            ("f=3", false, true, false),
            ("f!=3", true, false, true),
            ("f<3", true, false, false),
            ("f<=3", true, true, false),
            ("f>3", false, false, true),
            ("f >= 3", false, true, true),
        ] {
            let all = [2, 3, 4].map(|n| passes(&kind, text, &Cell::Number(n)));
            assert_eq!(all, [two, three, four], "{text}");
            assert_eq!(passes(&kind, text, &Cell::Absent), text == "f!=3", "{text}");
        }
    }

    #[test]
    fn a_day_or_a_month_means_all_of_it() {
        let at = |text: &str| Cell::Instant(Timestamp::parse(text).unwrap());
        let (early, late) = (at("2024-03-01T00:00:00Z"), at("2024-03-31T23:59:59Z"));
        for text in ["f=2024-03", "f<=2024-03", "f>=2024-03"] {
            assert!(passes(&Kind::Instant, text, &early), "{text}");
            assert!(passes(&Kind::Instant, text, &late), "{text}");
        }
        for text in ["f<2024-03", "f>2024-03", "f!=2024-03"] {
            assert!(!passes(&Kind::Instant, text, &early), "{text}");
            assert!(!passes(&Kind::Instant, text, &late), "{text}");
        }
        let day = Cell::Day(Date::parse("2024-03-11").unwrap());
        assert!(passes(&Kind::Day, "f=2024-03-11", &day));
        assert!(passes(&Kind::Day, "f<2024-03-12", &day));
        assert!(!passes(&Kind::Day, "f>2024-03", &day));
    }

    #[test]
    fn nothing_after_the_operator_asks_whether_there_is_a_value() {
        for (cell, absent) in [
            (Cell::Absent, true),
            (Cell::List(Vec::new()), true),
            (Cell::Text("x".into()), false),
            (Cell::List(vec![Cell::Text("x".into())]), false),
        ] {
            assert_eq!(passes(&Kind::Text, "f=", &cell), absent);
            assert_eq!(passes(&Kind::Text, "f!=", &cell), !absent);
        }
        assert!(filter(Kind::Text, "f~").is_err());
    }

    #[test]
    fn any_value_of_a_list_may_pass_and_none_may_for_is_not() {
        let kind = Kind::List(Box::new(Kind::LowerText));
        let list = ["a.example", "b.example"].map(|text| Cell::Text(text.into()));
        let list = Cell::List(list.into());
        assert!(passes(&kind, "f=B.example", &list));
        assert!(!passes(&kind, "f!=b.example", &list));
        assert!(passes(&kind, "f!=c.example", &list));
        assert!(passes(&kind, "f~A.ex", &list));
    }

    #[test]
    fn words_are_known_in_every_spelling_and_several_may_be_given() {
        let kind = Kind::Word(vec!["Licensed", "ExtendedGrace", "Notifications"]);
        let cell = Cell::Word(1, "ExtendedGrace");
        for text in [
            "f=EXTENDED_GRACE",
            "f=extended grace",
            "f=Licensed,ExtendedGrace",
        ] {
            assert!(passes(&kind, text, &cell), "{text}");
        }
        assert!(!passes(&kind, "f!=extendedgrace", &cell));
        let error = filter(kind.clone(), "f=Licenced").unwrap_err();
        assert!(
            matches!(&error, QueryError::WrongValue { known, given, .. }
                if known.len() == 3 && given.as_deref() == Some("Licenced")),
            "{error:?}"
        );
        let error = filter(kind, "f<Licensed").unwrap_err();
        assert!(matches!(error, QueryError::WrongOperator { known, .. } if known == ["=", "!="]));
    }

    #[test]
    fn what_is_no_filter_or_no_value_is_refused_and_not_repeated() {
        assert_eq!(filter(Kind::Text, "f"), Err(QueryError::NoOperator));
        assert_eq!(filter(Kind::Text, "f!x"), Err(QueryError::NoOperator));
        for (kind, text) in [
            (Kind::Number(Unit::Other), "f=many"),
            (Kind::Day, "f=yesterday"),
            (Kind::Flag, "f=maybe"),
            (
                Kind::Pseudonym(ledger::subject::SubjectKind::Person),
                "f=jo@contoso.example",
            ),
        ] {
            let error = filter(kind, text).unwrap_err();
            assert!(matches!(error, QueryError::WrongValue { .. }));
            let value = text.split('=').nth(1).unwrap();
            assert!(!error.to_string().contains(value), "{error}");
        }
        let error = filter(Kind::Text, "jo@contoso.example=x").unwrap_err();
        assert!(!error.to_string().contains("contoso"), "{error}");
    }
}
