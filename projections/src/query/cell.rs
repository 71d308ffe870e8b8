//! Cells: the values of a view's fields, each with its type, so that they can be compared, ordered
//! and added up. Nothing here is JSON.

use crate::policy::Policy;
use ledger::event::field::Count;
use ledger::event::word::*;
use ledger::id::*;
use ledger::secret::{KeyFingerprint, Last5, MachineId, PersonId};
use ledger::subject::SubjectKind;
use ledger::time::{Date, Timestamp};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// What the values of a field are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A text that is compared exactly.
    Text,
    /// A name that is kept in lower case: a tenant or a domain.
    LowerText,
    /// A pseudonym of a person, a machine or a key.
    Pseudonym(SubjectKind),
    /// A whole number; the unit says whether adding it up means anything.
    Number(Unit),
    /// Yes or no.
    Flag,
    /// One of some words, in the order in which they follow each other.
    Word(Vec<&'static str>),
    /// A UTC day.
    Day,
    /// An instant.
    Instant,
    /// Named values of their own.
    Record(Vec<(&'static str, Kind)>),
    /// Values by a name that is not known beforehand.
    Map(Box<Kind>),
    /// Any number of values.
    List(Box<Kind>),
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seats: adding them up means something.
    Seats,
    /// Anything else: a number of things, a length of time, minor units of a currency.
    Other,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Absent,
    /// A text, a name or a pseudonym.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// A word: its place in the order of the words, and the word.
    Word(usize, &'static str),
    /// A UTC day.
    Day(Date),
    /// An instant.
    Instant(Timestamp),
    /// Named values.
    Record(Vec<(&'static str, Cell)>),
    /// Values by name.
    Map(BTreeMap<String, Cell>),
    /// Values.
    List(Vec<Cell>),
}

impl Cell {
    /// Whether there is nothing: absent, or a list or a map without values.
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::List(list) => list.is_empty(),
            Self::Map(map) => map.is_empty(),
            Self::Text(_)
            | Self::Number(_)
            | Self::Flag(_)
            | Self::Word(..)
            | Self::Day(_)
            | Self::Instant(_)
            | Self::Record(_) => false,
        }
    }

    /// The values themselves: those of a list or a map one by one, nothing for an absent one.
    pub fn each(&self) -> Vec<&Self> {
        match self {
            Self::Absent => Vec::new(),
            Self::List(list) => list.iter().flat_map(Self::each).collect(),
            Self::Map(map) => map.values().flat_map(Self::each).collect(),
            Self::Text(_)
            | Self::Number(_)
            | Self::Flag(_)
            | Self::Word(..)
            | Self::Day(_)
            | Self::Instant(_)
            | Self::Record(_) => vec![self],
        }
    }

    /// The order of two values of one field, for sorting: what is absent comes last, lists compare
    /// value by value.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Flag(a), Self::Flag(b)) => a.cmp(b),
            (Self::Word(a, _), Self::Word(b, _)) => a.cmp(b),
            (Self::Day(a), Self::Day(b)) => a.cmp(b),
            (Self::Instant(a), Self::Instant(b)) => a.cmp(b),
            _ if self.is_absent() || other.is_absent() => self.is_absent().cmp(&other.is_absent()),
            _ => {
                let (a, b) = (self.parts(), other.parts());
                let mut both = a.iter().zip(&b);
                let differs = both.find_map(|(a, b)| match a.order(b) {
                    Ordering::Equal => None,
                    order => Some(order),
                });
                differs.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
        }
    }

    /// The value as JSON, as the view itself has it.
    pub fn json(&self) -> Value {
        match self {
            Self::Absent => Value::Null,
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) => Value::from(*number),
            Self::Flag(flag) => Value::from(*flag),
            Self::Word(_, word) => Value::from(*word),
            Self::Day(day) => Value::from(day.to_string()),
            Self::Instant(instant) => Value::from(instant.to_string()),
            Self::Record(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, cell)| ((*name).to_owned(), cell.json()));
                Value::Object(fields.collect())
            }
            Self::Map(map) => {
                let values = map.iter().map(|(name, cell)| (name.clone(), cell.json()));
                Value::Object(values.collect())
            }
            Self::List(list) => list.iter().map(Self::json).collect(),
        }
    }

    fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Record(fields) => fields.iter().map(|(_, cell)| cell).collect(),
            Self::List(list) => list.iter().collect(),
            Self::Map(map) => map.values().collect(),
            Self::Absent
            | Self::Text(_)
            | Self::Number(_)
            | Self::Flag(_)
            | Self::Word(..)
            | Self::Day(_)
            | Self::Instant(_) => Vec::new(),
        }
    }
}

/// A type that a view's field can have.
pub trait Shown {
    /// What its values are.
    fn kind() -> Kind;
    /// This value.
    fn cell(&self) -> Cell;
}

macro_rules! shown_texts {
    ($kind:expr => $($type:ty)+) => {$(
        impl Shown for $type {
            fn kind() -> Kind {
                $kind
            }
            fn cell(&self) -> Cell {
                Cell::Text(self.to_string())
            }
        }
    )+};
}

shown_texts!(Kind::Text => String Policy CustomerId PartnerId LicenseId Pcn OrderId MessageId LinkId
    ActivationId SessionId SubscriptionId RedemptionId LotId CaseId FindingId Sku Name Last5 EventId);
shown_texts!(Kind::LowerText => TenantId DomainName);
shown_texts!(Kind::Pseudonym(SubjectKind::Person) => PersonId);
shown_texts!(Kind::Pseudonym(SubjectKind::Seat) => MachineId);

impl Shown for &'static str {
    fn kind() -> Kind {
        Kind::Text
    }
    fn cell(&self) -> Cell {
        Cell::Text((*self).to_owned())
    }
}

/// A key is known by its last five characters.
impl Shown for KeyFingerprint {
    fn kind() -> Kind {
        Kind::Text
    }
    fn cell(&self) -> Cell {
        Cell::Text(self.last5.to_string())
    }
}

macro_rules! shown_numbers {
    ($($type:ty: $unit:ident;)+) => {$(
        impl Shown for $type {
            fn kind() -> Kind {
                Kind::Number(Unit::$unit)
            }
            fn cell(&self) -> Cell {
                Cell::Number(i64::from(self.0))
            }
        }
    )+};
}

shown_numbers! {
    Seats: Seats;
    Count: Other;
    Days: Other;
    Minutes: Other;
    Months: Other;
    Seconds: Other;
    MinorUnits: Other;
}

macro_rules! shown_counts {
    ($($type:ty)+) => {$(
        impl Shown for $type {
            fn kind() -> Kind {
                Kind::Number(Unit::Other)
            }
            fn cell(&self) -> Cell {
                Cell::Number(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
    )+};
}

shown_counts!(usize u32 u64 i64);

impl Shown for bool {
    fn kind() -> Kind {
        Kind::Flag
    }
    fn cell(&self) -> Cell {
        Cell::Flag(*self)
    }
}

impl Shown for Date {
    fn kind() -> Kind {
        Kind::Day
    }
    fn cell(&self) -> Cell {
        Cell::Day(*self)
    }
}

impl Shown for Timestamp {
    fn kind() -> Kind {
        Kind::Instant
    }
    fn cell(&self) -> Cell {
        Cell::Instant(*self)
    }
}

impl<T: Shown> Shown for Option<T> {
    fn kind() -> Kind {
        T::kind()
    }
    fn cell(&self) -> Cell {
        self.as_ref().map_or(Cell::Absent, Shown::cell)
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn kind() -> Kind {
        Kind::List(Box::new(T::kind()))
    }
    fn cell(&self) -> Cell {
        Cell::List(self.iter().map(Shown::cell).collect())
    }
}

/// A pair is a list of two, as in JSON.
impl<A: Shown, B: Shown> Shown for (A, B) {
    fn kind() -> Kind {
        Kind::List(Box::new(A::kind()))
    }
    fn cell(&self) -> Cell {
        Cell::List(vec![self.0.cell(), self.1.cell()])
    }
}

impl<T: Shown> Shown for BTreeSet<T> {
    fn kind() -> Kind {
        Kind::List(Box::new(T::kind()))
    }
    fn cell(&self) -> Cell {
        Cell::List(self.iter().map(Shown::cell).collect())
    }
}

impl<K: ToString, T: Shown> Shown for BTreeMap<K, T> {
    fn kind() -> Kind {
        Kind::Map(Box::new(T::kind()))
    }
    fn cell(&self) -> Cell {
        let cells = self
            .iter()
            .map(|(name, value)| (name.to_string(), value.cell()));
        Cell::Map(cells.collect())
    }
}

/// Makes choices of words shown: those of the ledger, which list their own words.
macro_rules! shown_choices {
    ($($type:ident)+) => {$(
        impl Shown for $type {
            fn kind() -> Kind {
                Kind::Word($type::WORDS.iter().map(|(word, _)| *word).collect())
            }
            fn cell(&self) -> Cell {
                Cell::Word(*self as usize, self.as_str())
            }
        }
    )+};
}

shown_choices! {
    Program ContactRole VlRole TenantRole Relation PartnerKind Cloud CreatedVia DelegationKind
    ChangeChannel PlacedBy LineKind KeyChannel SuppressedReason AuthMethod SessionEndReason
    VerificationMethod DomainOption Acknowledgement Scenario BindingBasis AutoAssignCriterion
    RedemptionFlow RedemptionEntry RejectionCode RedemptionMode RedemptionStep ActivationStatus
    ForfeitReason RevalidationFailure ResetTool LicenseState NotifiedCondition CasePurpose
    CaseChannel AuthorizingRole NotifiedParty CaseOutcome Residual IncarnationCause ActorKind
}

/// Makes the words of views shown: enums without fields, every variant listed.
macro_rules! shown_words {
    ($($type:path { $($variant:ident)+ })+) => {$(
        impl $crate::query::cell::Shown for $type {
            fn kind() -> $crate::query::cell::Kind {
                $crate::query::cell::Kind::Word(vec![$(stringify!($variant)),+])
            }
            fn cell(&self) -> $crate::query::cell::Cell {
                let word = match self { $(Self::$variant => stringify!($variant)),+ };
                $crate::query::cell::Cell::Word(*self as usize, word)
            }
        }
    )+};
}

pub(crate) use shown_words;
