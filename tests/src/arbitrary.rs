//! Arbitrary events of every kind, made from the kinds' own shapes: valid, and as absurd as they
//! come. Ids are drawn from small pools, so that events meet in the same subjects.

use ledger::event::field::{FieldInfo, Shape};
use ledger::event::json::read_fact;
use ledger::event::{Fact, KINDS, KindInfo};
use ledger::secret::{PUBLIC_DOMAINS, Pepper, PublicKeyring};
use serde_json::{Map, Value, json};

/// A stream of numbers that depends on nothing but its seed (xorshift).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n.max(1)
    }

    /// One of some values.
    pub fn of<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        &values[self.below(values.len())]
    }

    /// Whether one chance of `n` came true.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Shuffles a list.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for index in (1..list.len()).rev() {
            list.swap(index, self.below(index + 1));
        }
    }
}

const DAYS: &[&str] = &[
    "2010-12-31",
    "2011-07-31",
    "2011-08-01",
    "2023-12-31",
    "2024-01-01",
    "2024-01-31",
    "2024-02-28",
    "2024-02-29",
    "2024-03-01",
    "2024-03-15",
    "2024-06-30",
    "2024-12-31",
    "2025-02-28",
    "2025-03-15",
    "2025-12-31",
    "2028-02-29",
    "9999-12-10",
    "9999-12-31",
];

const INSTANTS: &[&str] = &[
    "1970-01-01T00:00:00Z",
    "2011-08-01T00:00:00Z",
    "2024-01-05T08:00:00Z",
    "2024-01-31T23:59:59Z",
    "2024-02-12T10:00:00Z",
    "2024-02-29T00:00:00Z",
    "2024-03-11T09:42:00Z",
    "2024-03-11T09:42:00Z",
    "2024-03-12",
    "2024-03",
    "2024-04-15T12:30Z",
    "2024-06-30T12:00:00Z",
    "2025-02-28T00:00:00Z",
    "2025-03-31T02:30:00+02:00",
    "2025-12-31T23:59:59Z",
    "2026-06-01",
    "9999-12-30T00:00:00Z",
];

/// Instants at which it is worth looking at views of arbitrary histories.
pub const POINTS: &[&str] = &[
    "2011-08-01T12:00:00Z",
    "2024-02-12T10:00:00Z",
    "2024-03-11T09:42:00Z",
    "2024-06-30T12:00:00Z",
    "2025-03-01T00:00:00Z",
    "2026-12-31T00:00:00Z",
    "9999-12-30T00:00:00Z",
];

/// An arbitrary fact of any kind; `number` tells its record apart from others.
pub fn fact(dice: &mut Dice, number: usize, earlier: &[Fact]) -> Fact {
    let kind = dice.of(KINDS);
    fact_of(kind, dice, number, earlier)
}

/// An arbitrary fact of a kind.
pub fn fact_of(kind: &KindInfo, dice: &mut Dice, number: usize, earlier: &[Fact]) -> Fact {
    let value = json_of(kind, dice, number, earlier);
    read_fact(&value, &mut PublicKeyring).unwrap_or_else(|error| panic!("{value}: {error:?}"))
}

fn json_of(kind: &KindInfo, dice: &mut Dice, number: usize, earlier: &[Fact]) -> Value {
    let record = match dice.one_in(4) {
        true => format!("record-{}", dice.below(6)),
        false => format!("record-of-{number}"),
    };
    let mut event = json!({
        "kind": kind.name,
        "occurred_at": dice.of(INSTANTS),
        "source": { "system": "fuzz", "record": record },
        "data": record_of(&(kind.fields)(), dice),
    });
    let map = event.as_object_mut().expect("an object");
    if dice.one_in(3) {
        let day = dice.of(&INSTANTS[..8]);
        map.insert("observed_at".to_owned(), json!(day));
    }
    if dice.one_in(2) {
        let actor = json!({
            "kind": *dice.of(&["Customer", "Partner", "Support", "Service"]),
            "person": format!("person.{}@person.example", dice.below(3)),
            "partner": format!("partner-{}", dice.below(3)),
            "home_tenant": format!("tenant-{}", dice.below(3)),
        });
        map.insert("actor".to_owned(), actor);
    }
    if dice.one_in(8) {
        let corrects = match earlier.is_empty() || dice.one_in(2) {
            true => json!(format!("record-{}", dice.below(6))),
            false => json!(format!("event:{}", dice.of(earlier).id)),
        };
        map.insert("corrects".to_owned(), corrects);
    }
    if dice.one_in(3) {
        let all = projections::policy::all();
        let policy = dice.of(&all);
        let named = json!([{ "name": policy.name, "version": 1 }]);
        map.insert("policies".to_owned(), named);
    }
    event
}

fn record_of(fields: &[FieldInfo], dice: &mut Dice) -> Value {
    let mut map = Map::new();
    for field in fields {
        if let Some(value) = value_of(&field.shape, dice) {
            map.insert(field.name.to_owned(), value);
        }
    }
    Value::Object(map)
}

fn value_of(shape: &Shape, dice: &mut Dice) -> Option<Value> {
    Some(match shape {
        Shape::Optional(inner) => match dice.below(5) {
            0 | 1 => return None,
            _ => value_of(inner, dice)?,
        },
        Shape::List(inner) => {
            let length = dice.below(4);
            (0..length).filter_map(|_| value_of(inner, dice)).collect()
        }
        Shape::Record(_, fields) => record_of(fields, dice),
        Shape::Text("Last5") => json!(format!("K000{}", dice.below(3))),
        Shape::Text("SealOwner") => {
            json!(format!(
                "owner:{}:{:032x}",
                Pepper::public().id(),
                dice.below(3)
            ))
        }
        Shape::Text("DomainName") => json!(format!("domain-{}.example", dice.below(3))),
        Shape::Text(_) => json!(format!("text {}", dice.below(3))),
        Shape::Names(kind, _) => json!(format!("{}-{}", kind.name(), dice.below(3))),
        Shape::Integer(_, min, max) => {
            let numbers = [*min, 0, 1, 2, 5, 30, 100, 1440, *max];
            json!(dice.of(&numbers).clamp(min, max))
        }
        Shape::Boolean => json!(dice.one_in(2)),
        Shape::Date => json!(dice.of(DAYS)),
        Shape::Instant => {
            let whole = INSTANTS.iter().filter(|instant| instant.len() > 17);
            json!(dice.of(&whole.collect::<Vec<_>>()))
        }
        Shape::Choice(_, words) => json!(dice.of(words).0),
        Shape::Secret(what) => secret(what, dice.below(3)),
    })
}

fn secret(what: &str, n: usize) -> Value {
    let starts = |word| what.starts_with(word);
    if starts("an activation key") {
        json!(format!("FUZZY-0000{n}-BCDFG-HJKMP-QR00{n}"))
    } else if starts("a person, by pseudonym") || (starts("a person") && n > 0) {
        json!(format!("person.{n}@person.example"))
    } else if starts("a person") {
        json!(format!("person.{n}@{}", PUBLIC_DOMAINS[0]))
    } else if starts("a machine") {
        json!(format!("MACHINE-{n}"))
    } else if starts("an IP address") {
        json!(format!("203.0.113.{n}"))
    } else {
        json!(format!("note {n}"))
    }
}

/// An arbitrary history of some facts, each once.
pub fn history(seed: u64, length: usize) -> Vec<Fact> {
    let mut dice = Dice::new(seed);
    let mut facts: Vec<Fact> = Vec::with_capacity(length);
    for number in 0..length {
        let fact = fact(&mut dice, number, &facts);
        if !facts.iter().any(|known| known.id == fact.id) {
            facts.push(fact);
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_up_of_every_kind_is_read() {
        let mut dice = Dice::new(7);
        for kind in KINDS {
            for number in 0..300 {
                assert_eq!(fact_of(kind, &mut dice, number, &[]).kind().name, kind.name);
            }
        }
    }
}
