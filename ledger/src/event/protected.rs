//! Fields that hold a secret: read in clear or in protected form, stored and written protected.

use crate::event::decode::Stored;
use crate::event::field::{
    Field, FieldError, Reader, Shape, VisitSealed, Writer, member, object, put, text,
};
use crate::event::stored::same;
use crate::event::walk::Walker;
use crate::id::{DomainName, parse_hex, parse_hex16};
use crate::secret::{
    DomainId, KeyFingerprint, Last5, MachineId, NetworkId, PUBLIC_DOMAINS, Pepper, PepperId,
    PersonId, Pseudonym, Purpose, Sealed, SealedKind,
};
use crate::subject::{Names, SubjectSink};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt::Display;
use zeroize::Zeroizing;

impl Field for KeyFingerprint {
    fn shape() -> Shape {
        Shape::Secret(
            "an activation key of 25 letters and digits (case, hyphens and spaces do not count), or its protected form key:PEPPER:DIGEST:LAST5; stored as a keyed fingerprint and its last five characters",
        )
    }
    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        let typed = text(value, "an activation key")?;
        if let Some(parts) = reader.protected("key", typed)? {
            let fingerprint = match parts.as_slice() {
                [digest, last5] => parse_hex16(digest).zip(Last5::parse(last5)),
                _ => None,
            };
            return fingerprint
                .map(|(digest, last5)| Self { digest, last5 })
                .ok_or_else(|| {
                    FieldError::new("is no protected key of the form key:PEPPER:DIGEST:LAST5")
                });
        }
        Self::of_key(&reader.pepper(), typed).ok_or_else(|| {
            FieldError::new("is no activation key: it needs exactly 25 letters and digits")
                .hint("the text is not shown, because it may be most of a key")
        })
    }
    fn write(&self, writer: Writer<'_>) -> Value {
        match writer.key(&self.digest) {
            Some(typed) => Value::from(typed),
            None => Value::from(self.protected(writer.pepper)),
        }
    }
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        same(stored, &self.digest) && self.last5.is_stored_at(stored)
    }
    fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
        let digest = *walker.take()?;
        let last5 = Last5::of_stored(*walker.take()?);
        Self { digest, last5 }.name_to(walker);
        Some(())
    }
    fn decode(stored: &mut Stored<'_>) -> Option<Self> {
        Some(Self {
            digest: *stored.take()?,
            last5: Last5::decode(stored)?,
        })
    }
    fn subjects(&self, out: &mut dyn SubjectSink) {
        self.name_to(out);
    }
}

/// A natural person as an event names one. Storage contract: field order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    /// The pseudonym of the address.
    pub id: PersonId,
    /// The pseudonym of the address's domain.
    pub domain: DomainId,
    /// Whether anybody can have an address in that domain (R7), see [`PUBLIC_DOMAINS`].
    pub public_domain: bool,
    /// The address, and name and phone number where the source gave them, as JSON.
    pub sealed: Sealed,
}

/// The pseudonym of a machine, an IP address or a note, where only its key is spoken of.
/// Storage contract: field order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SealOwner(#[serde(with = "crate::fixed::sixteen")] pub Pseudonym);

impl Field for SealOwner {
    fn shape() -> Shape {
        Shape::Text("SealOwner")
    }
    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        let typed = text(value, "the owner of sealed values")?;
        protected_text("owner", typed, reader).map(Self)
    }
    fn write(&self, writer: Writer<'_>) -> Value {
        Value::from(format!(
            "owner:{}:{}",
            writer.pepper,
            crate::id::EventId(self.0)
        ))
    }
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        same(stored, &self.0)
    }
    fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
        walker.pass(size_of::<Self>())
    }
    fn decode(stored: &mut Stored<'_>) -> Option<Self> {
        stored.take().copied().map(Self)
    }
}

impl Field for PersonId {
    fn shape() -> Shape {
        Shape::Secret(
            "a person, by pseudonym alone: the protected form person:PEPPER:DIGEST, or an address, of which nothing else is kept",
        )
    }
    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        let typed = text(value, "a person's pseudonym or address")?;
        match Person::id_of_address(&reader.pepper(), typed) {
            Some(id) => Ok(id),
            None => protected_text("person", typed, reader).map(Self),
        }
    }
    fn write(&self, writer: Writer<'_>) -> Value {
        Value::from(format!("person:{}:{self}", writer.pepper))
    }
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        same(stored, &self.0)
    }
    fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
        Self(*walker.take()?).name_to(walker);
        Some(())
    }
    fn decode(stored: &mut Stored<'_>) -> Option<Self> {
        stored.take().copied().map(Self)
    }
    fn subjects(&self, out: &mut dyn SubjectSink) {
        self.name_to(out);
    }
}

impl Person {
    /// The pseudonym of an address: white space around it and case do not count.
    pub fn id_of_address(pepper: &Pepper, address: &str) -> Option<PersonId> {
        let address = normal_address(address)?;
        Some(PersonId(
            pepper.pseudonym(Purpose::Person, &[address.as_bytes()]),
        ))
    }
}

/// The pseudonym of a person's domain, to be compared with [`Domain::id`].
pub fn domain_id(pepper: &Pepper, domain: &str) -> DomainId {
    let domain = domain.trim().to_lowercase();
    DomainId(pepper.pseudonym(Purpose::Domain, &[domain.as_bytes()]))
}

fn normal_address(address: &str) -> Option<String> {
    let address = address.trim().to_lowercase();
    let (local, domain) = address.rsplit_once('@')?;
    let plain =
        |text: &str| !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    (plain(local) && plain(domain) && domain.contains('.')).then_some(address)
}

const PERSON_FIELDS: &[&str] = &[
    "address",
    "name",
    "phone",
    "person",
    "domain",
    "public_domain",
    "sealed",
];

impl Field for Person {
    fn shape() -> Shape {
        Shape::Secret(
            "a person: an address, or {address, name, phone}, or the protected form {person, domain, public_domain, sealed}; stored as a keyed pseudonym, the plaintext sealed",
        )
    }
    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        if let Some(address) = value.as_str() {
            return read_person(address, [None, None], reader);
        }
        let map = object(value, PERSON_FIELDS)?;
        if map.contains_key("person") {
            return Ok(Self {
                id: PersonId(protected_id(map, "person", reader)?),
                domain: DomainId(protected_id(map, "domain", reader)?),
                public_domain: member(map, "public_domain", reader)?,
                sealed: protected_sealed(map, "person", reader)?,
            });
        }
        let address = map
            .get("address")
            .and_then(Value::as_str)
            .ok_or_else(|| FieldError::new("is missing or no text").within("address"))?;
        let optional = |name: &'static str| match map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => text(value, "a text").map(Some).map_err(|e| e.within(name)),
        };
        let more = [optional("name")?, optional("phone")?];
        read_person(address, more, reader)
    }
    fn write(&self, writer: Writer<'_>) -> Value {
        let plain = writer.plaintext(&self.sealed);
        if let Some(plain) = plain.and_then(|text| serde_json::from_str(text).ok()) {
            return plain;
        }
        let mut map = Map::new();
        put_protected(&mut map, "person", self.id, writer.pepper);
        put_protected(&mut map, "domain", self.domain, writer.pepper);
        put(&mut map, "public_domain", &self.public_domain, writer);
        put_sealed(&mut map, &self.sealed);
        Value::Object(map)
    }
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        same(stored, &self.id.0)
            && same(stored, &self.domain.0)
            && self.public_domain.is_stored_at(stored)
            && self.sealed.is_stored_at(stored)
    }
    fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
        PersonId::walk(walker)?;
        walker.pass(size_of::<DomainId>())?;
        bool::walk(walker)?;
        walker.pass_sealed()
    }
    fn decode(stored: &mut Stored<'_>) -> Option<Self> {
        Some(Self {
            id: PersonId::decode(stored)?,
            domain: DomainId(*stored.take()?),
            public_domain: bool::decode(stored)?,
            sealed: stored.take_sealed()?,
        })
    }
    fn subjects(&self, out: &mut dyn SubjectSink) {
        self.id.name_to(out);
    }
    fn visit_sealed(&mut self, visit: &mut VisitSealed<'_>) {
        visit(SealedKind::Person, &mut self.sealed);
    }
}

fn read_person(
    address: &str,
    [name, phone]: [Option<&str>; 2],
    reader: &mut Reader<'_>,
) -> Result<Person, FieldError> {
    let normal = normal_address(address).map(Zeroizing::new).ok_or_else(|| {
        FieldError::new("is no address of the form name@domain")
            .hint("the text is not shown, because it may be personal")
    })?;
    let domain = normal.rsplit_once('@').map_or("", |(_, domain)| domain);
    let pepper = reader.pepper();
    let id = PersonId(pepper.pseudonym(Purpose::Person, &[normal.as_bytes()]));
    let mut plaintext = serde_json::json!({ "address": address.trim() });
    for (field, value) in [("name", name), ("phone", phone)] {
        if let (Some(value), Value::Object(map)) = (value, &mut plaintext) {
            map.insert(field.to_owned(), Value::from(value.trim()));
        }
    }
    Ok(Person {
        id,
        domain: domain_id(&pepper, domain),
        public_domain: PUBLIC_DOMAINS.contains(&domain),
        sealed: reader.pending(id.0, &plaintext.to_string()),
    })
}

/// A machine as an event names one. Storage contract: field order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Machine {
    /// The pseudonym of the machine's name or hardware id.
    pub id: MachineId,
    /// The name.
    pub sealed: Sealed,
}

/// An IP address as an event names one. Storage contract: field order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Network {
    /// The pseudonym of the address.
    pub id: NetworkId,
    /// The address.
    pub sealed: Sealed,
}

/// Free text of a source, sealed because it may name a person. Storage contract: field order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Note {
    /// The text.
    pub sealed: Sealed,
}

macro_rules! sealed_text {
    ($($type:ident, $name:literal, $purpose:ident, $doc:literal, $normal:expr, |$id:ident, $s:ident| $make:expr, |$of:ident| $back:expr, $first:expr, $walk:expr, $decode:expr, $subjects:expr;)+) => {$(
        impl Field for $type {
            fn shape() -> Shape {
                Shape::Secret($doc)
            }
            fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self, FieldError> {
                if value.is_object() {
                    let map = object(value, &[$name, "sealed"])?;
                    let $id = protected_id(map, $name, reader)?;
                    let $s = protected_sealed(map, $name, reader)?;
                    return Ok($make);
                }
                let typed = text(value, concat!("a ", $name))?.trim();
                let normal: Option<String> = $normal(typed);
                let normal = normal.ok_or_else(|| FieldError::new(concat!("is no ", $name)))?;
                let $id = reader.pepper().pseudonym(Purpose::$purpose, &[normal.as_bytes()]);
                let $s = reader.pending($id, typed);
                Ok($make)
            }
            fn write(&self, writer: Writer<'_>) -> Value {
                if let Some(plain) = writer.plaintext(&self.sealed) {
                    return Value::from(plain);
                }
                let $of = self;
                let mut map = Map::new();
                put_protected(&mut map, $name, $back, writer.pepper);
                put_sealed(&mut map, &self.sealed);
                Value::Object(map)
            }
            fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
                let first: fn(&Self, &mut &[u8]) -> bool = $first;
                first(self, stored) && self.sealed.is_stored_at(stored)
            }
            fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
                let first: fn(&mut Walker<'_, '_>) -> Option<()> = $walk;
                first(walker)?;
                walker.pass_sealed()
            }
            fn decode(stored: &mut Stored<'_>) -> Option<Self> {
                let decode: fn(&mut Stored<'_>) -> Option<Self> = $decode;
                decode(stored)
            }
            fn subjects(&self, out: &mut dyn SubjectSink) {
                let subjects: fn(&Self, &mut dyn SubjectSink) = $subjects;
                subjects(self, out);
            }
            fn visit_sealed(&mut self, visit: &mut VisitSealed<'_>) {
                visit(SealedKind::$type, &mut self.sealed);
            }
        }
    )+};
}

sealed_text! {
    Machine, "machine", Machine,
        "a machine's name, or its protected form {machine, sealed}; stored as a keyed pseudonym, the name sealed",
        |typed: &str| (!typed.is_empty()).then(|| typed.to_lowercase()),
        |id, sealed| Self { id: MachineId(id), sealed }, |of| of.id,
        |of, stored| same(stored, &of.id.0),
        |walker| { MachineId(*walker.take()?).name_to(walker); Some(()) },
        |stored| Some(Self { id: MachineId(*stored.take()?), sealed: stored.take_sealed()? }),
        |of, out| of.id.name_to(out);
    Network, "network", Network,
        "an IP address, or its protected form {network, sealed}; stored as a keyed pseudonym, the address sealed",
        |typed: &str| typed.parse::<std::net::IpAddr>().ok().map(|ip| ip.to_string()),
        |id, sealed| Self { id: NetworkId(id), sealed }, |of| of.id,
        |of, stored| same(stored, &of.id.0),
        |walker| walker.pass(size_of::<NetworkId>()),
        |stored| Some(Self { id: NetworkId(*stored.take()?), sealed: stored.take_sealed()? }),
        |_, _| ();
    Note, "note", Note,
        "free text, or its protected form {note, sealed}; stored sealed, because it may name a person",
        |typed: &str| (!typed.is_empty()).then(|| typed.to_owned()),
        |id, sealed| { let _: Pseudonym = id; Self { sealed } }, |of| crate::id::EventId(of.sealed.owner),
        |_, _| true,
        |_| Some(()),
        |stored| Some(Self { sealed: stored.take_sealed()? }),
        |_, _| ();
}

/// A verified domain: the name in clear, and the pseudonym that persons' domains are compared with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Domain {
    /// The domain in clear.
    pub name: DomainName,
    /// Its pseudonym.
    pub id: DomainId,
}

impl Field for Domain {
    fn shape() -> Shape {
        Shape::Text("DomainName")
    }
    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        let name = DomainName::read(value, reader)?;
        let id = domain_id(&reader.pepper(), name.as_str());
        Ok(Self { name, id })
    }
    fn write(&self, _: Writer<'_>) -> Value {
        Value::from(self.name.as_str())
    }
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        self.name.is_stored_at(stored) && same(stored, &self.id.0)
    }
    fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
        DomainName::walk(walker)?;
        walker.pass(size_of::<DomainId>())
    }
    fn decode(stored: &mut Stored<'_>) -> Option<Self> {
        Some(Self {
            name: DomainName::decode(stored)?,
            id: DomainId(*stored.take()?),
        })
    }
}

fn put_protected(map: &mut Map<String, Value>, name: &str, id: impl Display, pepper: PepperId) {
    map.insert(
        name.to_owned(),
        Value::from(format!("{name}:{pepper}:{id}")),
    );
}

fn put_sealed(map: &mut Map<String, Value>, sealed: &Sealed) {
    if !sealed.ciphertext.is_empty() {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let text = format!("{}{}", hex(&sealed.nonce), hex(&sealed.ciphertext));
        map.insert("sealed".to_owned(), Value::from(text));
    }
}

fn protected_id(
    map: &Map<String, Value>,
    name: &str,
    reader: &Reader<'_>,
) -> Result<Pseudonym, FieldError> {
    let text = map.get(name).and_then(Value::as_str).unwrap_or_default();
    protected_text(name, text, reader).map_err(|e| e.within(name))
}

fn protected_text(name: &str, text: &str, reader: &Reader<'_>) -> Result<Pseudonym, FieldError> {
    match reader.protected(name, text)?.as_deref() {
        Some([digest]) => parse_hex16(digest),
        _ => None,
    }
    .ok_or_else(|| FieldError::new(format!("is no pseudonym of the form {name}:PEPPER:DIGEST")))
}

fn protected_sealed(
    map: &Map<String, Value>,
    owner: &str,
    reader: &Reader<'_>,
) -> Result<Sealed, FieldError> {
    let owner = protected_id(map, owner, reader)?;
    let Some(value) = map.get("sealed") else {
        return Ok(Sealed::empty(owner));
    };
    let wrong = || FieldError::new("is no sealed text in hexadecimal").within("sealed");
    let bytes = value.as_str().and_then(parse_hex).ok_or_else(wrong)?;
    let (nonce, ciphertext) = bytes.split_at_checked(24).ok_or_else(wrong)?;
    Ok(Sealed {
        owner,
        nonce: nonce.try_into().map_err(|_| wrong())?,
        ciphertext: ciphertext.to_vec(),
    })
}
