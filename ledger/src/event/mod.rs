//! Events: what is recorded, in which words, and how it is written down.
//!
//! A [`Fact`] is what a source said; an [`Event`] is a fact that has its place in the log. The kinds
//! are in [`kinds`], one file each; `event_kind!` makes of each definition its stored form, its
//! JSON form, its schema and its subjects, so that they cannot drift apart.

pub mod codec;
mod declare;
pub mod decode;
pub mod field;
pub mod json;
pub mod kinds;
pub mod part;
pub mod protected;
pub mod schema;
pub(crate) mod stored;
pub mod walk;
pub mod word;

use crate::id::{EventId, Name, PartnerId, Position, TenantId};
use crate::secret::{Keyring, Opened, Pseudonym, Sealed, SealedKind, Seat};
use crate::subject::{Names, Subject, SubjectSink};
use crate::time::{Occurred, Timestamp};
use field::{Field, FieldInfo, VisitSealed, record};
pub use kinds::{KINDS, Payload};
use part::PolicyRef;
use protected::Person;
use serde::{Deserialize, Serialize};
use word::{ActorKind, TenantRole};

/// The number of an event kind. Storage contract: never reused.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct KindId(pub u16);

/// What is known of an event kind besides its payload.
#[derive(Debug, Clone, Copy)]
pub struct KindInfo {
    /// Its number in the store.
    pub id: KindId,
    /// Its name in JSON.
    pub name: &'static str,
    /// The version of its stored form.
    pub version: u16,
    /// Where it comes in the natural course of things: orders what happened at the same instant.
    pub rank: u16,
    /// Where it comes from: seed text, rule or section of the domain reference.
    pub source: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Its fields.
    pub fields: fn() -> Vec<FieldInfo>,
}

impl KindInfo {
    /// The kind of a name, or `None`.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }
}

/// A payload type: one kind of event.
pub trait Kind: Field {
    /// What is known of the kind.
    const INFO: KindInfo;
}

record! {
    /// Who did something.
    Actor {
        /// What sort of actor.
        kind: ActorKind,
        /// The person, where one is known.
        person: Option<Person>,
        /// The partner that the actor works for.
        partner: Option<PartnerId>,
        /// The actor's own tenant.
        home_tenant: Option<TenantId>,
        /// Roles that the actor held in doing it.
        roles: Vec<TenantRole>,
    }

    /// Where a record comes from.
    Source {
        /// The system that said it.
        system: Name,
        /// The record's id in that system; absent where it has none.
        record: Option<Name>,
    }
}

/// How an event names another one that it corrects or that caused it. Storage contract: the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventRef {
    /// By its id.
    Id(EventId),
    /// By the record that it came from, as sources do.
    Record(Source),
}

impl EventRef {
    /// Whether a fact is the one that is named.
    pub fn names(&self, fact: &Fact) -> bool {
        match self {
            Self::Id(id) => fact.id == *id,
            Self::Record(source) => source.record.is_some() && fact.source == *source,
        }
    }
}

/// What a source said, before the ledger gave it a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its identity, for ever.
    pub id: EventId,
    /// When it happened, as its source claims.
    pub occurred_at: Occurred,
    /// When the source observed it, where that is another time.
    pub observed_at: Option<Timestamp>,
    /// Who did it.
    pub actor: Option<Actor>,
    /// Who says so.
    pub source: Source,
    /// What it belongs together with, in its source's words.
    pub correlation: Option<Name>,
    /// The event that caused it.
    pub causation: Option<EventRef>,
    /// The event that it replaces.
    pub corrects: Option<EventRef>,
    /// The policies that decided it.
    pub policies: Vec<PolicyRef>,
    /// What happened.
    pub payload: Payload,
}

impl Fact {
    /// The subjects that it names, sorted and without repetition. Costs one walk over its fields.
    pub fn subjects(&self) -> Vec<Subject> {
        let mut subjects = Vec::with_capacity(8);
        self.name_subjects(&mut subjects);
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }

    /// Gives the subjects that it names to somebody, in the order of its fields and with repetition.
    pub fn name_subjects(&self, out: &mut dyn SubjectSink) {
        self.actor.subjects(out);
        self.payload.subjects(out);
    }

    /// The kind of its payload.
    pub fn kind(&self) -> &'static KindInfo {
        self.payload.kind()
    }

    /// The order in which facts are folded, whatever order they arrived in: start of the interval,
    /// rank of the kind, id.
    pub fn order(&self) -> (Timestamp, u16, EventId) {
        (self.occurred_at.start, self.kind().rank, self.id)
    }

    /// When its source observed it: `observed_at`, else when it happened.
    pub fn observed(&self) -> Timestamp {
        self.observed_at.unwrap_or(self.occurred_at.start)
    }

    /// Visits every sealed part, in field order.
    pub fn visit_sealed(&mut self, visit: &mut VisitSealed<'_>) {
        self.actor.visit_sealed(visit);
        self.payload.visit_sealed(visit);
    }

    /// The persons of whom it holds more than the pseudonym, sorted: without the keys of all of them
    /// nothing else that is sealed in it can be opened.
    pub fn sealed_persons(&self) -> Vec<Pseudonym> {
        let mut persons = Vec::new();
        self.each_sealed(|kind, sealed| {
            if kind == SealedKind::Person {
                persons.push(sealed.owner);
            }
        });
        persons.sort_unstable();
        persons.dedup();
        persons
    }

    /// [`Fact::visit_sealed`] for those who change nothing.
    pub fn each_sealed(&self, mut visit: impl FnMut(SealedKind, &Sealed)) {
        self.clone()
            .visit_sealed(&mut |kind, sealed| visit(kind, sealed));
    }

    /// Opens what the keys of a keyring open.
    pub fn open(&self, keyring: &dyn Keyring) -> Opened {
        let persons = self.sealed_persons();
        let mut opened = Opened::default();
        let mut field = 0;
        self.each_sealed(|kind, sealed| {
            let seat = Seat::of(self.id, field, kind, &persons);
            if let Some(plaintext) = sealed.open(keyring, &seat) {
                opened.add(sealed, kind, plaintext);
            }
            field += 1;
        });
        opened
    }

    /// The same fact without ciphertext: what two facts are compared by.
    #[must_use]
    pub fn content(&self) -> Self {
        let mut content = self.clone();
        content.visit_sealed(&mut |_, sealed| *sealed = Sealed::empty(sealed.owner));
        content
    }

    /// The person who acted, where the envelope names one.
    pub fn actor_person(&self) -> Option<&Person> {
        self.actor.as_ref()?.person.as_ref()
    }
}

/// A fact with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where it stands in the log.
    pub position: Position,
    /// When the ledger took it in.
    pub recorded_at: Timestamp,
    /// What its source said.
    pub fact: Fact,
}

impl std::ops::Deref for Event {
    type Target = Fact;

    fn deref(&self) -> &Fact {
        &self.fact
    }
}

/// Adds the subject of an identifier to a list, for builders of queries.
pub fn subject_of(id: &impl Names) -> Subject {
    id.subject()
}

/// Declares one event kind: `Name = number, version n, rank n, source "..." { fields }`.
macro_rules! event_kind {
    (
        $(#[doc = $doc:literal])+
        $name:ident = $id:literal, version $version:literal, rank $rank:literal, source $source:literal {
            $($(#[doc = $fdoc:literal])+ $field:ident: $type:ty),+ $(,)?
        }
    ) => {
        $(#[doc = $doc])+
        #[doc = concat!("\n\nSource: ", $source, ".\n\nStorage contract: names, order and types of the fields.")]
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[doc = $fdoc])+ pub $field: $type),+
        }

        $crate::event::field::impl_record!($name { $($field: $type = ($($fdoc)+)),+ });

        impl $crate::event::Kind for $name {
            const INFO: $crate::event::KindInfo = $crate::event::KindInfo {
                id: $crate::event::KindId($id),
                name: stringify!($name),
                version: $version,
                rank: $rank,
                source: $source,
                doc: concat!($($doc),+).trim_ascii(),
                fields: || match <$name as $crate::event::field::Field>::shape() {
                    $crate::event::field::Shape::Record(_, fields) => fields,
                    _ => Vec::new(),
                },
            };
        }
    };
}

/// Declares the registry of kinds and the [`Payload`] over them.
macro_rules! kind_registry {
    ($($module:ident::$name:ident;)+) => {
        $(mod $module;)+
        $(pub use $module::$name;)+

        /// Every kind of event, in the order of their numbers.
        pub const KINDS: &[$crate::event::KindInfo] =
            &[$(<$name as $crate::event::Kind>::INFO),+];

        /// What happened: one kind's fields.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum Payload {
            $(
                #[doc = concat!("See [`", stringify!($name), "`].")]
                $name($name)
            ),+
        }

        $(
            impl From<$name> for Payload {
                fn from(payload: $name) -> Self {
                    Self::$name(payload)
                }
            }
        )+

        impl Payload {
            /// The kind.
            pub fn kind(&self) -> &'static $crate::event::KindInfo {
                match self { $(Self::$name(_) => &const { <$name as $crate::event::Kind>::INFO }),+ }
            }

            /// The rank of a kind by its number.
            pub(crate) fn rank_of(id: $crate::event::KindId) -> Option<u16> {
                $(if id == <$name as $crate::event::Kind>::INFO.id {
                    return Some(<$name as $crate::event::Kind>::INFO.rank);
                })+
                None
            }

            /// Gives the subjects that it names to somebody, with repetition.
            pub fn subjects(&self, out: &mut dyn $crate::subject::SubjectSink) {
                match self { $(Self::$name(p) => $crate::event::field::Field::subjects(p, out)),+ }
            }

            /// Visits its sealed parts, in field order.
            pub fn visit_sealed(&mut self, visit: &mut $crate::event::field::VisitSealed<'_>) {
                match self { $(Self::$name(p) => $crate::event::field::Field::visit_sealed(p, visit)),+ }
            }

            /// Writes its protected JSON form.
            pub fn write_json(&self, pepper: $crate::secret::PepperId) -> serde_json::Value {
                self.write_with($crate::event::field::Writer::protected(pepper))
            }

            /// Writes its JSON form with a writer.
            pub fn write_with(&self, writer: $crate::event::field::Writer<'_>) -> serde_json::Value {
                match self { $(Self::$name(p) => $crate::event::field::Field::write(p, writer)),+ }
            }

            /// Reads the JSON form of a kind by its name; `None` if there is no such kind.
            pub fn read_json(
                name: &str,
                value: &serde_json::Value,
                reader: &mut $crate::event::field::Reader<'_>,
            ) -> Option<Result<Self, $crate::event::field::FieldError>> {
                match name {
                    $(stringify!($name) => Some(
                        <$name as $crate::event::field::Field>::read(value, reader).map(Self::$name),
                    ),)+
                    _ => None,
                }
            }

            /// Appends its stored form to a buffer.
            pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), $crate::event::codec::CodecError> {
                match self { $(Self::$name(p) => $crate::event::codec::encode_into(p, out)),+ }
            }

            /// Whether its stored form stands at the beginning of some bytes, which are taken off.
            pub(crate) fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
                match self { $(Self::$name(p) => $crate::event::field::Field::is_stored_at(p, stored)),+ }
            }

            /// Passes over the stored form of a kind and version.
            pub(crate) fn walk(
                id: $crate::event::KindId,
                version: u16,
                walker: &mut $crate::event::walk::Walker<'_, '_>,
            ) -> Option<()> {
                $(
                    if id == <$name as $crate::event::Kind>::INFO.id {
                        $crate::event::codec::known_version::<$name>(version).ok()?;
                        return <$name as $crate::event::field::Field>::walk(walker);
                    }
                )+
                None
            }

            /// Takes the stored form of a kind and version off some bytes.
            pub(crate) fn decode(
                id: $crate::event::KindId,
                version: u16,
                stored: &mut $crate::event::decode::Stored<'_>,
            ) -> Option<Self> {
                $(
                    if id == <$name as $crate::event::Kind>::INFO.id {
                        $crate::event::codec::known_version::<$name>(version).ok()?;
                        return <$name as $crate::event::field::Field>::decode(stored).map(Self::$name);
                    }
                )+
                None
            }

            /// Decodes the stored form of a kind and version by what serde derives.
            pub(crate) fn decode_by_serde(
                id: $crate::event::KindId,
                version: u16,
                bytes: &[u8],
            ) -> Result<Self, $crate::event::codec::CodecError> {
                $(
                    if id == <$name as $crate::event::Kind>::INFO.id {
                        $crate::event::codec::known_version::<$name>(version)?;
                        return $crate::event::codec::decode_exact::<$name>(bytes).map(Self::$name);
                    }
                )+
                Err($crate::event::codec::CodecError::UnknownKind { kind: id.0 })
            }
        }
    };
}

pub(crate) use {event_kind, kind_registry};

/// A pattern over [`Payload`]: any of some kinds, whatever their fields. It keeps the list of kinds
/// that a fold passes over short, so that no fold needs a catch-all arm.
#[macro_export]
macro_rules! kinds {
    ($($kind:ident)+) => { $($crate::event::Payload::$kind(_))|+ };
}
