//! Durable appends by several contenders in turns: A, B, A, B, on the same disk in the same run.

use crate::contender::{self, Entry};
use crate::data::facts::DataFacts;
use crate::data::read::Feed;
use crate::fault::Outcome;
use crate::load::{self, Load, Tally};
use crate::machine;
use crate::report::{Site, table};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Who is the measure of the others.
const MEASURE: &str = "raw";

/// How many events all clients together have in hand at most when a round begins; decoded, they take about
/// two kilobytes each. A round that has used them up ends early.
const IN_HAND_EVENTS_MAX: usize = 800_000;

/// Compare contenders at durable appends.
///
/// They take turns, and each goes on in its own files. A round ends when the contender is closed, its
/// index caught up. `raw` is the measure of the others.
#[derive(clap::Args)]
pub struct Compare {
    #[command(flatten)]
    site: Site,
    /// Who takes part.
    #[arg(long, value_delimiter = ',', default_value = "raw,sled,journal")]
    contenders: Vec<String>,
    /// How many clients append at the same time.
    #[arg(long, default_value_t = 64)]
    writers: usize,
    /// How many events an append has.
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// How long a round is, in seconds.
    #[arg(long, default_value_t = 15.0)]
    seconds: f64,
    /// How many rounds each has.
    #[arg(long, default_value_t = 4)]
    rounds: usize,
    /// One round of two seconds each, to see that it works.
    #[arg(long)]
    quick: bool,
}

/// A contender in a run.
struct Runner {
    entry: Entry,
    path: PathBuf,
    feed: Feed,
    rounds: Vec<f64>,
    total: Tally,
}

impl Compare {
    /// Runs the rounds, prints the table and keeps the result.
    pub fn run(self) -> Outcome<()> {
        let data = DataFacts::read(&self.site.data)?;
        let (seconds, rounds) = match self.quick {
            true => (2.0, 1),
            false => (self.seconds, self.rounds),
        };
        let load = Load {
            writers: self.writers,
            batch: self.batch,
            time: Duration::from_secs_f64(seconds),
            id_mask: 0,
        };
        let mut runners = self.runners()?;
        for number in 1..=rounds {
            for runner in &mut runners {
                // What the one before left to be written must not be written in this one's time.
                rustix::fs::sync();
                let hands = load::hands(&runner.feed, load, IN_HAND_EVENTS_MAX)?;
                let open = (runner.entry.open)(runner.entry.name, &runner.path)?;
                let (end, total) = (open.end(), runner.total.events);
                if runner.entry.keeps && end != total {
                    let name = runner.entry.name;
                    return Err(format!("{name} has {end} events of {total}").into());
                }
                let tally = load::round(open, hands, load)
                    .map_err(|error| format!("{}: {error}", runner.entry.name))?;
                let (name, rate) = (runner.entry.name, tally.rate());
                eprintln!("round {number} of {rounds}: {name} {rate:.0} events/s");
                runner.rounds.push(rate);
                runner.total.after(tally);
            }
        }
        println!(
            "{} clients, {} events an append, {rounds} rounds of {seconds} s each in turn",
            load.writers, load.batch
        );
        println!("every client has its events in hand, decoded, before the clock starts");
        let results = print(&mut runners)?;
        let result = json!({
            "writers": load.writers,
            "batch": load.batch,
            "round_seconds": seconds,
            "rounds": rounds,
            "contenders": results,
        });
        self.site.keep("compare", &data, result)
    }

    fn runners(&self) -> Outcome<Vec<Runner>> {
        let mut runners = Vec::new();
        for name in &self.contenders {
            let entry = contender::named(name)?;
            let path = self.site.directory.join(entry.name);
            if path.exists() {
                return Err(format!("{} is in the way", path.display()).into());
            }
            runners.push(Runner {
                entry,
                path,
                feed: Feed::circular(&self.site.data)?,
                rounds: Vec::new(),
                total: Tally::default(),
            });
        }
        fs::create_dir_all(&self.site.directory)?;
        Ok(runners)
    }
}

/// Prints the table with what is unequal, and gives the same for the file of results.
fn print(runners: &mut [Runner]) -> Outcome<Vec<Value>> {
    let measure = runners.iter().find(|r| r.entry.name == MEASURE);
    let measure = measure.map(|runner| (runner.total.rate(), runner.rounds.clone()));
    let mut shown = table(&[
        "contender",
        "events/s",
        "MB/s",
        "of raw",
        "by round",
        "p50 ms",
        "p99 ms",
        "conflicts",
        "disk B/event",
        "seconds",
    ]);
    let mut results = Vec::new();
    for runner in runners.iter_mut() {
        let rate = runner.total.rate();
        let of_raw = measure.as_ref().map(|(raw, _)| rate / raw);
        let by_round: Vec<f64> = (measure.iter())
            .flat_map(|(_, raws)| raws.iter().zip(&runner.rounds))
            .map(|(raw, own)| own / raw)
            .collect();
        let (p50, p99) = (
            runner.total.wait_millis(0.50),
            runner.total.wait_millis(0.99),
        );
        let total = &runner.total;
        let disk = machine::disk_bytes(&runner.path)? as f64 / total.events as f64;
        shown.add_row([
            runner.entry.name.to_owned(),
            format!("{rate:.0}"),
            format!("{:.1}", total.bytes as f64 / 1e6 / total.time.as_secs_f64()),
            of_raw.map_or_else(String::new, |ratio| format!("{:.1} %", ratio * 100.0)),
            spread(&by_round),
            format!("{p50:.2}"),
            format!("{p99:.2}"),
            total.conflicts.to_string(),
            format!("{disk:.0}"),
            format!("{:.1}", total.time.as_secs_f64()),
        ]);
        results.push(json!({
            "name": runner.entry.name,
            "events": total.events,
            "bytes": total.bytes,
            "seconds": total.time.as_secs_f64(),
            "events_per_second": rate,
            "of_raw": of_raw,
            "of_raw_by_round": by_round,
            "p50_ms": p50,
            "p99_ms": p99,
            "conflicts": total.conflicts,
            "disk_bytes_per_event": disk,
            "unequal": runner.entry.unequal,
        }));
    }
    println!("{shown}");
    for runner in runners {
        println!("{}: {}", runner.entry.name, runner.entry.unequal);
    }
    Ok(results)
}

/// The smallest and the largest ratio.
fn spread(ratios: &[f64]) -> String {
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    match ratios.len() {
        0 | 1 => String::new(),
        _ => format!("{:.0} to {:.0} %", least * 100.0, most * 100.0),
    }
}
