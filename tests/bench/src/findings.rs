//! Kept findings that follow a log: what an event costs in batches, and how soon a report is there, against an
//! audit of the log in the same run.

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
use projections::stored::Views;
use replay::audit::audit_log;
use replay::audit::kept::{KeptFindings, Sizes};
use serde_json::json;
use std::time::{Duration, Instant};

/// What an event is held against: issue 6.
const MICROS_MAX: f64 = 50.0;

/// Let kept findings follow a store that `ingest` made.
///
/// The log is taken as if it ended at some position, and then went on in batches. The files are in the kernel's
/// cache. The reports are held against an audit of the log.
#[derive(clap::Args)]
pub struct Findings {
    #[command(flatten)]
    site: Site,
    /// The engine.
    #[arg(long, default_value = "journal")]
    engine: String,
    /// Where the log ends, in events. [default: its end]
    #[arg(long)]
    events: Option<u64>,
    /// How many events are in a batch.
    #[arg(long, default_value_t = 256)]
    batch: u64,
    /// How many batches follow.
    #[arg(long, default_value_t = 100)]
    batches: u64,
}

impl Findings {
    /// Prints what was measured.
    pub fn run(self) -> Outcome<()> {
        let data = DataFacts::read(&self.site.data)?;
        let path = self.site.directory.join(&self.engine);
        let store = open_store(&self.engine, &path)?;
        let end = self.events.unwrap_or(u64::MAX).min(store.end().0);
        let views = Views::open(&store)?;
        let (views_caught_up, _) = timed(|| Ok(views.catch_up(&|_, _| {})?))?;
        views.settle()?;
        let latest = latest(&store, Position(end))?;
        let sizes = Sizes::default();
        let kept = KeptFindings::open_with(&store, sizes)?;
        let first = end.saturating_sub(self.batch * self.batches);
        let before = kept.end()?.0;
        let source = views.source();
        let to = |position: u64| source.until(Position(position));
        let (made, _) = timed(|| Ok(kept.catch_up(&to(first), latest, &progress)?))?;
        let (settled, _) = timed(|| Ok(kept.settle()?))?;
        let (answered_first, _) = timed(|| Ok(kept.report(&to(first), latest)?))?;
        let mut took: Vec<Duration> = Vec::new();
        let busy = machine::processor_time()?;
        let mut at = first.max(before);
        while at < end {
            let next = (at + self.batch).min(end);
            let (batch, _) = timed(|| Ok(kept.catch_up(&to(next), latest, &|_, _| {})?))?;
            took.push(batch);
            at = next;
        }
        let busy = machine::processor_time()?.saturating_sub(busy);
        kept.close()?;
        drop(kept);
        let (answered, report) = timed(|| {
            let kept = KeptFindings::open_with(&store, sizes)?;
            let report = kept.report(&to(end), latest)?;
            Ok(report.ok_or("the findings are ahead of the time that is asked for")?)
        })?;
        let point = Point {
            as_of: Position(end),
            valid_at: latest,
        };
        let (replayed, whole) = timed(|| Ok(audit_log(&store, point)?))?;
        if format!("{report:?}") != format!("{whole:?}") {
            return Err("the kept findings are not those of a replay".into());
        }
        let peak = machine::peak_memory_bytes()?;
        views.close()?;
        store.close()?;

        took.sort_unstable();
        let total: Duration = took.iter().sum();
        let events = (end - first.max(before)) as f64;
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        let of_batch = |share: usize| {
            let place = (took.len().saturating_sub(1)) * share / 100;
            took.get(place)
                .map_or(0.0, |time| micros(*time) / self.batch as f64)
        };
        let made_events = first.saturating_sub(before);
        let made_micros = micros(made) / made_events.max(1) as f64;
        let mut shown = table(&["what", "figure"]);
        let mut row = |what: &str, figure: String| {
            shown.add_row([what.to_owned(), figure]);
        };
        row("events", end.to_string());
        row(
            "views took in the log s",
            format!("{:.2}", views_caught_up.as_secs_f64()),
        );
        row(
            "made at once, µs an event",
            format!("{made_micros:.1} of {made_events}"),
        );
        row(
            "written and merged s",
            format!("{:.2}", settled.as_secs_f64()),
        );
        row(
            &format!(
                "in batches of {}, µs an event (at most {MICROS_MAX})",
                self.batch
            ),
            format!("{:.1}", micros(total) / events),
        );
        row(
            "the same, of the processor",
            format!("{:.1}", micros(busy) / events),
        );
        row(
            "the same, median and 95 % batch",
            format!("{:.1} {:.1}", of_batch(50), of_batch(95)),
        );
        row(
            "a report, opened already, ms",
            format!("{:.1}", micros(answered_first) / 1e3),
        );
        row(
            "opened and answered ms",
            format!("{:.1}", micros(answered) / 1e3),
        );
        row(
            "audit of the log ms",
            format!("{:.0}", micros(replayed) / 1e3),
        );
        row("peak memory MiB", mebibytes(peak));
        row("findings", whole.findings.len().to_string());
        row("landings judged", whole.judged.to_string());
        println!("{shown}");
        let result = json!({
            "engine": self.engine,
            "events": end,
            "batch": self.batch,
            "made_micros_an_event": made_micros,
            "micros_an_event": micros(total) / events,
            "processor_micros_an_event": micros(busy) / events,
            "median_micros_an_event": of_batch(50),
            "answered_ms": micros(answered) / 1e3,
            "audit_ms": micros(replayed) / 1e3,
            "peak_memory_bytes": peak,
            "findings": whole.findings.len(),
        });
        self.site.keep("findings", &data, result)
    }
}

fn progress(done: Position, of: Position) {
    eprint!("\r{done} of {of} ");
}

fn timed<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(Duration, T)> {
    let start = Instant::now();
    let done = work()?;
    Ok((start.elapsed(), done))
}

/// The latest instant of any event.
fn latest(store: &Store, end: Position) -> Outcome<Timestamp> {
    let mut latest = None;
    for event in store.read_between(Position(0), end) {
        let event: Event = event?;
        latest = latest.max(Some(event.occurred_at.last()));
    }
    Ok(latest.ok_or("there are no events")?)
}
