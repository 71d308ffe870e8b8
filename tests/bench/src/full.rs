//! Everything in one run: each bench in a process of its own, one table against what must be reached,
//! one line of JSON.

use crate::data::facts::DataFacts;
use crate::fault::{About, Outcome};
use crate::report::{Site, table};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The peers that 64 clients have to be served faster than.
const PEERS: [&str; 4] = ["fjall", "redb", "sqlite", "tephra"];

/// Run every bench and hold the figures against what must be reached.
///
/// Each runs in a process of its own, whose tables go to standard error. DIRECTORY must be empty; the
/// store of all events stays in it. With 20 million events that takes half an hour and 30 GB.
#[derive(clap::Args)]
pub struct Full {
    #[command(flatten)]
    site: Site,
    /// The engine that has to reach it.
    #[arg(long, default_value = "journal")]
    engine: String,
    /// Rounds of seconds, to see that it works: its figures say nothing.
    #[arg(long)]
    quick: bool,
}

/// One line of the table.
struct Row {
    what: &'static str,
    must: String,
    is: String,
    met: bool,
}

impl Full {
    /// Runs the benches in order, prints the table and keeps all results as one.
    pub fn run(self) -> Outcome<()> {
        let data = DataFacts::read(&self.site.data)?;
        fs::create_dir_all(&self.site.directory).about(&self.site.directory)?;
        if fs::read_dir(&self.site.directory)?.next().is_some() {
            return Err(format!("{} is not empty", self.site.directory.display()).into());
        }
        let ours = format!("raw,{}", self.engine);
        let everybody = ["raw", "sled", "journal"].iter().chain(&PEERS).copied();
        let everybody = everybody.collect::<Vec<_>>().join(",");
        let one = self.compare(&["--contenders", &ours, "--writers", "1"])?;
        let many = self.compare(&["--contenders", &everybody, "--writers", "64"])?;
        let bulk = ["--writers", "4", "--batch", "256"];
        let bulk = self.compare(&[&["--contenders", &ours], &bulk[..]].concat())?;
        let engine = ["--engine", self.engine.as_str()];
        let ingest = self.step("ingest", &self.site.directory, &engine)?;
        let replay = self.step("replay", &self.site.directory, &engine)?;
        let history = self.step("history", &self.site.directory, &engine)?;
        let reopen = self.step("reopen", &self.site.directory, &engine)?;

        let mut rows = self.appends(&one, &many, &bulk)?;
        rows.extend(kept(&replay, &reopen, &history, &ingest)?);
        let mut shown = table(&["what", "must", "is", ""]);
        for row in &rows {
            let met = if row.met { "met" } else { "MISSED" };
            shown.add_row([row.what, &row.must, &row.is, met]);
        }
        println!(
            "{} events, {} subjects, engine {}{}",
            data.events,
            data.subjects,
            self.engine,
            if self.quick {
                ", QUICK: figures say nothing"
            } else {
                ""
            }
        );
        println!("{shown}");
        let rows: Vec<Value> = (rows.iter())
            .map(|row| json!({ "what": row.what, "must": row.must, "is": row.is, "met": row.met }))
            .collect();
        let result = json!({
            "quick": self.quick,
            "table": rows,
            "one_client": one,
            "many_clients": many,
            "bulk": bulk,
            "ingest": ingest,
            "replay": replay,
            "history": history,
            "reopen": reopen,
        });
        self.site.keep("full", &data, result)
    }

    /// Runs `compare` in a directory that is removed afterwards.
    fn compare(&self, arguments: &[&str]) -> Outcome<Value> {
        let directory = self.site.directory.join("compare");
        let quick: &[&str] = if self.quick { &["--quick"] } else { &[] };
        let result = self.step("compare", &directory, &[arguments, quick].concat())?;
        fs::remove_dir_all(&directory).about(&directory)?;
        Ok(result)
    }

    /// Runs one bench in a process of its own. Returns its result.
    fn step(&self, name: &str, directory: &Path, arguments: &[&str]) -> Outcome<Value> {
        eprintln!("{name} {}", arguments.join(" "));
        let kept = self.site.directory.join("step.jsonl");
        let status = Command::new(std::env::current_exe()?)
            .arg(name)
            .args([&self.site.data, directory])
            .arg("--results")
            .arg(&kept)
            .args(arguments)
            .stdout(Stdio::from(std::io::stderr()))
            .status()?;
        if !status.success() {
            return Err(format!("{name} failed: {status}").into());
        }
        let text = fs::read_to_string(&kept).about(&kept)?;
        fs::remove_file(&kept).about(&kept)?;
        let mut line: Value = serde_json::from_str(&text).about(&kept)?;
        Ok(line["result"].take())
    }

    /// What appends must reach.
    fn appends(&self, one: &Value, many: &Value, bulk: &Value) -> Outcome<Vec<Row>> {
        let mut rows = Vec::new();
        let singles = [
            ("single appends, 1 client, of raw", one),
            ("single appends, 64 clients, of raw", many),
        ];
        for (what, result) in singles {
            let of_raw = number(contender(result, &self.engine)?, "of_raw")?;
            rows.push(Row {
                what,
                must: "80 %".to_owned(),
                is: percent(of_raw),
                met: of_raw >= 0.80,
            });
        }
        let rate = |result, name| number(contender(result, name)?, "events_per_second");
        let must = (rate(bulk, "raw")? * 0.60).min(250_000.0);
        let is = rate(bulk, &self.engine)?;
        rows.push(Row {
            what: "bulk appends of 256, events/s (250k, or 60 % of raw)",
            must: format!("{must:.0}"),
            is: format!("{is:.0}"),
            met: is >= must,
        });
        let own = rate(many, &self.engine)?;
        let mut ahead = Vec::new();
        for peer in PEERS {
            ahead.push((own / rate(many, peer)?, peer));
        }
        rows.push(Row {
            what: "64 clients, times the rate of each peer",
            must: "1".to_owned(),
            is: (ahead.iter())
                .map(|(times, peer)| format!("{peer} {times:.2}"))
                .collect::<Vec<_>>()
                .join(", "),
            met: ahead.iter().all(|(times, _)| *times > 1.0),
        });
        Ok(rows)
    }
}

/// What a store of all events must reach.
fn kept(replay: &Value, reopen: &Value, history: &Value, ingest: &Value) -> Outcome<Vec<Row>> {
    let of_loop = number(replay, "store_of_loop")?;
    let mut rows = vec![Row {
        what: "replay, of a loop in memory",
        must: "85 %".to_owned(),
        is: percent(of_loop),
        met: of_loop >= 0.85,
    }];
    let mut at_most = |what, most: f64, is: f64, unit: &str| {
        rows.push(Row {
            what,
            must: format!("{most} {unit}"),
            is: format!("{is:.2} {unit}"),
            met: is <= most,
        });
    };
    let replay_peak = number(replay, "peak_memory_bytes")? / 1e6;
    at_most("replay, peak memory", 128.0, replay_peak, "MB");
    let left = &reopen["as_left_seconds"];
    at_most("log readable after a kill", 3.0, number(left, "read")?, "s");
    at_most(
        "appends accepted after a kill",
        10.0,
        number(left, "appended")?,
        "s",
    );
    let none = &reopen["without_index_seconds"];
    at_most("log readable, no index", 3.0, number(none, "read")?, "s");
    at_most(
        "appends accepted, no index",
        10.0,
        number(none, "appended")?,
        "s",
    );
    let present = number(&history["history"], "p99_ms")?;
    at_most("cold history of 50 events, p99", 5.0, present, "ms");
    let absent = number(&history["absent"], "p99_ms")?;
    at_most("cold absent subject, p99", 1.0, absent, "ms");
    let each = number(&ingest["disk"]["together"], "per_event")?;
    let bincode = number(ingest, "bincode_bytes")? / number(ingest, "events")?;
    let most = (bincode * 1.3 + 40.0).floor();
    at_most(
        "disk of all parts an event (1.3 bincode + 40)",
        most,
        each,
        "B",
    );
    let peak = number(ingest, "peak_memory_bytes")? / 1e6;
    at_most("peak memory while ingesting", 400.0, peak, "MB");
    let rebuilt = number(reopen, "rebuilt_events_per_second")?;
    rows.push(Row {
        what: "index built of nothing, events/s",
        must: "250000".to_owned(),
        is: format!("{rebuilt:.0}"),
        met: rebuilt >= 250_000.0,
    });
    Ok(rows)
}

fn contender<'v>(result: &'v Value, name: &str) -> Outcome<&'v Value> {
    let all = result["contenders"].as_array();
    let found = all.and_then(|all| all.iter().find(|one| one["name"] == name));
    found.ok_or_else(|| format!("no figures of {name}").into())
}

fn number(value: &Value, name: &str) -> Outcome<f64> {
    let number = value.get(name).and_then(Value::as_f64);
    number.ok_or_else(|| format!("no figure {name}").into())
}

fn percent(ratio: f64) -> String {
    format!("{:.1} %", ratio * 100.0)
}
