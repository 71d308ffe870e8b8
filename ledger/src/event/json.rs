//! The JSON form of events: one object a line, for people and programs.

use super::field::{Field, FieldError, Reader, VisitSealed, Writer, member, object, put, text};
use super::{Actor, Event, EventRef, Fact, KINDS, Payload, Source};
use crate::id::{EventId, Name};
use crate::secret::{Keyring, Opened, Pepper, PepperId, Purpose};
use crate::time::{Occurred, Precision, Timestamp};
use serde_json::{Map, Value};

/// The members of the JSON form. `position` and `recorded_at` are written by exports and passed
/// over when read: they belong to the log that they came from.
pub const MEMBERS: &[&str] = &[
    "id",
    "kind",
    "occurred_at",
    "observed_at",
    "actor",
    "source",
    "correlation",
    "causation",
    "corrects",
    "policies",
    "data",
    "position",
    "recorded_at",
];

/// Reads a fact from its JSON form. Keys, addresses and machine names are protected with the
/// keyring on the way; the plaintext is not kept anywhere.
///
/// The id is the keyed BLAKE3 of source system, record id and body, so that the same record is the
/// same event for ever and a revised record is another one. An export names the id itself.
pub fn read_fact(value: &Value, keyring: &mut dyn Keyring) -> Result<Fact, FieldError> {
    let mut reader = Reader::new(keyring);
    let map = object(value, MEMBERS)?;
    let mut fact = read_body(map, &mut reader)?;
    fact.id = match map.get("id") {
        None | Some(Value::Null) => fact_id(&reader.pepper(), &mut fact),
        Some(id) => text(id, "an event id")
            .ok()
            .and_then(EventId::parse)
            .ok_or_else(|| {
                FieldError::new("is no event id of 32 hexadecimal digits").within("id")
            })?,
    };
    reader.seal(&mut fact);
    Ok(fact)
}

fn read_body(map: &Map<String, Value>, reader: &mut Reader<'_>) -> Result<Fact, FieldError> {
    let kind = map
        .get("kind")
        .ok_or_else(|| FieldError::new("is missing").within("kind"))?;
    let kind = text(kind, "an event kind").map_err(|e| e.within("kind"))?;
    let source: Source = member(map, "source", reader)?;
    let occurred_at: Occurred = member(map, "occurred_at", reader)?;
    let observed_at: Option<Timestamp> = member(map, "observed_at", reader)?;
    let actor: Option<Actor> = member(map, "actor", reader)?;
    let correlation: Option<Name> = member(map, "correlation", reader)?;
    let causation = read_ref(map, "causation", &source, reader)?;
    let corrects = read_ref(map, "corrects", &source, reader)?;
    let policies = member(map, "policies", reader)?;
    let empty = Value::Object(Map::new());
    let data = map.get("data").unwrap_or(&empty);
    let payload = Payload::read_json(kind, data, reader)
        .ok_or_else(|| unknown_kind(kind).within("kind"))?
        .map_err(|error| error.within("data"))?;
    Ok(Fact {
        id: EventId([0; 16]),
        occurred_at,
        observed_at,
        actor,
        source,
        correlation,
        causation,
        corrects,
        policies,
        payload,
    })
}

fn unknown_kind(kind: &str) -> FieldError {
    let lower = kind.to_lowercase();
    let near = KINDS.iter().find(|info| {
        let name = info.name.to_lowercase();
        name == lower || (lower.len() > 4 && (name.contains(&lower) || lower.contains(&name)))
    });
    let error = FieldError::new("is no event kind");
    match near {
        Some(info) => error.hint(format!("did you mean {}?", info.name)),
        None => error.hint("`actl schema events` lists the kinds"),
    }
}

/// The keyed identity of what a source said. Sealed fields are still pending, so that their
/// plaintext counts by its keyed digest and ciphertext does not count at all.
fn fact_id(pepper: &Pepper, fact: &mut Fact) -> EventId {
    let system = fact.source.system.as_str().to_owned();
    let record = fact
        .source
        .record
        .as_ref()
        .map_or("", Name::as_str)
        .to_owned();
    let place = Event {
        position: crate::id::Position(0),
        recorded_at: Timestamp::from_micros(0),
        fact: fact.clone(),
    };
    // A fact that cannot be encoded is refused by the append; until then it has the id of nothing.
    let body = place.encode().unwrap_or_default();
    let parts: [&[u8]; 3] = [system.as_bytes(), record.as_bytes(), &body];
    EventId(pepper.pseudonym(Purpose::Event, &parts))
}

fn read_ref(
    map: &Map<String, Value>,
    name: &str,
    own: &Source,
    reader: &mut Reader<'_>,
) -> Result<Option<EventRef>, FieldError> {
    let within = |error: FieldError| error.within(name);
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            if let Some(id) = text.strip_prefix("event:") {
                let id = EventId::parse(id).ok_or_else(|| {
                    within(FieldError::new("is no event id of 32 hexadecimal digits"))
                })?;
                return Ok(Some(EventRef::Id(id)));
            }
            let record = Name::new(text).map_err(|e| within(FieldError::new(e.to_string())))?;
            Ok(Some(EventRef::Record(Source {
                system: own.system.clone(),
                record: Some(record),
            })))
        }
        Some(value) => {
            let source = Source::read(value, reader).map_err(within)?;
            Ok(Some(EventRef::Record(source)))
        }
    }
}

fn write_ref(reference: &EventRef, writer: Writer<'_>) -> Value {
    match reference {
        EventRef::Id(id) => Value::from(format!("event:{id}")),
        EventRef::Record(source) => source.write(writer),
    }
}

/// Writes the protected JSON form of a fact. It holds no key and no person in clear.
pub fn write_fact(fact: &Fact, pepper: PepperId) -> Value {
    write_with(fact, Writer::protected(pepper))
}

/// Writes the JSON form of an event with its place in the log, and what was opened of it in clear: as
/// its source said it, so that reading it again makes the same fact.
pub fn write_event_revealed(event: &Event, pepper: PepperId, opened: &Opened) -> Value {
    place(
        event,
        write_with(&event.fact, Writer::revealing(pepper, opened)),
    )
}

/// Writes the JSON form of a fact with a writer: what is in clear of it depends on that.
pub fn write_with(fact: &Fact, writer: Writer<'_>) -> Value {
    let mut map = Map::new();
    map.insert("id".into(), Value::from(fact.id.to_string()));
    map.insert("kind".into(), Value::from(fact.kind().name));
    map.insert(
        "occurred_at".into(),
        Value::from(fact.occurred_at.to_string()),
    );
    put(&mut map, "observed_at", &fact.observed_at, writer);
    put(&mut map, "actor", &fact.actor, writer);
    put(&mut map, "source", &fact.source, writer);
    put(&mut map, "correlation", &fact.correlation, writer);
    for (name, reference) in [("causation", &fact.causation), ("corrects", &fact.corrects)] {
        if let Some(reference) = reference {
            map.insert(name.into(), write_ref(reference, writer));
        }
    }
    put(&mut map, "policies", &fact.policies, writer);
    map.insert("data".into(), fact.payload.write_with(writer));
    Value::Object(map)
}

/// Writes the protected JSON form of an event: [`write_fact`] with its place in the log.
pub fn write_event(event: &Event, pepper: PepperId) -> Value {
    place(event, write_fact(&event.fact, pepper))
}

fn place(event: &Event, mut value: Value) -> Value {
    if let Value::Object(map) = &mut value {
        map.insert("position".into(), Value::from(event.position.0));
        map.insert(
            "recorded_at".into(),
            Value::from(event.recorded_at.to_string()),
        );
    }
    value
}

impl Field for Occurred {
    fn shape() -> super::field::Shape {
        super::field::Shape::Text("Occurred")
    }
    fn read(value: &Value, _: &mut Reader<'_>) -> Result<Self, FieldError> {
        Self::parse(text(value, "a time such as 2024-03-11T09:42:00Z or 2024-03-11")?).ok_or_else(|| {
            FieldError::new("is no time")
                .hint("write an instant with its offset (2024-03-11T09:42:00Z), a minute (2024-03-11T09:42Z), a day (2024-03-11) or a month (2024-03)")
        })
    }
    fn write(&self, _: Writer<'_>) -> Value {
        Value::from(self.to_string())
    }
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        let precision = (self.precision as u32).to_le_bytes();
        self.start.is_stored_at(stored) && super::stored::same(stored, &precision)
    }
    fn walk(walker: &mut super::walk::Walker<'_, '_>) -> Option<()> {
        Timestamp::walk(walker)?;
        walker.pass(size_of::<u32>())
    }
    fn decode(stored: &mut super::decode::Stored<'_>) -> Option<Self> {
        let start = Timestamp::decode(stored)?;
        let precision = Precision::of_stored(stored.take_variant()?)?;
        Some(Self { start, precision })
    }
    fn visit_sealed(&mut self, _: &mut VisitSealed<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::PublicKeyring;
    use serde_json::json;

    fn sent(recipient: Value) -> Value {
        json!({
            "kind": "ActivationEmailSent",
            "occurred_at": "2024-03-05T08:00:00Z",
            "source": { "system": "mail", "record": "m-1" },
            "data": { "message": "m-1", "license_id": "88213345", "recipient": recipient, "role": "PrimaryContact" }
        })
    }

    fn read(value: &Value) -> Fact {
        read_fact(value, &mut PublicKeyring).unwrap()
    }

    #[test]
    fn an_exported_fact_is_read_back_as_itself_and_survives_storage() {
        let fact = read(&sent(
            json!({ "address": "Jo.Blake@contoso.example", "name": "Jo Blake" }),
        ));
        let exported = write_fact(&fact, Pepper::public().id());
        assert!(!exported.to_string().to_lowercase().contains("blake"));
        assert_eq!(read(&exported), fact);
        let event = Event {
            position: crate::id::Position(1),
            recorded_at: Timestamp::from_micros(0),
            fact,
        };
        let bytes = event.encode_checked().unwrap();
        assert!(
            !String::from_utf8_lossy(&bytes)
                .to_lowercase()
                .contains("blake")
        );
    }

    #[test]
    fn the_same_record_is_the_same_event_and_a_revised_one_is_another() {
        let one = read(&sent(json!("jo.blake@contoso.example")));
        assert_eq!(read(&sent(json!("jo.blake@contoso.example"))), one);
        let other = read(&sent(json!("jo.black@contoso.example")));
        assert_ne!(other.id, one.id);
        let named = read(&sent(
            json!({ "address": "jo.blake@contoso.example", "name": "Jo" }),
        ));
        assert_ne!(named.id, one.id, "a revised name is a revised record");
        assert_eq!(named.subjects(), one.subjects());
    }

    #[test]
    fn errors_name_the_field_and_never_show_a_secret() {
        let mut wrong = sent(json!("Jo Blake"));
        let error = read_fact(&wrong, &mut PublicKeyring).unwrap_err();
        assert_eq!(error.path, ["data", "recipient"]);
        assert!(!format!("{error:?}").contains("Blake"));
        wrong["data"]["recipient"] = json!("jo@contoso.example");
        wrong["data"]["seats"] = json!(3);
        let error = read_fact(&wrong, &mut PublicKeyring).unwrap_err();
        assert_eq!(error.path, ["data", "seats"]);
        wrong["kind"] = json!("activationemailsent");
        let error = read_fact(&wrong, &mut PublicKeyring).unwrap_err();
        assert_eq!(
            error.hint.as_deref(),
            Some("did you mean ActivationEmailSent?")
        );
    }

    #[test]
    fn an_export_of_another_pepper_is_refused() {
        let mut fact = write_fact(
            &read(&sent(json!("jo@contoso.example"))),
            Pepper::public().id(),
        );
        let text = fact
            .to_string()
            .replace(&Pepper::public().id().to_string(), "00000000");
        fact = serde_json::from_str(&text).unwrap();
        let error = read_fact(&fact, &mut PublicKeyring).unwrap_err();
        assert!(error.reason.contains("pepper 00000000"), "{error:?}");
    }
}
