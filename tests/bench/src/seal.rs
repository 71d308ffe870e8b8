//! What sealing costs: the same event lines taken in with their personal data sealed, in clear, and left
//! out, in turns, and all three stores replayed.

use crate::contender::{WallClock, open_store};
use crate::fault::Outcome;
use crate::report::table;
use ledger::event::Fact;
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

/// Take the event lines on standard input in sealed, in clear and without personal data, and replay them.
///
/// `actl simulate --customers 70 --months 24 | bench seal DIRECTORY`. Taking in is what the second
/// pass of an import does: JSON, fingerprints, sealing, and appends of 256 events that are synced. The
/// keys are there before, as they are in an import. Replaying reads, folds and judges everything, and
/// reveals nothing. What sealing may cost is against a store that keeps the same texts in clear; what
/// it costs to keep them at all is the difference to one that leaves them out.
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
        if let Some(key) = keys.get(&owner) {
            return Some(key.clone());
        }
        let key = PublicKeyring.opening_key(owner)?;
        keys.insert(owner, key.clone());
        Some(key)
    }

    fn opening_key(&self, owner: Pseudonym) -> Option<SealingKey> {
        self.keys.as_ref()?.get(&owner).cloned()
    }
}

/// The ways in which personal data is kept.
const WAYS: [&str; 3] = ["sealed", "in clear", "left out"];

impl Seal {
    /// Prints the rates of all ways and their ratios.
    pub fn run(self) -> Outcome<()> {
        let lines = std::io::stdin().lock().lines().take(self.events);
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        fs::create_dir_all(&self.directory)?;
        let mut rings = [true, false, false].map(|seals| Keys {
            pepper: Pepper::new([7; 32]),
            keys: seals.then(BTreeMap::new),
        });
        // The keys are made here, and the texts for the store in clear are those that were sealed.
        let texts = texts(&lines, &mut rings[0])?;
        let none = vec![Vec::new(); lines.len()];
        let mut times = WAYS.map(|_| Vec::new());
        let mut reads = WAYS.map(|_| Vec::new());
        let mut replays = WAYS.map(|_| Vec::new());
        for _ in 0..self.rounds {
            for (way, keys) in rings.iter_mut().enumerate() {
                let path = self.directory.join(WAYS[way]);
                drop(fs::remove_dir_all(&path));
                let texts = if way == 1 { &texts } else { &none };
                let (whole, reading) = take_in(&lines, texts, keys, &path)?;
                times[way].push(whole);
                reads[way].push(reading);
            }
        }
        for _ in 0..self.rounds {
            for (way, name) in WAYS.iter().enumerate() {
                replays[way].push(replayed(&self.directory.join(name))?);
            }
        }
        let values: usize = texts.iter().map(Vec::len).sum();
        let each = values as f64 / lines.len() as f64;
        println!("{} events, {each:.2} sealed values each", lines.len());
        let head = ["events/s", WAYS[0], WAYS[1], WAYS[2], "costs", "may cost"];
        let mut shown = table(&head);
        let mut too_much = false;
        for (name, times, most) in [
            ("taken in", &times, Some(INGEST_MAX_PERCENT)),
            ("of it read and sealed", &reads, None),
            ("replayed", &replays, Some(REPLAY_MAX_PERCENT)),
        ] {
            let rates = [0, 1, 2].map(|way| lines.len() as f64 / best(&times[way]));
            let costs = (1.0 - rates[0] / rates[1]) * 100.0;
            too_much |= most.is_some_and(|most| costs > most);
            let rates = rates.map(|rate| format!("{rate:.0}"));
            let row = [name.to_owned()].into_iter().chain(rates);
            let most = most.map_or_else(String::new, |most| format!("{most:.0} %"));
            shown.add_row(row.chain([format!("{costs:.1} %"), most]));
        }
        println!("{shown}");
        for name in WAYS {
            fs::remove_dir_all(self.directory.join(name))?;
        }
        match too_much {
            false => Ok(()),
            true => Err("sealing costs more than it may".into()),
        }
    }
}

/// What is sealed in each event, in the order of its fields.
fn texts(lines: &[String], keys: &mut Keys) -> Outcome<Vec<Vec<Vec<u8>>>> {
    let texts = lines.iter().map(|line| {
        let fact = read(line, keys)?;
        let opened = fact.open(keys);
        let mut texts = Vec::new();
        fact.each_sealed(|kind, sealed| {
            let mut all = opened.iter();
            let found = all.find(|found| found.owner == sealed.owner && found.kind == kind);
            texts.push(found.map_or_else(Vec::new, |one| one.plaintext.expose().into()));
        });
        Ok(texts)
    });
    texts.collect()
}

fn read(line: &str, keys: &mut Keys) -> Outcome<Fact> {
    let value: Value = serde_json::from_str(line)?;
    let fact = read_fact(&value, keys);
    Ok(fact.map_err(|error| format!("{}: {}", error.path.join("."), error.reason))?)
}

/// The shortest, in seconds: what runs beside a round only ever makes it longer.
fn best(times: &[Duration]) -> f64 {
    times.iter().min().map_or(f64::NAN, Duration::as_secs_f64)
}

fn take_in(
    lines: &[String],
    texts: &[Vec<Vec<u8>>],
    keys: &mut Keys,
    path: &Path,
) -> Outcome<(Duration, Duration)> {
    let new = NewStore {
        pepper: keys.pepper.id(),
        store_id: [7; 16],
        created_at: WallClock.now(),
        engine: "journal",
    };
    let store = Store::create(path, new, Box::new(WallClock))?;
    let start = Instant::now();
    let mut reading = Duration::ZERO;
    for (lines, texts) in lines.chunks(BATCH_EVENTS).zip(texts.chunks(BATCH_EVENTS)) {
        let began = Instant::now();
        let mut facts = Vec::with_capacity(BATCH_EVENTS);
        for (line, texts) in lines.iter().zip(texts) {
            let mut fact = read(line, keys)?;
            let mut texts = texts.iter();
            if texts.len() > 0 {
                fact.visit_sealed(&mut |_, sealed| {
                    sealed.ciphertext = texts.next().cloned().unwrap_or_default();
                });
            }
            facts.push(fact);
        }
        reading += began.elapsed();
        store.append(facts, &[], Known::Skip)?;
    }
    let time = start.elapsed();
    store.close()?;
    Ok((time, reading))
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
