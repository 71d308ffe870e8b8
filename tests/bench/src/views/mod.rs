//! Stored views: making them of nothing, following the log, and looking at single ones.

mod live;
mod look;
mod seats;

use crate::contender::open_store;
use crate::data::facts::DataFacts;
use crate::fault::{About, Outcome};
use crate::machine;
use crate::report::{Site, mebibytes, table};
use comfy_table::Table;
use ledger::event::Event;
use ledger::id::Position;
use ledger::store::Store;
use ledger::time::Timestamp;
use projections::stored::{Stored, Views};
use projections::{Point, Seen, every::every};
use serde_json::{Map, Value, json};
use std::fs;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

/// How many threads read and fold.
const THREADS: usize = 2;
/// How many events are decoded together, by one thread.
const RANGE: u64 = 100_000;

/// Make the views of a store that `ingest` made, follow a store that grows, and look at single views.
#[derive(clap::Args)]
pub struct ViewsBench {
    #[command(flatten)]
    site: Site,
    /// The engine.
    #[arg(long, default_value = "journal")]
    engine: String,
    /// How many views of ordinary subjects are looked at.
    #[arg(long, default_value_t = 4_000)]
    looks: usize,
    /// How many changes the tenant with many seats has.
    #[arg(long, default_value_t = 1_000_000)]
    seats: u64,
    /// Leave the views of the store as they are, if it has them.
    #[arg(long)]
    keep: bool,
}

/// The figures of a run: a table for people, the same as JSON.
struct Figures {
    table: Table,
    json: Map<String, Value>,
}

impl Figures {
    fn add(&mut self, what: &str, figure: f64, decimals: usize) {
        eprintln!("{what}: {figure:.decimals$}");
        self.table
            .add_row([what.to_owned(), format!("{figure:.decimals$}")]);
        self.json.insert(what.to_owned(), json!(figure));
    }
}

impl ViewsBench {
    /// Prints the figures.
    pub fn run(self) -> Outcome<()> {
        let data = DataFacts::read(&self.site.data)?;
        let path = self.site.directory.join(&self.engine);
        let mut figures = Figures {
            table: table(&["what", "figure"]),
            json: Map::new(),
        };
        let folder = path.join("views");
        if folder.exists() && !self.keep {
            fs::remove_dir_all(&folder).about(&folder)?;
        }
        let store = open_store(&self.engine, &path)?;
        store.wait_for_index(&mut |_, _| {})?;
        figures.add("events", store.end().0 as f64, 0);

        let (decoded, now) = decode(&store)?;
        figures.add("log read and decoded, events/s", decoded, 0);
        let views = Views::open(&store)?;
        let missing = views.lag();
        if missing > 0 {
            let start = Instant::now();
            views.catch_up(&|_, _| {})?;
            let taken_in = missing as f64 / start.elapsed().as_secs_f64();
            views.settle()?;
            let settled = missing as f64 / start.elapsed().as_secs_f64();
            figures.add("views made of nothing, events/s", taken_in, 0);
            figures.add("of log read and decoded", taken_in / decoded, 3);
            figures.add("and runs written and merged, events/s", settled, 0);
            let peak = machine::peak_memory_bytes()?;
            figures.add("peak memory until then, MiB", peak as f64 / 1048576.0, 1);
        }
        let disk = machine::disk_bytes(&folder)? as f64 / store.end().0 as f64;
        figures.add("disk, B/event", disk, 1);

        let (folded, subjects) = fold(&views.source(), now)?;
        figures.add("subjects with a view", subjects as f64, 0);
        figures.add(
            "all of them folded from what is stored, events/s",
            store.end().0 as f64 / folded,
            0,
        );
        look::run(&store, &views, &data.histories, self.looks, &mut figures)?;
        views.close()?;
        drop(views);
        store.close()?;

        live::run(&self.site, &mut figures)?;
        seats::run(&self.site, self.seats, &mut figures)?;
        let peak = machine::peak_memory_bytes()?;
        figures.add("peak memory, MiB", peak as f64 / 1048576.0, 1);
        println!("{}", figures.table);
        println!("peak memory {} MiB", mebibytes(peak));
        self.site.keep("views", &data, Value::Object(figures.json))
    }
}

/// Events a second, read and decoded by as many threads, with nothing made of them: the measure. And the point
/// from which all of them are seen.
fn decode(store: &Store) -> Outcome<(f64, Point)> {
    let end = store.end().0;
    let next = AtomicU64::new(0);
    let start = Instant::now();
    let latest = AtomicI64::new(i64::MIN);
    let work = || -> Result<u64, String> {
        let mut events = 0;
        loop {
            let after = next.fetch_add(RANGE, Ordering::Relaxed);
            if after >= end {
                return Ok(events);
            }
            let until = Position((after + RANGE).min(end));
            for event in store.read_between(Position(after), until) {
                let event: Event = event.map_err(|error| error.to_string())?;
                events += u64::from(event.position > Position(0));
                latest.fetch_max(event.occurred_at.start.as_micros(), Ordering::Relaxed);
            }
        }
    };
    let events = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let all = threads.into_iter();
        let all = all.map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?);
        all.sum::<Result<u64, String>>()
    })?;
    if events != end {
        return Err(format!("{events} of {end} events were read").into());
    }
    let rate = end as f64 / start.elapsed().as_secs_f64();
    let now = Point {
        as_of: store.end(),
        valid_at: Timestamp::from_micros(latest.into_inner()),
    };
    Ok((rate, now))
}

/// How long it takes to make the typed view of every subject of every projection at the end of the log, links
/// and all, in seconds, and how many there are. None is left out, and none is kept.
fn fold(source: &Stored, now: Point) -> Outcome<(f64, u64)> {
    let seen = Seen::new(source, now);
    let start = Instant::now();
    let shown = every(&seen, THREADS, |shown: &mut u64, _, _| *shown += 1);
    let shown = shown.map_err(|error| error.to_string())?;
    Ok((start.elapsed().as_secs_f64(), shown.iter().sum()))
}

/// The point of the last event, in a store whose events came in the order in which they happened.
fn now(store: &Store) -> Outcome<Point> {
    let last = store.event(store.end())?.ok_or("the store is empty")?;
    Ok(Point {
        as_of: store.end(),
        valid_at: last.occurred_at.start,
    })
}
