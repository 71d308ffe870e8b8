//! The clients: threads that append events of a feed, each waiting for its answer before the next.

use crate::contender::{Append, Contender, Guard, Verdict};
use crate::data::read::{Block, Feed};
use crate::fault::Outcome;
use ledger::event::{Event, Fact};
use ledger::id::EventId;
use ledger::subject::{Subject, SubjectKind};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

/// What clients do.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many clients there are.
    pub writers: usize,
    /// How many events an append has.
    pub batch: usize,
    /// How long they go on.
    pub time: Duration,
    /// What ids are combined with by exclusive or, so that a store that has the events takes them again
    /// as other ones; 0 leaves them as they are.
    pub id_mask: u128,
}

/// What they did.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Events that are durable.
    pub events: u64,
    /// Their stored length, in bytes.
    pub bytes: u64,
    /// Appends that were refused because a subject had changed, and made again.
    pub conflicts: u64,
    /// From the first append until the contender was closed.
    pub time: Duration,
    /// How long each append took, in microseconds.
    pub waits_micros: Vec<u32>,
}

impl Tally {
    /// Adds an append.
    fn note(&mut self, stored: &[&[u8]], wait: Duration) {
        self.waits_micros.push(wait.as_micros() as u32);
        self.events += stored.len() as u64;
        self.bytes += stored.iter().map(|e| e.len() as u64).sum::<u64>();
    }

    /// Adds what was done by somebody else at the same time.
    fn beside(&mut self, other: Self) {
        self.events += other.events;
        self.bytes += other.bytes;
        self.conflicts += other.conflicts;
        self.waits_micros.extend(other.waits_micros);
    }

    /// Adds what was done in a later round.
    pub fn after(&mut self, other: Self) {
        self.time += other.time;
        self.beside(other);
    }

    /// Events a second.
    pub fn rate(&self) -> f64 {
        self.events as f64 / self.time.as_secs_f64()
    }

    /// The wait that a part of all appends stayed under, in milliseconds; sorts the waits.
    pub fn wait_millis(&mut self, part: f64) -> f64 {
        self.waits_micros.sort_unstable();
        let at = (self.waits_micros.len() as f64 * part) as usize;
        let at = at.min(self.waits_micros.len().saturating_sub(1));
        self.waits_micros.get(at).copied().unwrap_or(0) as f64 / 1e3
    }
}

/// Appends that a client has in hand before the clock starts: whoever appends has facts, not the bytes
/// of a file, and what it takes to get them is the client's own.
pub struct Hand {
    blocks: Vec<Block>,
    appends: Vec<(Vec<Fact>, Wish)>,
}

/// The guard of an append without the end that its client knows when it asks.
#[derive(Clone)]
struct Wish {
    unchanged: Subject,
    absent: Subject,
}

/// Takes from the feed what all clients append in a round, at most so many events together. Each client
/// has a stretch of its own, so that two rarely meet on a subject.
pub fn hands(feed: &Feed, load: Load, events_max: usize) -> Outcome<Vec<Hand>> {
    let each = (events_max / load.writers).max(load.batch);
    (0..load.writers)
        .map(|_| Hand::draw(feed, load, each))
        .collect()
}

impl Hand {
    fn draw(feed: &Feed, load: Load, events_max: usize) -> Outcome<Self> {
        let mut hand = Self {
            blocks: Vec::new(),
            appends: Vec::new(),
        };
        let mut events = 0;
        while events < events_max {
            let Some(block) = feed.block()? else { break };
            let stored: Vec<&[u8]> = block.stored().collect();
            let id_mask = mask(load, &block);
            for chunk in stored.chunks(load.batch) {
                let facts = facts(chunk, id_mask)?;
                let wish = Wish::of(&facts)?;
                hand.appends.push((facts, wish));
            }
            events += stored.len();
            drop(stored);
            hand.blocks.push(block);
        }
        Ok(hand)
    }

    /// Appends one after the other until the time is over or nothing is left.
    fn play(self, contender: &dyn Contender, load: Load, start: Instant) -> Outcome<Tally> {
        let mut tally = Tally::default();
        let mut appends = self.appends.into_iter();
        for block in &self.blocks {
            let all: Vec<&[u8]> = block.stored().collect();
            for stored in all.chunks(load.batch) {
                let Some((mut in_hand, wish)) = appends.next() else {
                    return Ok(tally);
                };
                let begun = start.elapsed();
                if begun >= load.time {
                    return Ok(tally);
                }
                loop {
                    let append = Append {
                        facts: in_hand,
                        stored,
                        guard: wish.clone().since(contender.end()),
                    };
                    if contender.append(append)? == Verdict::Appended {
                        break;
                    }
                    tally.conflicts += 1;
                    in_hand = facts(stored, mask(load, block))?;
                }
                tally.note(stored, start.elapsed() - begun);
            }
        }
        Ok(tally)
    }
}

/// One round: the clients work for the load's time or until their hands are empty, then the contender is
/// closed, and only then the clock stops.
pub fn round(contender: Box<dyn Contender>, hands: Vec<Hand>, load: Load) -> Outcome<Tally> {
    let start = Instant::now();
    let tally = std::thread::scope(|scope| {
        let play = |hand: Hand| {
            let contender = &*contender;
            scope.spawn(move || hand.play(contender, load, start))
        };
        let clients: Vec<_> = hands.into_iter().map(play).collect();
        joined(clients)
    })?;
    ended(contender, tally, start)
}

/// One round in which the clients read and decode as they go: in little memory, however many events there
/// are.
pub fn stream(contender: Box<dyn Contender>, feed: &Feed, load: Load) -> Outcome<Tally> {
    let start = Instant::now();
    let tally = std::thread::scope(|scope| {
        let clients = (0..load.writers).map(|_| {
            let contender = &*contender;
            scope.spawn(move || client(contender, feed, load, start))
        });
        joined(clients.collect())
    })?;
    ended(contender, tally, start)
}

fn joined(clients: Vec<ScopedJoinHandle<'_, Outcome<Tally>>>) -> Outcome<Tally> {
    let mut total = Tally::default();
    for client in clients {
        let tally = client.join().map_err(|_| "a client panicked")??;
        total.beside(tally);
    }
    Ok(total)
}

fn ended(contender: Box<dyn Contender>, tally: Tally, start: Instant) -> Outcome<Tally> {
    contender.close()?;
    let time = start.elapsed();
    Ok(Tally { time, ..tally })
}

/// Works on one block after the other, so that clients rarely meet on a subject.
fn client(contender: &dyn Contender, feed: &Feed, load: Load, start: Instant) -> Outcome<Tally> {
    let mut tally = Tally::default();
    while let Some(block) = feed.block()? {
        let stored: Vec<&[u8]> = block.stored().collect();
        for events in stored.chunks(load.batch) {
            let begun = start.elapsed();
            if begun >= load.time {
                return Ok(tally);
            }
            loop {
                let facts = facts(events, mask(load, &block))?;
                let guard = Wish::of(&facts)?.since(contender.end());
                let append = Append {
                    facts,
                    stored: events,
                    guard,
                };
                if contender.append(append)? == Verdict::Appended {
                    break;
                }
                tally.conflicts += 1;
            }
            tally.note(events, start.elapsed() - begun);
        }
    }
    Ok(tally)
}

/// The mask of the ids of a block.
fn mask(load: Load, block: &Block) -> u128 {
    load.id_mask ^ (u128::from(block.pass) << PASS_SHIFT)
}

/// Where in a mask the number of the pass goes, away from the times that masks begin as.
const PASS_SHIFT: u32 = 96;

/// The id of an event under a mask.
pub fn other_id(id: EventId, mask: u128) -> EventId {
    EventId((u128::from_be_bytes(id.0) ^ mask).to_be_bytes())
}

/// The events of an append, decoded, as facts under ids of their own.
fn facts(stored: &[&[u8]], id_mask: u128) -> Outcome<Vec<Fact>> {
    let fact = |bytes: &&[u8]| {
        let mut fact = Event::decode(bytes)?.fact;
        fact.id = other_id(fact.id, id_mask);
        Ok(fact)
    };
    stored.iter().map(fact).collect()
}

impl Wish {
    /// The guard is on the most particular subject of the first event (a seat before a tenant), and on a
    /// support case that never is.
    fn of(facts: &[Fact]) -> Outcome<Self> {
        let first = facts.first().ok_or("an append without events")?;
        let absent = Subject::new(SubjectKind::Case, format_args!("none-{}", first.id));
        let unchanged = first.subjects().pop().unwrap_or_else(|| absent.clone());
        Ok(Self { unchanged, absent })
    }

    /// As a client asks that has just looked where the log ends.
    fn since(self, since: u64) -> Guard {
        let Self { unchanged, absent } = self;
        Guard {
            unchanged,
            since,
            absent,
        }
    }
}
