//! What sealing costs: the same event lines taken in with sealing and without, in turns, and both stores
//! replayed.

use crate::contender::{WallClock, open_store};
use crate::fault::Outcome;
use crate::report::table;
use ledger::event::json::read_fact;
use ledger::id::Position;
use ledger::secret::{Keyring, Pepper, Pseudonym, PublicKeyring, SealingKey};
use ledger::store::{Known, NewStore, Store};
use ledger::time::Clock;
use projections::{Histories, Point};
use replay::audit::audit;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How many events an append has, as in an import.
const BATCH_EVENTS: usize = 256;

/// How much sealing may cost of the throughput of taking events in, and of replaying them.
const INGEST_MAX_PERCENT: f64 = 20.0;
const REPLAY_MAX_PERCENT: f64 = 2.0;

/// Take the event lines on standard input in with sealing and without, and replay both stores.
///
/// `actl simulate --customers 120 --months 24 | bench seal DIRECTORY`. Taking in is what the second
/// pass of an import does: JSON, fingerprints, sealing, and appends of 256 events that are synced. The
/// keys are there before, as they are in an import. Replaying reads, folds and judges everything, and
/// reveals nothing.
#[derive(clap::Args)]
pub struct Seal {
    /// A directory on the disk that is measured. What is made there is removed.
    directory: PathBuf,
    /// How often each way is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many lines are read at most.
    #[arg(long, default_value_t = 60_000)]
    events: usize,
}

/// Keys as a vault has them, or none.
struct Keys {
    pepper: Pepper,
    keys: Option<BTreeMap<Pseudonym, SealingKey>>,
}

impl Keyring for Keys {
    fn pepper(&self) -> Pepper {
        self.pepper.clone()
    }

    fn sealing_key(&mut self, owner: Pseudonym) -> Option<SealingKey> {
        let keys = self.keys.as_mut()?;
        let made = || PublicKeyring.opening_key(owner);
        if !keys.contains_key(&owner) {
            keys.insert(owner, made()?);
        }
        keys.get(&owner).cloned()
    }

    fn opening_key(&self, _: Pseudonym) -> Option<SealingKey> {
        None
    }
}

impl Seal {
    /// Prints both rates of both ways and their ratios.
    pub fn run(self) -> Outcome<()> {
        let lines = std::io::stdin().lock().lines().take(self.events);
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        fs::create_dir_all(&self.directory)?;
        let [mut sealed, mut bare] = [true, false].map(|seals| Keys {
            pepper: Pepper::new([7; 32]),
            keys: seals.then(BTreeMap::new),
        });
        // The first time the keys are made, and is not counted.
        let (mut times, mut replays) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for round in 0..=self.rounds {
            for (which, keys) in [&mut sealed, &mut bare].into_iter().enumerate() {
                let path = self.directory.join(["sealed", "bare"][which]);
                drop(fs::remove_dir_all(&path));
                let time = take_in(&lines, keys, &path)?;
                if round > 0 {
                    times[which].push(time);
                }
            }
        }
        for round in 0..=self.rounds {
            for (which, name) in ["sealed", "bare"].into_iter().enumerate() {
                let time = replayed(&self.directory.join(name))?;
                if round > 0 {
                    replays[which].push(time);
                }
            }
        }
        let mut shown = table(&["what", "sealed", "bare", "costs", "may cost"]);
        let mut too_much = false;
        for (name, times, most) in [
            ("taken in, events/s", &mut times, INGEST_MAX_PERCENT),
            ("replayed, events/s", &mut replays, REPLAY_MAX_PERCENT),
        ] {
            let [sealed, bare] = [0, 1].map(|which| lines.len() as f64 / middle(&mut times[which]));
            let costs = (1.0 - sealed / bare) * 100.0;
            too_much |= costs > most;
            shown.add_row([
                name.to_owned(),
                format!("{sealed:.0}"),
                format!("{bare:.0}"),
                format!("{costs:.1} %"),
                format!("{most:.0} %"),
            ]);
        }
        println!("{shown}");
        for name in ["sealed", "bare"] {
            fs::remove_dir_all(self.directory.join(name))?;
        }
        match too_much {
            false => Ok(()),
            true => Err("sealing costs more than it may".into()),
        }
    }
}

/// The median, in seconds: a round that something else ran into does not count.
fn middle(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .map_or(f64::NAN, Duration::as_secs_f64)
}

fn take_in(lines: &[String], keys: &mut Keys, path: &Path) -> Outcome<Duration> {
    let new = NewStore {
        pepper: keys.pepper.id(),
        store_id: [7; 16],
        created_at: WallClock.now(),
        engine: "journal",
    };
    let store = Store::create(path, new, Box::new(WallClock))?;
    let start = Instant::now();
    for lines in lines.chunks(BATCH_EVENTS) {
        let mut facts = Vec::with_capacity(BATCH_EVENTS);
        for line in lines {
            let value: Value = serde_json::from_str(line)?;
            let fact = read_fact(&value, keys);
            facts
                .push(fact.map_err(|error| format!("{}: {}", error.path.join("."), error.reason))?);
        }
        store.append(facts, &[], Known::Skip)?;
    }
    let time = start.elapsed();
    store.close()?;
    Ok(time)
}

fn replayed(path: &Path) -> Outcome<Duration> {
    let store = open_store("journal", path)?;
    let start = Instant::now();
    let events = store.read(Position(0)).collect::<Result<Vec<_>, _>>()?;
    let histories = Histories::gather(events);
    let latest = histories.latest_occurred().ok_or("there are no events")?;
    let report = audit(&histories.at(Point::valid(latest)));
    let time = start.elapsed();
    std::hint::black_box(report);
    store.close()?;
    Ok(time)
}
