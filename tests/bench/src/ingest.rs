//! All events into one store: how fast, with how much memory, and what they take on the disk.

use crate::contender;
use crate::data::facts::DataFacts;
use crate::data::read::{Block, Feed};
use crate::fault::{About, Outcome};
use crate::load::{self, Load};
use crate::machine;
use crate::report::{Site, mebibytes, table};
use ledger::id::Position;
use ledger::log::{Engine, Opening};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many frames are looked at to say how large they are.
const FRAMES_SAMPLED_MAX: u64 = 10_000;

/// Put all events into a new store, in this process of its own, and measure it.
///
/// The store stays at DIRECTORY/ENGINE for `replay`, `reopen` and `history`.
#[derive(clap::Args)]
pub struct Ingest {
    #[command(flatten)]
    site: Site,
    /// The engine.
    #[arg(long, default_value = "journal")]
    engine: String,
    /// How many clients append at the same time.
    #[arg(long, default_value_t = 4)]
    writers: usize,
    /// How many events an append has.
    #[arg(long, default_value_t = 256)]
    batch: usize,
}

impl Ingest {
    /// Appends everything, closes the store, and looks at its files.
    pub fn run(self) -> Outcome<()> {
        let data = DataFacts::read(&self.site.data)?;
        let own = self.own_memory_bytes()?;
        fs::create_dir_all(&self.site.directory).about(&self.site.directory)?;
        let path = self.site.directory.join(&self.engine);
        if path.exists() {
            return Err(format!("{} is in the way", path.display()).into());
        }
        let load = Load {
            writers: self.writers,
            batch: self.batch,
            time: Duration::MAX,
            id_mask: 0,
        };
        let entry = contender::named(&self.engine)?;
        let open = (entry.open)(entry.name, &path)?;
        let tally = load::stream(open, &Feed::once(&self.site.data)?, load)?;
        let peak = machine::peak_memory_bytes()?;
        let parts = parts(&path)?;
        let total: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
        let frames = frames(&self.engine, &path)?;

        let mut shown = table(&["what", "figure"]);
        shown.add_row(["events".to_owned(), tally.events.to_string()]);
        shown.add_row(["subjects".to_owned(), data.subjects.to_string()]);
        shown.add_row(["events/s".to_owned(), format!("{:.0}", tally.rate())]);
        shown.add_row(["conflicts".to_owned(), tally.conflicts.to_string()]);
        shown.add_row(["peak memory MiB".to_owned(), mebibytes(peak)]);
        shown.add_row(["of it the bench's MiB".to_owned(), mebibytes(own)]);
        shown.add_row([
            "bincode B/event".to_owned(),
            format!("{:.1}", tally.bytes as f64 / tally.events as f64),
        ]);
        let mut disk = serde_json::Map::new();
        for (name, bytes) in parts.iter().chain([&("together".to_owned(), total)]) {
            let each = *bytes as f64 / tally.events as f64;
            let ratio = *bytes as f64 / tally.bytes as f64;
            shown.add_row([
                format!("{name} B/event (of bincode)"),
                format!("{each:.1} ({ratio:.3})"),
            ]);
            disk.insert(
                name.clone(),
                json!({ "per_event": each, "of_bincode": ratio }),
            );
        }
        for (name, value) in &frames {
            shown.add_row([name.clone(), value.to_string()]);
        }
        println!("{shown}");
        let result = json!({
            "engine": self.engine,
            "writers": self.writers,
            "batch": self.batch,
            "events": tally.events,
            "events_per_second": tally.rate(),
            "seconds": tally.time.as_secs_f64(),
            "conflicts": tally.conflicts,
            "peak_memory_bytes": peak,
            "own_memory_bytes": own,
            "bincode_bytes": tally.bytes,
            "disk": disk,
            "frames": frames,
        });
        self.site.keep("ingest", &data, result)
    }

    /// The most memory that the clients' own blocks and decoded events take: as many blocks as there
    /// are clients are decoded at the same time, before there is any store.
    fn own_memory_bytes(&self) -> Outcome<u64> {
        let feed = Feed::once(&self.site.data)?;
        let blocks: Outcome<Vec<Option<Block>>> = (0..self.writers).map(|_| feed.block()).collect();
        let blocks = blocks?;
        let decoded: Outcome<Vec<_>> = blocks.iter().flatten().flat_map(Block::events).collect();
        drop(decoded?);
        machine::peak_memory_bytes()
    }
}

/// What each part of a store takes on the disk.
fn parts(path: &Path) -> Outcome<Vec<(String, u64)>> {
    let mut parts: Vec<(String, PathBuf)> = Vec::new();
    for entry in fs::read_dir(path).about(path)? {
        let entry = entry?;
        parts.push((
            entry.file_name().to_string_lossy().into_owned(),
            entry.path(),
        ));
    }
    parts.sort();
    (parts.into_iter())
        .map(|(name, path)| Ok((name, machine::disk_bytes(&path)?)))
        .collect()
}

/// How large the frames are: every so many positions one is looked at.
fn frames(engine: &str, store: &Path) -> Outcome<serde_json::Map<String, Value>> {
    let engine = Engine::named(engine).ok_or("there is no such engine")?;
    let log = (engine.open)(&store.join("log"), Opening::clean())?.log;
    let end = log.end().0;
    let step = (end / FRAMES_SAMPLED_MAX).max(1);
    let (mut sizes, mut counts) = (Vec::new(), Vec::new());
    let mut position = 1;
    while position <= end {
        let frame = log.frame(Position(position))?.ok_or("a frame is missing")?;
        sizes.push(frame.bytes().len());
        counts.push(frame.last().0 - frame.before().0);
        position = (frame.last().0 + 1).max(position + step);
    }
    sizes.sort_unstable();
    counts.sort_unstable();
    let middle = sizes.len() / 2;
    let mut map = serde_json::Map::new();
    map.insert("frame bytes, median".to_owned(), json!(sizes.get(middle)));
    map.insert("frame bytes, most".to_owned(), json!(sizes.last()));
    map.insert("frame events, median".to_owned(), json!(counts.get(middle)));
    map.insert("frame events, most".to_owned(), json!(counts.last()));
    Ok(map)
}
