//! The clients: threads that append events of a feed, each waiting for its answer before the next.

use crate::contender::{Append, Contender, Guard, Verdict};
use crate::data::read::Feed;
use crate::fault::Outcome;
use ledger::event::Event;
use ledger::id::EventId;
use ledger::subject::{Subject, SubjectKind};
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

/// One round: the clients work for the load's time, then the contender is closed, and only then the
/// clock stops.
pub fn round(contender: Box<dyn Contender>, feed: &Feed, load: Load) -> Outcome<Tally> {
    let start = Instant::now();
    let mut total = Tally::default();
    std::thread::scope(|scope| -> Outcome<()> {
        let mut clients = Vec::new();
        for _ in 0..load.writers {
            clients.push(scope.spawn(|| client(&*contender, feed, load, start)));
        }
        for client in clients {
            let tally = client.join().map_err(|_| "a client panicked")??;
            total.beside(tally);
        }
        Ok(())
    })?;
    contender.close()?;
    total.time = start.elapsed();
    Ok(total)
}

/// Works on one block after the other, so that clients rarely meet on a subject.
fn client(contender: &dyn Contender, feed: &Feed, load: Load, start: Instant) -> Outcome<Tally> {
    let mut tally = Tally::default();
    while let Some(block) = feed.block()? {
        let stored: Vec<&[u8]> = block.stored().collect();
        let id_mask = load.id_mask ^ (u128::from(block.pass) << PASS_SHIFT);
        for events in stored.chunks(load.batch) {
            let begun = start.elapsed();
            if begun >= load.time {
                return Ok(tally);
            }
            while contender.append(append(events, contender.end(), id_mask)?)? == Verdict::Conflict
            {
                tally.conflicts += 1;
            }
            let wait = start.elapsed() - begun;
            tally.waits_micros.push(wait.as_micros() as u32);
            tally.events += events.len() as u64;
            tally.bytes += events.iter().map(|e| e.len() as u64).sum::<u64>();
        }
    }
    Ok(tally)
}

/// Where in a mask the number of the pass goes, away from the times that masks begin as.
const PASS_SHIFT: u32 = 96;

/// How many blocks [`making_nanos`] takes.
const MAKING_BLOCKS: usize = 40;

/// How long a client works to make its appends, by event, in nanoseconds: decoding, and naming the
/// subject of the guard. On a machine with few cores it takes that much from every contender. The
/// quickest block counts, because others may be at work.
pub fn making_nanos(feed: &Feed, load: Load) -> Outcome<f64> {
    let mut quickest = f64::INFINITY;
    for _ in 0..MAKING_BLOCKS {
        let Some(block) = feed.block()? else { break };
        let stored: Vec<&[u8]> = block.stored().collect();
        let start = Instant::now();
        for chunk in stored.chunks(load.batch) {
            append(chunk, 0, load.id_mask)?;
        }
        let nanos = start.elapsed().as_nanos() as f64;
        quickest = quickest.min(nanos / stored.len() as f64);
    }
    Ok(quickest)
}

/// The id of an event under a mask.
pub fn other_id(id: EventId, mask: u128) -> EventId {
    EventId((u128::from_be_bytes(id.0) ^ mask).to_be_bytes())
}

/// An append of events as a client makes it who has just looked where the log ends.
///
/// The guard is on the most particular subject of the first event (a seat before a tenant), and on a
/// support case that never is.
fn append<'a>(stored: &'a [&'a [u8]], end: u64, id_mask: u128) -> Outcome<Append<'a>> {
    let mut facts = Vec::with_capacity(stored.len());
    for bytes in stored {
        let mut fact = Event::decode(bytes)?.fact;
        fact.id = other_id(fact.id, id_mask);
        facts.push(fact);
    }
    let first = facts.first().ok_or("an append without events")?;
    let absent = Subject::new(SubjectKind::Case, format_args!("none-{}", first.id));
    let unchanged = first.subjects().pop().unwrap_or_else(|| absent.clone());
    Ok(Append {
        guard: Guard {
            unchanged,
            since: end,
            absent,
        },
        facts,
        stored,
    })
}
