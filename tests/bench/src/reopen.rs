//! Opening a store whose writer was killed: when it can be read, when it takes appends, and how fast
//! an index is built of nothing.

use crate::cold::Files;
use crate::contender::{self, WallClock, open_store};
use crate::data::facts::DataFacts;
use crate::data::read::Feed;
use crate::fault::{About, Outcome};
use crate::load::{self, Load, other_id};
use crate::machine;
use crate::report::{Site, mebibytes, table};
use ledger::event::Event;
use ledger::id::Position;
use ledger::store::Known;
use ledger::time::Clock;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Open a store that `ingest` made after its writer was killed, cold.
///
/// A child process appends with 64 clients and is killed; then the store is opened. That is done
/// twice: as it was left, and without its index.
#[derive(clap::Args)]
pub struct Reopen {
    #[command(flatten)]
    site: Site,
    /// The engine.
    #[arg(long, default_value = "journal")]
    engine: String,
    /// For how long the child appends before it is killed, in seconds.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

/// Append until killed; `reopen` starts it.
#[derive(clap::Args)]
pub struct Doomed {
    /// The file of events.
    data: PathBuf,
    /// The store.
    store: PathBuf,
    /// The engine.
    engine: String,
}

impl Doomed {
    /// Appends events of the file under other ids.
    pub fn run(self) -> Outcome<()> {
        let entry = contender::named(&self.engine)?;
        let load = Load {
            writers: 64,
            batch: 1,
            time: Duration::MAX,
            id_mask: fresh_mask(),
        };
        let open = (entry.open)(entry.name, &self.store)?;
        load::stream(open, &Feed::circular(&self.data)?, load)?;
        Err("nobody killed it".into())
    }
}

/// What one opening took.
struct Opened {
    events: u64,
    /// Until `open` returned.
    opened: Duration,
    /// Until the first and the last event were read.
    read: Duration,
    /// Until an append was durable.
    appended: Duration,
    /// Until the store was closed, and so its index complete.
    closed: Duration,
}

impl Reopen {
    /// Kills and opens twice.
    pub fn run(self) -> Outcome<()> {
        let data = DataFacts::read(&self.site.data)?;
        let path = self.site.directory.join(&self.engine);
        self.kill(&path)?;
        let left = self.open(&path)?;
        self.kill(&path)?;
        let index = path.join("index");
        fs::remove_dir_all(&index).about(&index)?;
        let without = self.open(&path)?;
        let rebuilt = without.events as f64 / without.closed.as_secs_f64();
        let peak = machine::peak_memory_bytes()?;

        let mut shown = table(&["seconds from the start of opening", "as left", "no index"]);
        let mut row = |name: &str, of: fn(&Opened) -> Duration| {
            let seconds = |opened| format!("{:.2}", of(opened).as_secs_f64());
            shown.add_row([name.to_owned(), seconds(&left), seconds(&without)]);
        };
        row("opened", |opened| opened.opened);
        row("first and last event read", |opened| opened.read);
        row("an append durable", |opened| opened.appended);
        row("closed, index complete", |opened| opened.closed);
        println!("{} events at the first opening\n{shown}", left.events);
        println!("index built of nothing: {rebuilt:.0} events/s");
        println!("peak memory of both: {} MiB", mebibytes(peak));
        let seconds = |opened: &Opened| {
            json!({
                "events": opened.events,
                "opened": opened.opened.as_secs_f64(),
                "read": opened.read.as_secs_f64(),
                "appended": opened.appended.as_secs_f64(),
                "closed": opened.closed.as_secs_f64(),
            })
        };
        let result = json!({
            "engine": self.engine,
            "as_left_seconds": seconds(&left),
            "without_index_seconds": seconds(&without),
            "rebuilt_events_per_second": rebuilt,
            "peak_memory_bytes": peak,
        });
        self.site.keep("reopen", &data, result)
    }

    /// Has a child append to the store, and kills it.
    fn kill(&self, path: &Path) -> Outcome<()> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("doomed")
            .args([&self.site.data, path])
            .arg(&self.engine)
            .spawn()?;
        // Opening a large store takes time of its own: the kill has to come while it is written.
        let deadline = Instant::now() + Duration::from_secs(600);
        while !is_being_written(path)? {
            if let Some(status) = child.try_wait()? {
                return Err(format!("the child ended before it wrote: {status}").into());
            }
            if Instant::now() > deadline {
                child.kill()?;
                return Err("the child did not come to writing".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_secs_f64(self.seconds));
        child.kill()?;
        match child.wait()?.code() {
            Some(code) => Err(format!("the child ended by itself, with {code}").into()),
            None => Ok(()),
        }
    }

    /// Opens the store cold, uses it and closes it.
    fn open(&self, path: &Path) -> Outcome<Opened> {
        Files::under(path)?.drop_cache()?;
        let block = Feed::once(&self.site.data)?.block()?;
        let stored = block.as_ref().and_then(|block| block.stored().next());
        let mut fact = Event::decode(stored.ok_or("no events")?)?.fact;
        fact.id = other_id(fact.id, fresh_mask());
        let start = Instant::now();
        let store = open_store(&self.engine, path)?;
        let opened = start.elapsed();
        let events = store.end().0;
        for position in [Position(1), store.end()] {
            store.event(position)?.ok_or("an event is missing")?;
        }
        let read = start.elapsed();
        let receipt = store.append(vec![fact], &[], Known::Refuse)?;
        let appended = start.elapsed();
        if receipt.appended != 1 {
            return Err("the append was known".into());
        }
        store.close()?;
        Ok(Opened {
            events,
            opened,
            read,
            appended,
            closed: start.elapsed(),
        })
    }
}

/// A mask for ids that no run used before: the time.
fn fresh_mask() -> u128 {
    WallClock.now().as_micros().unsigned_abs().into()
}

/// Whether the store's manifest says that somebody is writing, who is not done.
fn is_being_written(path: &Path) -> Outcome<bool> {
    let manifest = path.join("manifest");
    let text = fs::read_to_string(&manifest).about(&manifest)?;
    Ok(text.lines().any(|line| line == "open true"))
}
