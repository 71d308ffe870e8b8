//! Makes a file of events of the lines that `actl simulate` writes.

use super::BLOCK_EVENTS;
use super::facts::{DataFacts, HISTORY_EVENTS, HISTORY_EVENTS_SLACK};
use crate::fault::{About, Outcome};
use ledger::event::{Event, json::read_fact};
use ledger::id::Position;
use ledger::secret::PublicKeyring;
use ledger::subject::Subject;
use ledger::time::Timestamp;
use serde_json::Value;
use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufWriter, Write};
use std::path::PathBuf;

/// The most subjects that are kept for the bench of histories.
const HISTORIES_MAX: usize = 4_000;

/// Make a file of events of the event lines on standard input.
///
/// `actl simulate --customers 22000 | bench prepare --events 20000000 DATA`. What is personal is
/// sealed as an import would seal it, because ciphertext is what makes events hard to pack.
#[derive(clap::Args)]
pub struct Prepare {
    /// The file to make.
    data: PathBuf,
    /// How many events it gets at most.
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    events: u64,
}

impl Prepare {
    /// Reads the lines and writes the blocks.
    pub fn run(self) -> Outcome<()> {
        let file = File::create(&self.data).about(&self.data)?;
        let mut writer = Writer {
            file: BufWriter::with_capacity(1 << 20, file),
            block: Vec::new(),
            in_block: 0,
        };
        let mut facts = DataFacts::default();
        let mut census = Census::default();
        let mut keyring = PublicKeyring;
        for line in std::io::stdin().lock().lines() {
            if facts.events == self.events {
                break;
            }
            let value: Value = serde_json::from_str(&line?)?;
            let fact = read_fact(&value, &mut keyring)
                .map_err(|error| format!("{}: {}", error.path.join("."), error.reason))?;
            facts.events += 1;
            let event = Event {
                position: Position(facts.events),
                recorded_at: Timestamp::from_micros(0),
                fact,
            };
            for subject in event.subjects() {
                facts.mentions += 1;
                census.count(&subject);
            }
            let stored = event.encode()?;
            facts.stored_bytes += stored.len() as u64;
            writer.put(&stored).about(&self.data)?;
            if facts.events.is_multiple_of(1_000_000) {
                eprintln!("{} events", facts.events);
            }
        }
        writer.finish().about(&self.data)?;
        facts.subjects = census.counts.len() as u64;
        facts.histories = census.histories();
        facts.write(&self.data)?;
        println!(
            "{} events, {} stored bytes, {} subjects named {} times, {} of them for histories",
            facts.events,
            facts.stored_bytes,
            facts.subjects,
            facts.mentions,
            facts.histories.len()
        );
        Ok(())
    }
}

struct Writer {
    file: BufWriter<File>,
    block: Vec<u8>,
    in_block: u32,
}

impl Writer {
    fn put(&mut self, stored: &[u8]) -> std::io::Result<()> {
        self.block
            .extend_from_slice(&(stored.len() as u32).to_le_bytes());
        self.block.extend_from_slice(stored);
        self.in_block += 1;
        match self.in_block as usize == BLOCK_EVENTS {
            true => self.end_block(),
            false => Ok(()),
        }
    }

    fn end_block(&mut self) -> std::io::Result<()> {
        let packed = lz4_flex::block::compress(&self.block);
        for number in [self.in_block, self.block.len() as u32, packed.len() as u32] {
            self.file.write_all(&number.to_le_bytes())?;
        }
        self.file.write_all(&packed)?;
        self.block.clear();
        self.in_block = 0;
        Ok(())
    }

    fn finish(mut self) -> std::io::Result<()> {
        if self.in_block > 0 {
            self.end_block()?;
        }
        self.file.into_inner()?.sync_all()
    }
}

/// How often each subject is named.
#[derive(Default)]
struct Census {
    counts: HashMap<u64, u32>,
    /// Those that reached [`HISTORY_EVENTS`].
    long: Vec<(u64, String)>,
}

impl Census {
    fn count(&mut self, subject: &Subject) {
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        let hash = hasher.finish();
        let count = self.counts.entry(hash).or_default();
        *count += 1;
        if *count == HISTORY_EVENTS {
            self.long.push((hash, subject.to_string()));
        }
    }

    /// Those that stayed near it, evenly drawn.
    fn histories(&self) -> Vec<String> {
        let most = HISTORY_EVENTS + HISTORY_EVENTS_SLACK;
        let near = |hash| self.counts.get(hash).is_some_and(|count| *count <= most);
        let all: Vec<&String> = (self.long.iter())
            .filter_map(|(hash, subject)| near(hash).then_some(subject))
            .collect();
        let step = all.len().div_ceil(HISTORIES_MAX).max(1);
        all.into_iter().step_by(step).cloned().collect()
    }
}
