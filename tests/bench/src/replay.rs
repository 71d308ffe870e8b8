//! Replay: every event of a store, decoded and checked, against a loop over the same frames in
//! memory that does nothing but decompress, hash and decode.

use crate::contender::open_store;
use crate::data::facts::DataFacts;
use crate::fault::Outcome;
use crate::machine;
use crate::report::{Site, mebibytes, table};
use ledger::event::Event;
use ledger::id::Position;
use ledger::log::{Engine, Frame, Opening};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

/// How many windows of the log are compared; they are spread over it.
const WINDOWS: u64 = 8;

/// Replay a store that `ingest` made.
///
/// First all of it, for the memory that it takes. Then windows of it in turns: as the store reads
/// them, and as a loop over the same frames in memory. The files are in the kernel's cache.
#[derive(clap::Args)]
pub struct Replay {
    #[command(flatten)]
    site: Site,
    /// The engine.
    #[arg(long, default_value = "journal")]
    engine: String,
    /// How many events a window has.
    #[arg(long, default_value_t = 200_000)]
    window: u64,
    /// How often each window is read in each way.
    #[arg(long, default_value_t = 4)]
    rounds: usize,
}

impl Replay {
    /// Prints rates, their ratio and the memory.
    pub fn run(self) -> Outcome<()> {
        let data = DataFacts::read(&self.site.data)?;
        let path = self.site.directory.join(&self.engine);
        let (end, whole) = replay_all(&self.engine, &path)?;
        let peak = machine::peak_memory_bytes()?;
        let whole_rate = end as f64 / whole.as_secs_f64();

        let window = self.window.min(end / WINDOWS);
        let mut frames = Vec::new();
        {
            let engine = Engine::named(&self.engine).ok_or("there is no such engine")?;
            let log = (engine.open)(&path.join("log"), Opening::clean())?.log;
            for number in 0..WINDOWS {
                let mut held = Vec::new();
                let mut next = Position((end - window) * number / (WINDOWS - 1).max(1) + 1);
                let last = next.0 + window - 1;
                while next.0 <= last {
                    let frame = log.frame(next)?.ok_or("a frame is missing")?;
                    held.push(frame.bytes().to_vec());
                    next = frame.last().next();
                }
                frames.push(held);
            }
        }
        let store = open_store(&self.engine, &path)?;
        let (mut read, mut looped) = (Pass::default(), Pass::default());
        for _ in 0..self.rounds {
            for held in &frames {
                let (first, last) = bounds(held)?;
                // `Frame::read` takes its bytes: they are copied before the clock runs.
                let copies = held.clone();
                looped.add(in_memory(copies)?);
                let start = Instant::now();
                let mut count = 0;
                for event in store.read(Position(first.0 - 1)) {
                    let event = event?;
                    count += 1;
                    if event.position == last {
                        break;
                    }
                }
                read.add((count, start.elapsed()));
            }
        }
        store.close()?;
        if read.events != looped.events {
            return Err("the two ways did not read the same events".into());
        }
        let ratio = read.rate() / looped.rate();
        let mut shown = table(&["what", "figure"]);
        shown.add_row(["all events/s".to_owned(), format!("{whole_rate:.0}")]);
        shown.add_row(["peak memory MiB".to_owned(), mebibytes(peak)]);
        shown.add_row([
            "windows, store events/s".to_owned(),
            format!("{:.0}", read.rate()),
        ]);
        shown.add_row([
            "windows, loop events/s".to_owned(),
            format!("{:.0}", looped.rate()),
        ]);
        shown.add_row([
            "store of loop".to_owned(),
            format!("{:.1} %", ratio * 100.0),
        ]);
        println!("{shown}");
        let result = json!({
            "engine": self.engine,
            "events": end,
            "all_events_per_second": whole_rate,
            "peak_memory_bytes": peak,
            "windows": WINDOWS,
            "window_events": window,
            "rounds": self.rounds,
            "store_events_per_second": read.rate(),
            "loop_events_per_second": looped.rate(),
            "store_of_loop": ratio,
        });
        self.site.keep("replay", &data, result)
    }
}

#[derive(Default)]
struct Pass {
    events: u64,
    time: Duration,
}

impl Pass {
    fn add(&mut self, (events, time): (u64, Duration)) {
        self.events += events;
        self.time += time;
    }

    fn rate(&self) -> f64 {
        self.events as f64 / self.time.as_secs_f64()
    }
}

/// Reads a whole store. Returns its end and how long that took.
fn replay_all(engine: &str, path: &Path) -> Outcome<(u64, Duration)> {
    let store = open_store(engine, path)?;
    let start = Instant::now();
    let mut expected = Position(0);
    for event in store.read(Position(0)) {
        expected = expected.next();
        if event?.position != expected {
            return Err(format!("the replay does not come to position {expected}").into());
        }
    }
    let time = start.elapsed();
    if expected != store.end() {
        return Err(format!("the replay ends at {expected}").into());
    }
    store.close()?;
    Ok((expected.0, time))
}

/// The first and the last position of frames.
fn bounds(frames: &[Vec<u8>]) -> Outcome<(Position, Position)> {
    let (first, last) = frames.first().zip(frames.last()).ok_or("no frames")?;
    let first = Frame::read(first.clone())?.first();
    Ok((first, Frame::read(last.clone())?.last()))
}

/// Checks, decompresses and decodes frames.
fn in_memory(frames: Vec<Vec<u8>>) -> Outcome<(u64, Duration)> {
    let start = Instant::now();
    let mut count = 0;
    for bytes in frames {
        let frame = Frame::read(bytes)?;
        let mut position = frame.first();
        while let Some(stored) = frame.event(position) {
            let event = Event::decode(stored)?;
            if event.position != position {
                return Err(format!("another event is at position {position}").into());
            }
            position = position.next();
            count += 1;
        }
    }
    Ok((count, start.elapsed()))
}
