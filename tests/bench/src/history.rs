//! Looking up one subject, cold: its history, and that there is none.

use crate::cold::Files;
use crate::contender::open_store;
use crate::data::facts::DataFacts;
use crate::fault::Outcome;
use crate::report::{Site, part_of, table};
use ledger::id::Position;
use ledger::subject::{Subject, SubjectKind};
use serde_json::{Value, json};
use std::time::Instant;

/// Look up subjects in a store that `ingest` made.
///
/// Each look-up is of another subject, and before each the kernel's cache of the store's files is
/// dropped. What the store itself holds in memory stays, as in any process that has it open.
#[derive(clap::Args)]
pub struct History {
    #[command(flatten)]
    site: Site,
    /// The engine.
    #[arg(long, default_value = "journal")]
    engine: String,
    /// How many subjects are looked up in each way.
    #[arg(long, default_value_t = 500)]
    subjects: usize,
}

impl History {
    /// Prints how long look-ups take.
    pub fn run(self) -> Outcome<()> {
        let data = DataFacts::read(&self.site.data)?;
        let path = self.site.directory.join(&self.engine);
        let all = &data.histories;
        let step = (all.len() / self.subjects.max(1)).max(1);
        let names: Vec<&String> = all.iter().step_by(step).take(self.subjects).collect();
        let files = Files::under(&path)?;
        files.drop_cache()?;
        let store = open_store(&self.engine, &path)?;
        let mut present = Vec::new();
        let mut events = 0;
        for name in &names {
            let subject = Subject::parse(name).ok_or_else(|| format!("{name} is no subject"))?;
            files.drop_cache()?;
            let start = Instant::now();
            let mut found = 0;
            for event in store.history(&subject, Position(0)) {
                event?;
                found += 1;
            }
            present.push(start.elapsed().as_secs_f64() * 1e3);
            if found == 0 {
                return Err(format!("{name} has no history").into());
            }
            events += found;
        }
        let mut absent = Vec::new();
        for number in 0..self.subjects {
            let subject = Subject::new(SubjectKind::Session, format_args!("none-{number}"));
            files.drop_cache()?;
            let start = Instant::now();
            let found = store.revision(&subject)?;
            absent.push(start.elapsed().as_secs_f64() * 1e3);
            if found.0 != 0 {
                return Err(format!("{subject} is there").into());
            }
        }
        store.close()?;
        println!(
            "{} histories of {:.1} events on average, {} absent subjects, in a store of {} events",
            present.len(),
            events as f64 / present.len().max(1) as f64,
            absent.len(),
            data.events
        );
        let mut shown = table(&["look-up, ms", "p50", "p99", "worst"]);
        let mut row = |name: &str, waits: &mut Vec<f64>| -> Value {
            waits.sort_by(f64::total_cmp);
            let parts = [0.50, 0.99, 1.0].map(|part| part_of(waits, part));
            let text = parts.map(|part| format!("{part:.3}"));
            shown.add_row([name].into_iter().chain(text.iter().map(String::as_str)));
            json!({ "p50_ms": parts[0], "p99_ms": parts[1], "worst_ms": parts[2] })
        };
        let result = json!({
            "engine": self.engine,
            "histories": names.len(),
            "events_per_history": events as f64 / names.len().max(1) as f64,
            "history": row("history", &mut present),
            "absent": row("absent", &mut absent),
        });
        println!("{shown}");
        self.site.keep("history", &data, result)
    }
}
