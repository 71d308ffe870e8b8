//! What is asked of a store by the histories that it looks at is what all events in memory say: for stories,
//! simulated histories with mistakes and noise, and arbitrary ones with corrections and revised records, at points
//! in both times. The functions over `Histories` are the slow and obvious oracle.

mod beforehand;
mod compared;
mod walked;

use ledger::event::{Event, Fact};
use ledger::id::Position;
use ledger::store::{Known, Store};
use ledger::time::Timestamp;
use projections::stored::{Stored, Views};
use projections::{Histories, Point};
use tests::arbitrary::{self, Dice};
use tests::facts;
use tests::story;
use tools::simulate::noise::Noise;

/// A store with its views, and everything that it holds in memory.
struct World {
    what: String,
    store: Store,
    source: Stored,
    histories: Histories,
}

impl World {
    fn of(what: String, facts: &[Fact]) -> Self {
        let store = Store::in_memory(facts::clock()).expect("a store in memory");
        for some in facts.chunks(512) {
            let appended = store.append(some.to_vec(), &[], Known::Skip);
            appended.expect("it can be appended");
        }
        let views = Views::open(&store).expect("views");
        views.catch_up(&|_, _| {}).expect("views follow");
        let events = store.read(Position(0));
        let events: Vec<Event> = events.map(|event| event.expect("it can be read")).collect();
        Self {
            what,
            source: views.source(),
            histories: Histories::gather(events),
            store,
        }
    }

    /// Points to look from: now, and some in both times.
    fn points(&self, seed: u64, count: usize) -> Vec<Point> {
        let mut dice = Dice::new(seed);
        let latest = self.histories.latest_occurred().expect("there are events");
        let at = self.histories.at(Point::valid(Timestamp::MAX));
        let starts: Vec<Timestamp> = at.all().map(|event| event.occurred_at.start).collect();
        let end = usize::try_from(self.histories.end().0).expect("a short log");
        let mut points = vec![Point {
            as_of: self.histories.end(),
            valid_at: latest,
        }];
        for number in 0..count {
            let as_of = match number % 2 {
                0 => end,
                _ => dice.below(end) + 1,
            };
            points.push(Point {
                as_of: Position(as_of as u64),
                valid_at: *dice.of(&starts),
            });
        }
        points
    }
}

/// Every story by itself.
fn stories() -> impl Iterator<Item = World> {
    let all = story::all().into_iter();
    all.map(|story| World::of(story.name, &story.facts))
}

/// Simulated histories of some customers.
fn simulated() -> impl Iterator<Item = World> {
    let all = [(5, Noise::NONE), (6, Noise::DEFAULT)].into_iter();
    all.map(|(seed, noise)| {
        let facts = facts::simulated(seed, 5, noise);
        World::of(format!("simulated {seed}"), &facts)
    })
}

/// Histories of anything.
fn any(count: u64) -> impl Iterator<Item = World> {
    (0..count).map(|seed| World::of(format!("any {seed}"), &arbitrary::history(seed, 120)))
}
