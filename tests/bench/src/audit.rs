//! The audit of a whole log, against plain replay of it: reading, checking and decoding every event, on as
//! many threads, in the same run.

use crate::contender::open_store;
use crate::data::facts::DataFacts;
use crate::fault::Outcome;
use crate::machine;
use crate::report::{Site, mebibytes, table};
use ledger::event::Event;
use ledger::id::Position;
use ledger::store::Store;
use ledger::time::Timestamp;
use projections::Point;
use replay::audit::audit_log;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What the audit is held against: issue 6.
const SECONDS_MAX: f64 = 20.0;
const MEMORY_MAX_BYTES: u64 = 2 << 30;
const EVENTS: f64 = 10_000_000.0;
/// As many threads as the audit has.
const THREADS: usize = 2;
/// So many positions are read in one go.
const RANGE: u64 = 1 << 16;

/// Audit a store that `ingest` made, and replay it without judging anything.
///
/// The files are in the kernel's cache, because the replay comes first. The memory is this process's: what
/// the replay held is far less than what the audit holds.
#[derive(clap::Args)]
pub struct Audit {
    #[command(flatten)]
    site: Site,
    /// The engine.
    #[arg(long, default_value = "journal")]
    engine: String,
}

impl Audit {
    /// Prints times, their ratio, the memory, and what was found.
    pub fn run(self) -> Outcome<()> {
        let data = DataFacts::read(&self.site.data)?;
        let path = self.site.directory.join(&self.engine);
        let store = open_store(&self.engine, &path)?;
        let (replayed, latest) = replay(&store)?;
        let before = machine::peak_memory_bytes()?;
        let start = Instant::now();
        let report = audit_log(&store, Point::valid(latest))?;
        let audited = start.elapsed();
        let peak = machine::peak_memory_bytes()?;
        let events = store.end().0;
        store.close()?;

        let ratio = audited.as_secs_f64() / replayed.as_secs_f64();
        let scaled = audited.as_secs_f64() * EVENTS / events as f64;
        let mut shown = table(&["what", "figure"]);
        let seconds = |time: Duration| format!("{:.2}", time.as_secs_f64());
        shown.add_row(["events".to_owned(), events.to_string()]);
        shown.add_row(["replay s".to_owned(), seconds(replayed)]);
        shown.add_row(["audit s".to_owned(), seconds(audited)]);
        shown.add_row(["audit of replay".to_owned(), format!("{ratio:.2}")]);
        shown.add_row([
            format!("audit s of 10M (at most {SECONDS_MAX})"),
            format!("{scaled:.1}"),
        ]);
        shown.add_row(["peak memory after replay MiB".to_owned(), mebibytes(before)]);
        shown.add_row([
            format!("peak memory MiB (at most {})", mebibytes(MEMORY_MAX_BYTES)),
            mebibytes(peak),
        ]);
        shown.add_row(["findings".to_owned(), report.findings.len().to_string()]);
        shown.add_row(["landings judged".to_owned(), report.judged.to_string()]);
        println!("{shown}");
        let result = json!({
            "engine": self.engine,
            "events": events,
            "replay_seconds": replayed.as_secs_f64(),
            "audit_seconds": audited.as_secs_f64(),
            "audit_of_replay": ratio,
            "audit_seconds_of_10m": scaled,
            "peak_memory_bytes": peak,
            "peak_memory_after_replay_bytes": before,
            "findings": report.findings.len(),
            "judged": report.judged,
        });
        self.site.keep("audit", &data, result)
    }
}

/// Decodes every event, and says how long that took and the latest instant of any.
fn replay(store: &Store) -> Outcome<(Duration, Timestamp)> {
    let start = Instant::now();
    let next = AtomicU64::new(0);
    let end = store.end();
    let work = || -> Result<Option<Timestamp>, String> {
        let mut latest = None;
        loop {
            let after = Position(next.fetch_add(RANGE, Ordering::Relaxed));
            if after >= end {
                return Ok(latest);
            }
            for event in store.read_between(after, Position(after.0 + RANGE)) {
                let event: Event = event.map_err(|error| error.to_string())?;
                latest = latest.max(Some(event.occurred_at.last()));
            }
        }
    };
    let work = &work;
    let latest = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let mut latest = None;
        for thread in threads {
            let its = thread.join().map_err(|_| "a thread panicked".to_owned())?;
            latest = latest.max(its?);
        }
        Ok::<_, String>(latest)
    })?;
    Ok((start.elapsed(), latest.ok_or("there are no events")?))
}
