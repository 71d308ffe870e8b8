//! Samples: one event of every kind, made from its shape, always the same.
//!
//! A kind that is added later has a sample at once, and with it all contract tests.

use ledger::event::field::{FieldInfo, Shape};
use ledger::event::json::read_fact;
use ledger::event::{Event, Fact, KindInfo};
use ledger::id::Position;
use ledger::secret::{Pepper, PublicKeyring};
use ledger::time::Timestamp;
use serde_json::{Map, Value, json};

/// Which fields a sample has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of them, and two values in every list.
    Full,
    /// Only those without which the event is refused.
    Required,
}

impl Extent {
    /// Both extents, in the order of the golden file.
    pub const ALL: [Self; 2] = [Self::Full, Self::Required];

    /// The word in the golden file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Required => "required",
        }
    }
}

/// The JSON form of a sample, its secrets in clear. No two texts in it are the same.
pub fn json(kind: &KindInfo, extent: Extent) -> Value {
    let mut maker = Maker { extent, next: 0 };
    let data = maker.record(&(kind.fields)());
    let mut event = json!({
        "kind": kind.name,
        "occurred_at": "2024-03-11T09:42:00Z",
        "source": { "system": "sample" },
        "data": data,
    });
    if extent == Extent::Full {
        let whole = json!({
            "observed_at": "2024-03-12T00:00:00Z",
            "actor": {
                "kind": "Partner",
                "person": { "address": "canary.actor@person.example", "name": "Canary Actor" },
                "partner": "partner-actor",
                "home_tenant": "actor.onmicrosoft.example",
                "roles": ["GlobalAdministrator"],
            },
            "source": { "system": "sample", "record": "sample-1" },
            "correlation": "sample-group",
            "causation": "sample-0",
            "corrects": "event:000102030405060708090a0b0c0d0e0f",
            "policies": [{ "name": "sample_policy", "version": 3 }],
        });
        merge(&mut event, whole);
    }
    event
}

fn merge(event: &mut Value, more: Value) {
    if let (Value::Object(event), Value::Object(more)) = (event, more) {
        event.extend(more);
    }
}

/// The fact of a sample, protected with the public keyring.
pub fn fact(kind: &KindInfo, extent: Extent) -> Fact {
    read_fact(&json(kind, extent), &mut PublicKeyring)
        .unwrap_or_else(|error| panic!("the {} sample of {}: {error:?}", extent.name(), kind.name))
}

/// The event of a sample: position 1, recorded on a day of its own.
pub fn event(kind: &KindInfo, extent: Extent) -> Event {
    Event {
        position: Position(1),
        recorded_at: Timestamp::parse("2024-03-13T00:00:00Z").expect("an instant"),
        fact: fact(kind, extent),
    }
}

struct Maker {
    extent: Extent,
    next: i64,
}

impl Maker {
    fn record(&mut self, fields: &[FieldInfo]) -> Value {
        let mut map = Map::new();
        for field in fields {
            if let Some(value) = self.value(&field.shape) {
                map.insert(field.name.to_owned(), value);
            }
        }
        Value::Object(map)
    }

    /// A value of a shape; `None` if it can be left out and the sample is to be short.
    fn value(&mut self, shape: &Shape) -> Option<Value> {
        match shape {
            Shape::Optional(inner) if self.extent == Extent::Full => self.value(inner),
            Shape::List(inner) if self.extent == Extent::Full => Some(
                [self.value(inner)?, self.value(inner)?]
                    .into_iter()
                    .collect(),
            ),
            Shape::Optional(_) | Shape::List(_) => None,
            Shape::Record(_, fields) => Some(self.record(fields)),
            _ => {
                self.next += 1;
                Some(leaf(shape, self.next))
            }
        }
    }
}

/// The `n`th value of a sample, of a shape that has no parts.
fn leaf(shape: &Shape, n: i64) -> Value {
    match shape {
        Shape::Text("Last5") => json!(format!("K{n:04}")),
        Shape::Text("SealOwner") => json!(format!("owner:{}:{n:032x}", Pepper::public().id())),
        Shape::Text("DomainName") => json!(format!("domain-{n}.example")),
        Shape::Text(_) => json!(format!("text {n}")),
        Shape::Names(kind, _) => json!(format!("{}-{n}", kind.name())),
        Shape::Integer(_, min, max) => json!(n.clamp(*min, *max)),
        Shape::Boolean => json!(n % 2 == 0),
        Shape::Date => json!(format!("2024-01-{:02}", n % 28 + 1)),
        Shape::Instant => json!(format!("2024-02-{:02}T08:00:00Z", n % 28 + 1)),
        Shape::Secret(what) => secret(what, n),
        Shape::Choice(_, words) => {
            let index = usize::try_from(n).unwrap_or_default() % words.len();
            json!(words.get(index).map(|(word, _)| *word))
        }
        Shape::Optional(_) | Shape::List(_) | Shape::Record(..) => {
            unreachable!("a shape with parts is no leaf")
        }
    }
}

/// A secret in clear, by the words in which its shape says what it is.
fn secret(what: &str, n: i64) -> Value {
    let starts = |word| what.starts_with(word);
    if starts("an activation key") {
        json!(format!("CANRY-{n:05}-BCDFG-HJKMP-QR{n:03}"))
    } else if starts("a person, by pseudonym") {
        json!(format!("canary.{n}@person.example"))
    } else if starts("a person") {
        json!({ "address": format!("canary.{n}@person.example"), "name": format!("Canary Person {n}") })
    } else if starts("a machine") {
        json!(format!("CANARY-MACHINE-{n}"))
    } else if starts("an IP address") {
        json!(format!("203.0.113.{n}"))
    } else if starts("free text") {
        json!(format!("canary note {n}"))
    } else {
        panic!("no sample is known for the secret: {what}")
    }
}
