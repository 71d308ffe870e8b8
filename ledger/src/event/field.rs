//! Fields: what an event can carry, each type with its JSON form, its schema and its subjects.
//!
//! The stored form of a type is its serde derive through bincode; the JSON form is this trait. They
//! are kept apart on purpose: the one is a storage contract, the other is for people and programs.

mod plain;

use crate::event::Fact;
use crate::event::decode::Stored;
use crate::event::stored::{is_text_at, same};
use crate::event::walk::Walker;
use crate::id::*;
use crate::secret::{
    Keyring, Opened, Pepper, PepperId, Plaintext, Pseudonym, Sealed, SealedKind, Seat,
};
use crate::subject::{Names, SubjectKind, SubjectSink};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is wrong with one field of an event's JSON form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The way to the field from the top of the event, outermost first: names, or list indices.
    pub path: Vec<String>,
    /// What is wrong; never holds the refused text.
    pub reason: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl FieldError {
    /// An error at the field itself.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            reason: reason.into(),
            hint: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error seen from one level further out.
    #[must_use]
    pub fn within(mut self, name: impl ToString) -> Self {
        self.path.insert(0, name.to_string());
        self
    }
}

/// Reads the JSON form of one event: protects what is secret and remembers what has to be sealed.
pub struct Reader<'a> {
    keyring: &'a mut dyn Keyring,
    /// The plaintexts of the pending sealed fields, in the order in which they were read.
    pending: Vec<(Sealed, Plaintext)>,
}

impl<'a> Reader<'a> {
    /// A reader that protects with the keys of a keyring.
    pub fn new(keyring: &'a mut dyn Keyring) -> Self {
        Self {
            keyring,
            pending: Vec::new(),
        }
    }

    /// The pepper to fingerprint with.
    pub fn pepper(&self) -> Pepper {
        self.keyring.pepper()
    }

    /// A field that is sealed as soon as its event has an id.
    pub fn pending(&mut self, owner: crate::secret::Pseudonym, plaintext: &str) -> Sealed {
        let sealed = Sealed::pending(&self.pepper(), owner, plaintext);
        let plaintext = Plaintext::new(plaintext.to_owned());
        self.pending.push((sealed.clone(), plaintext));
        sealed
    }

    /// Seals everything that was pending, in place, now that the event has its id.
    pub(crate) fn seal(self, fact: &mut Fact) {
        let Self { keyring, pending } = self;
        if pending.is_empty() {
            return;
        }
        let event = fact.id;
        let mut persons = Vec::new();
        fact.visit_sealed(&mut |kind, sealed| {
            if kind == SealedKind::Person {
                persons.push(sealed.owner);
            }
        });
        persons.sort_unstable();
        persons.dedup();
        let mut field = 0;
        fact.visit_sealed(&mut |kind, sealed| {
            if let Some((_, plaintext)) = pending.iter().find(|(one, _)| one == sealed) {
                let seat = Seat::of(event, field, kind, &persons);
                sealed.seal(keyring, &seat, plaintext.expose());
            }
            field += 1;
        });
    }

    /// Splits a protected form `NAME:PEPPER:REST` and checks that its pepper is this ledger's.
    /// `None` if the text is no such form.
    pub fn protected<'t>(
        &self,
        name: &str,
        text: &'t str,
    ) -> Result<Option<Vec<&'t str>>, FieldError> {
        let mut parts = text.split(':');
        if parts.next() != Some(name) {
            return Ok(None);
        }
        let Some(theirs) = parts.next().and_then(PepperId::parse) else {
            return Ok(None);
        };
        let ours = self.pepper().id();
        if theirs != ours {
            return Err(FieldError::new(format!(
                "was fingerprinted with pepper {theirs}, but this ledger's pepper is {ours}"
            ))
            .hint("import the original source instead of the export, or give the vault that the export was made with, and the keys, to the import"));
        }
        Ok(Some(parts.collect()))
    }
}

/// Writes the JSON form of events: protected, or with what was opened in clear.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'o> {
    /// What pseudonyms are named with.
    pub pepper: PepperId,
    opened: Option<&'o Opened>,
    keys: Option<&'o TypedKeys>,
}

/// Activation keys that were given again, by their fingerprints' digests.
pub type TypedKeys = BTreeMap<Pseudonym, Plaintext>;

impl<'o> Writer<'o> {
    /// A writer that shows nothing that is sealed.
    pub fn protected(pepper: PepperId) -> Self {
        Self {
            pepper,
            opened: None,
            keys: None,
        }
    }

    /// A writer that writes what was opened as a source would have said it.
    pub fn revealing(pepper: PepperId, opened: &'o Opened) -> Self {
        Self {
            pepper,
            opened: Some(opened),
            keys: None,
        }
    }

    /// The same writer, which writes the keys that were given again as they were typed.
    #[must_use]
    pub fn with_keys(self, keys: &'o TypedKeys) -> Self {
        let keys = Some(keys);
        Self { keys, ..self }
    }

    /// An activation key, if it was given again.
    pub(crate) fn key(&self, digest: &Pseudonym) -> Option<&'o str> {
        Some(self.keys?.get(digest)?.expose())
    }

    /// What a sealed field holds, if it was opened.
    pub(crate) fn plaintext(&self, sealed: &Sealed) -> Option<&'o str> {
        Some(self.opened?.plaintext(sealed)?.expose())
    }
}

/// What a value may look like: the source of the published JSON Schema and of the contract tests.
#[derive(Debug, Clone)]
pub enum Shape {
    /// A text in clear; the name of its type.
    Text(&'static str),
    /// An identifier that makes the event name a subject; the name of its type.
    Names(SubjectKind, &'static str),
    /// A whole number with its unit and its smallest and largest value.
    Integer(&'static str, i64, i64),
    /// True or false.
    Boolean,
    /// A UTC day.
    Date,
    /// An RFC 3339 instant.
    Instant,
    /// A secret: what may be written for it, and what is stored.
    Secret(&'static str),
    /// One of some words, each with its meaning.
    Choice(&'static str, &'static [(&'static str, &'static str)]),
    /// Named fields; the name of the record.
    Record(&'static str, Vec<FieldInfo>),
    /// Any number of values.
    List(Box<Shape>),
    /// A value that may be absent.
    Optional(Box<Shape>),
}

/// A field of a record or of an event kind.
#[derive(Debug, Clone)]
pub struct FieldInfo {
    /// Its name, in the stored type and in JSON.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What its value may look like.
    pub shape: Shape,
}

/// What is done with every sealed part of an event.
pub type VisitSealed<'v> = dyn FnMut(SealedKind, &mut Sealed) + 'v;

/// A type that a field of an event can have.
pub trait Field: Sized {
    /// What its JSON form looks like.
    fn shape() -> Shape;

    /// Reads its JSON form, protecting what is secret.
    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self, FieldError>;

    /// What an absent field means; an error for required fields.
    fn absent() -> Result<Self, FieldError> {
        Err(FieldError::new("is missing"))
    }

    /// Writes its protected JSON form; `Null` is left out by the record around it.
    fn write(&self, writer: Writer<'_>) -> Value;

    /// Whether the stored form of the value stands at the beginning of some bytes, which are taken off:
    /// a walk over what is declared here, independent of what serde derives of it.
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool;

    /// Passes over the stored form of a value, and notes which subjects it names and what is sealed in it.
    /// `None` if it is cut.
    fn walk(walker: &mut Walker<'_, '_>) -> Option<()>;

    /// Takes the value off its stored form; `None` if the bytes are not the stored form of any.
    fn decode(stored: &mut Stored<'_>) -> Option<Self>;

    /// Gives the subjects that it names to somebody.
    fn subjects(&self, _out: &mut dyn SubjectSink) {}

    /// Visits its sealed parts, in field order.
    fn visit_sealed(&mut self, _visit: &mut VisitSealed<'_>) {}
}

/// Room is made at once for so many elements of a list that is decoded.
const LIST_ROOM_MAX: usize = 64;

/// A word for the type of a JSON value, for errors.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The text of a JSON string, or an error that says what was expected.
pub(crate) fn text<'v>(value: &'v Value, expected: &str) -> Result<&'v str, FieldError> {
    value
        .as_str()
        .ok_or_else(|| FieldError::new(format!("should be {expected}, but is {}", type_of(value))))
}

/// The members of a JSON object; unknown ones are refused, because a misspelt optional field would
/// otherwise be lost without a word.
pub fn object<'v>(value: &'v Value, known: &[&str]) -> Result<&'v Map<String, Value>, FieldError> {
    let map = value.as_object().ok_or_else(|| {
        FieldError::new(format!("should be an object, but is {}", type_of(value)))
    })?;
    match map.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(map),
        Some(name) => Err(FieldError::new("is not a field of this object")
            .within(printable(name))
            .hint(format!("its fields are: {}", known.join(", ")))),
    }
}

/// A name from the input as it may be printed: an unknown field name could itself be a secret.
fn printable(name: &str) -> String {
    match clear_text(name) {
        Ok(name) => name.to_owned(),
        Err(_) => "(a name that is not shown)".to_owned(),
    }
}

/// Reads a member of a JSON object as a field.
pub fn member<T: Field>(
    map: &Map<String, Value>,
    name: &str,
    reader: &mut Reader<'_>,
) -> Result<T, FieldError> {
    match map.get(name) {
        None | Some(Value::Null) => T::absent(),
        Some(value) => T::read(value, reader),
    }
    .map_err(|error| error.within(name))
}

/// Puts a field's JSON form into an object, leaving out what is absent.
pub fn put<T: Field>(map: &mut Map<String, Value>, name: &str, field: &T, writer: Writer<'_>) {
    let value = field.write(writer);
    if !value.is_null() {
        map.insert(name.to_owned(), value);
    }
}

macro_rules! text_fields {
    ($($type:ident: $expected:literal $(names $kind:ident)?;)+) => {$(
        impl Field for $type {
            fn shape() -> Shape {
                text_fields!(@shape $type $($kind)?)
            }
            fn read(value: &Value, _: &mut Reader<'_>) -> Result<Self, FieldError> {
                Self::new(text(value, $expected)?).map_err(|e| FieldError::new(e.to_string()))
            }
            fn write(&self, _: Writer<'_>) -> Value {
                Value::from(self.as_str())
            }
            fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
                is_text_at(self.as_str(), stored)
            }
            fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
                let _id = walker.take_text()?;
                $(walker.name(SubjectKind::$kind, _id);)?
                Some(())
            }
            fn decode(stored: &mut Stored<'_>) -> Option<Self> {
                stored.take_text().map(Self::of_stored)
            }
            $(fn subjects(&self, out: &mut dyn SubjectSink) {
                const { assert!(SubjectKind::$kind as u8 > 0) };
                self.name_to(out);
            })?
        }
    )+};
    (@shape $type:ident) => { Shape::Text(stringify!($type)) };
    (@shape $type:ident $kind:ident) => { Shape::Names(SubjectKind::$kind, stringify!($type)) };
}

text_fields! {
    CustomerId: "a customer id" names Customer;
    PartnerId: "a partner id" names Partner;
    LicenseId: "a License ID" names Agreement;
    Pcn: "a customer number" names Pcn;
    OrderId: "an order number" names Order;
    MessageId: "a message id" names Email;
    LinkId: "a link id" names Link;
    ActivationId: "an activation id" names Activation;
    SessionId: "a session id" names Session;
    TenantId: "a tenant: its initial domain or its directory id" names Tenant;
    SubscriptionId: "a subscription id" names Subscription;
    RedemptionId: "a redemption id" names Redemption;
    LotId: "the id of a credit lot" names Credit;
    CaseId: "a case number" names Case;
    FindingId: "a finding's id" names Finding;
    Sku: "a SKU";
    Name: "a name";
    DomainName: "a domain";
}

macro_rules! number_fields {
    ($($type:ident($repr:ty): $unit:literal, $min:expr;)+) => {$(
        impl Field for $type {
            fn shape() -> Shape {
                Shape::Integer($unit, $min, i64::try_from(<$repr>::MAX).unwrap_or(i64::MAX))
            }
            fn read(value: &Value, _: &mut Reader<'_>) -> Result<Self, FieldError> {
                let number = value.as_i64().and_then(|n| <$repr>::try_from(n).ok());
                number.map(Self).ok_or_else(|| {
                    let shown = if value.is_number() { value.to_string() } else { type_of(value).to_owned() };
                    FieldError::new(format!(concat!("should be a whole number of ", $unit, ", but is {}"), shown))
                })
            }
            fn write(&self, _: Writer<'_>) -> Value {
                Value::from(self.0)
            }
            fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
                same(stored, &self.0.to_le_bytes())
            }
            fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
                walker.pass(size_of::<$repr>())
            }
            fn decode(stored: &mut Stored<'_>) -> Option<Self> {
                Some(Self(<$repr>::from_le_bytes(*stored.take()?)))
            }
        }
    )+};
}

number_fields! {
    Seats(u32): "seats", 0;
    Days(u32): "days", 0;
    Minutes(u32): "minutes", 0;
    Months(u32): "months", 0;
    Seconds(i64): "seconds", i64::MIN;
    MinorUnits(i64): "minor units of the currency", i64::MIN;
    Count(u32): "things", 0;
    Position(u64): "events", 0;
}

/// A plain count.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Count(pub u32);

pub(crate) use super::declare::{choice, impl_record, record};
