//! The victim: appends to a store, whatever happens to it, and notes what was acknowledged.

use super::append::{before, conditions, digest, facts, following, intruder};
use super::witness::{Note, Witness};
use crate::stores::{create_with, try_open};
use ledger::event::Event;
use ledger::id::Position;
use ledger::store::{Known, Pending, Receipt, Store};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

/// How often a store that cannot be opened is tried again, and after what time.
const OPENINGS_MAX: usize = 12;
const REOPEN_AFTER: Duration = Duration::from_millis(5);

/// What a victim is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orders {
    /// The store; it is made if there is none.
    pub store: PathBuf,
    /// Where to note what was acknowledged.
    pub witness: PathBuf,
    /// The engine of a store that is made.
    pub engine: String,
    /// How many appends more.
    pub appends: usize,
    /// How many appends are on their way at once.
    pub window: usize,
    /// The store is closed and opened again after so many appends.
    pub close_every: usize,
    /// Whether the store is closed in the end, or the process just ends.
    pub close: bool,
}

impl Orders {
    /// The orders as arguments of a process.
    pub fn arguments(&self) -> Vec<String> {
        let paths = [&self.store, &self.witness].map(|path| path.display().to_string());
        let numbers = [
            self.appends,
            self.window,
            self.close_every,
            usize::from(self.close),
        ];
        let mut arguments = paths.to_vec();
        arguments.push(self.engine.clone());
        arguments.extend(numbers.map(|number| number.to_string()));
        arguments
    }

    /// Reads arguments; `None` if they are no orders.
    pub fn parse(arguments: &[String]) -> Option<Self> {
        let [store, witness, engine, appends, window, close_every, close] = arguments else {
            return None;
        };
        Some(Self {
            store: store.into(),
            witness: witness.into(),
            engine: engine.clone(),
            appends: appends.parse().ok()?,
            window: window.parse().ok()?,
            close_every: close_every.parse().ok()?,
            close: close == "1",
        })
    }
}

/// What an append was submitted as.
enum Asked {
    /// The next one.
    Append(usize),
    /// One that is known.
    Again(usize),
    /// One that must be refused.
    Intruder(usize),
}

struct Victim<'a> {
    orders: &'a Orders,
    witness: Witness,
    left: usize,
    /// Nothing has failed since the store was opened.
    well: bool,
}

/// Follows orders. Returns whether all appends were made.
pub fn run(orders: &Orders, trace: Option<PathBuf>) -> bool {
    let mut victim = Victim {
        orders,
        witness: Witness::open(&orders.witness, trace),
        left: orders.appends,
        well: true,
    };
    let mut failed = 0;
    while victim.left > 0 && failed < OPENINGS_MAX {
        let opened = match orders.store.exists() {
            true => try_open(&orders.store),
            // Making a store opens it with large sizes; it is opened again for the work.
            false => create_with(&orders.store, &orders.engine)
                .and_then(Store::close)
                .and_then(|()| try_open(&orders.store)),
        };
        match opened {
            Ok(store) => match victim.session(store) {
                true => failed = 0,
                false => failed += 1,
            },
            Err(error) => {
                failed += 1;
                victim.refused(&format!("opening: {error}"));
                std::thread::sleep(REOPEN_AFTER);
            }
        }
    }
    victim.left == 0
}

impl Victim<'_> {
    fn note(&mut self, note: &Note) {
        let now = self.witness.now();
        self.witness.note(now, note);
    }

    fn refused(&mut self, what: &str) {
        let what = what.to_owned();
        self.note(&Note::Refused { what });
    }

    fn wrong(&mut self, what: String) {
        self.note(&Note::Wrong { what });
    }

    /// Appends until it is time to close the store, or until something fails: then it says `false`.
    fn session(&mut self, store: Store) -> bool {
        let end = store.end();
        self.note(&Note::Served { end });
        let Some(mut next) = following(end) else {
            self.wrong(format!("the log ends at {end}, within an append"));
            self.left = 0;
            return false;
        };
        let last = next + self.left.min(self.orders.close_every);
        let mut pending = VecDeque::new();
        self.well = true;
        while self.well && (next < last || !pending.is_empty()) {
            while next < last && pending.len() < self.orders.window {
                submit(&store, next, &mut pending);
                next += 1;
            }
            if let Some((asked, answer)) = pending.pop_front() {
                self.answered(&store, asked, answer);
            }
        }
        // What is still on its way may be acknowledged as well.
        for (asked, answer) in pending {
            self.answered(&store, asked, answer);
        }
        if self.left == 0 && !self.orders.close {
            std::process::exit(0);
        }
        if let Err(error) = store.close() {
            self.refused(&format!("closing: {error}"));
            return false;
        }
        self.well
    }

    /// Notes an answer.
    fn answered(&mut self, store: &Store, asked: Asked, answer: Pending) {
        let answer = answer.wait();
        let now = self.witness.now();
        match (asked, answer) {
            (Asked::Append(append), Ok(receipt)) => self.acknowledged(now, append, &receipt),
            (Asked::Again(append), Ok(receipt)) => {
                if receipt.appended > 0 {
                    self.wrong(format!("append {append} was taken twice"));
                }
            }
            (Asked::Intruder(append), Ok(_)) => {
                self.wrong(format!(
                    "conditions that contradict each other were met: {append}"
                ));
            }
            (Asked::Intruder(_), Err(error)) if error.is_conflict() => {}
            (_, Err(error)) if error.is_conflict() => {
                // What follows an append that failed is refused.
                if self.well {
                    self.wrong(format!("an append that is in order was refused: {error}"));
                }
            }
            (_, Err(error)) => {
                self.well = false;
                self.refused(&format!("after {}: {error}", store.end()));
            }
        }
    }

    fn acknowledged(&mut self, now: u64, append: usize, receipt: &Receipt) {
        let facts = facts(append);
        let (Some(first), Some(recorded_at)) = (receipt.first, receipt.recorded_at) else {
            return self.wrong(format!("append {append} has no first position"));
        };
        if receipt.appended != facts.len() || first != before(append).next() {
            self.wrong(format!("append {append} was answered {receipt:?}"));
        }
        let events = facts
            .into_iter()
            .zip(first.0..)
            .map(|(fact, number)| Event {
                position: Position(number),
                recorded_at,
                fact,
            });
        let digest = digest(&events.collect::<Vec<_>>());
        self.witness
            .note(now, &Note::Acknowledged { append, digest });
        self.left -= 1;
    }
}

fn submit(store: &Store, append: usize, pending: &mut VecDeque<(Asked, Pending)>) {
    let answer = store.submit(facts(append), conditions(append), Known::Refuse);
    pending.push_back((Asked::Append(append), answer));
    if append % 7 == 3 {
        // What is known is answered as such under any conditions; what is not must be refused.
        let (_, never) = intruder(append);
        let answer = store.submit(facts(append), never, Known::Refuse);
        pending.push_back((Asked::Again(append), answer));
    }
    if append % 3 == 1 {
        let (facts, conditions) = intruder(append);
        let answer = store.submit(facts, conditions, Known::Refuse);
        pending.push_back((Asked::Intruder(append), answer));
    }
}
