//! Facts that are changed at random: other records, revisions and corrections of each other.

use ledger::event::{EventRef, Fact, KINDS, Source as Origin};
use ledger::id::{EventId, Name};
use ledger::time::Timestamp;
use proptest::prelude::*;
use std::sync::OnceLock;
use tests::sample::{self, Extent};
use tests::story;

/// Facts of every kind, and those of all stories.
pub fn pool() -> &'static [Fact] {
    static POOL: OnceLock<Vec<Fact>> = OnceLock::new();
    POOL.get_or_init(|| {
        let samples = KINDS
            .iter()
            .flat_map(|kind| Extent::ALL.map(|extent| sample::fact(kind, extent)));
        let stories = story::all().into_iter().flat_map(|story| story.facts);
        samples.chain(stories).collect()
    })
}

/// What is changed of a fact of the pool.
#[derive(Debug, Clone)]
pub struct Mutation {
    fact: usize,
    record: u8,
    corrects: u8,
    target: usize,
    observed: u8,
    moved: i8,
}

pub fn changes() -> impl Strategy<Value = Vec<Mutation>> {
    // Few facts, so that the same subjects come again and again, in other payloads of their kind as well.
    let one = (
        any::<u16>(),
        0..8_u8,
        0..10_u8,
        any::<u16>(),
        0..4_u8,
        -3..4_i8,
    );
    let few = proptest::collection::vec(one, 2..9);
    let order = proptest::collection::vec(
        (
            any::<u16>(),
            0..8_u8,
            0..10_u8,
            any::<u16>(),
            0..4_u8,
            -3..4_i8,
        ),
        10..70,
    );
    (few, order).prop_map(|(few, order)| {
        let picked: Vec<usize> = few
            .iter()
            .map(|(fact, ..)| *fact as usize % pool().len())
            .collect();
        let change =
            |(fact, record, corrects, target, observed, moved): (u16, u8, u8, u16, u8, i8)| {
                Mutation {
                    fact: picked[fact as usize % picked.len()],
                    record,
                    corrects,
                    target: target as usize,
                    observed,
                    moved,
                }
            };
        order.into_iter().map(change).collect()
    })
}

fn id(number: usize) -> EventId {
    let digest = blake3::hash(&number.to_le_bytes());
    EventId(*digest.as_bytes().first_chunk().expect("it has 32 bytes"))
}

fn origin(record: u8) -> Origin {
    Origin {
        system: Name::new(if record < 4 { "portal" } else { "export" }).expect("a name"),
        record: (record > 0).then(|| Name::new(&format!("r-{}", record % 3)).expect("a name")),
    }
}

pub fn facts(changes: &[Mutation]) -> Vec<Fact> {
    let count = changes.len();
    let fact = |(number, change): (usize, &Mutation)| {
        let mut fact = pool()[change.fact].clone();
        fact.id = id(number);
        fact.source = origin(change.record);
        let start = fact.occurred_at.start;
        fact.observed_at = match change.observed {
            0 => None,
            days => Some(start.plus_days(i64::from(days))),
        };
        let moved = i64::from(change.moved) * 3_600_000_000;
        fact.occurred_at.start = Timestamp::from_micros(start.as_micros() + moved);
        fact.corrects = match change.corrects {
            0 => Some(EventRef::Id(id(change.target % count))),
            1 => Some(EventRef::Record(origin((change.target % 8) as u8))),
            2 => Some(EventRef::Id(id(count + 1))),
            _ => None,
        };
        fact
    };
    changes.iter().enumerate().map(fact).collect()
}
