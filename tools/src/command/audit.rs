use crate::error::{Failure, Outcome};
use crate::format::Format;
use crate::format::audit::{self as report, Origins};
use crate::histories::{self, PointArgs};
use crate::import::passes::{BATCH_EVENTS, Job, deliver, survey};
use crate::import::{Given, jsonl::Jsonl, source};
use crate::place::{append_failure, store_failure};
use crate::privacy::shown_path;
use crate::progress::Progress;
use crate::session::Session;
use ledger::event::Fact;
use ledger::secret::{Keyring, PublicKeyring};
use ledger::store::{Known, Store};
use ledger::time::{Clock, FixedClock, Timestamp};
use projections::Histories;
use replay::audit::audit;
use std::path::PathBuf;

/// Find wrong-tenant redemptions, with evidence.
#[derive(Debug, clap::Args)]
pub struct Audit {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, clap::Subcommand)]
enum AuditCommand {
    Replay(Replay),
}

/// Replay histories from nothing and judge every landing.
///
/// With paths (event files, folders of them, or - for standard input) the events are replayed into a
/// fresh ledger in memory, with the public pepper, and are looked at from the latest of them. Without
/// a path the store is replayed, and looked at from now. Exit code 1 if there are findings.
#[derive(Debug, clap::Args)]
struct Replay {
    /// Event files in the JSON form, one event a line; or folders of them.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    point: PointArgs,

    /// Show a line for everything that is clean, however much it is.
    #[arg(long)]
    all: bool,
}

impl Audit {
    /// Replays and judges.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self.command {
            AuditCommand::Replay(replay) => replay.run(session),
        }
    }
}

impl Replay {
    fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let (histories, origins) = match self.paths.as_slice() {
            [] => (
                histories::gather(&session.place.open_store()?)?,
                Origins::new(),
            ),
            paths => replayed(paths)?,
        };
        let of_files = !self.paths.is_empty();
        let latest = histories.latest_occurred();
        let default = match (of_files, latest) {
            (true, Some(latest)) => latest,
            _ => histories::now(),
        };
        let point = self.point.point(&histories, default)?;
        let found = audit(&histories.at(point));
        match session.format {
            Format::Table => {
                let is_latest = of_files && self.point.valid_at.is_none();
                let width = crate::output::width();
                let mut text = report::text(&found, &origins, is_latest, self.all, width);
                if of_files {
                    let pepper = PublicKeyring.pepper().id();
                    text = text.replacen('\n', &format!("\npublic pepper {pepper} · "), 1);
                }
                session.out.text(&text)?;
                let open = found.findings.iter().any(|finding| finding.is_open());
                if of_files && open {
                    let files = self.paths.iter().map(|path| shown_path(path));
                    let files = files.collect::<Vec<_>>().join(" ");
                    session.out.text(&format!("\nTo act on a finding, import the history into a store first: actl import {files}"))?;
                }
            }
            Format::Json => session.out.json(&report::json(&found, &origins))?,
            Format::Jsonl => {
                for finding in &found.findings {
                    session.out.json_line(&report::finding(finding, &origins))?;
                }
            }
        }
        Ok(match found.findings.is_empty() {
            true => Outcome::Clean,
            false => Outcome::Findings,
        })
    }
}

/// Replays files into a fresh ledger in memory, and notes where each event came from.
fn replayed(paths: &[PathBuf]) -> Result<(Histories, Origins), Failure> {
    let sources = source::find(paths, &Jsonl, &mut std::io::stdin().lock())?;
    let given = Given::default();
    let job = Job {
        sources: &sources,
        importer: &Jsonl,
        given: &given,
    };
    let total = sources
        .iter()
        .map(|source| source.length_bytes)
        .sum::<u64>();
    let mut progress = Progress::new("reading", total * 2);
    let pepper = PublicKeyring.pepper();
    let survey = survey(&job, pepper, false, &mut progress)?;
    let origins = origins(&job)?;
    let clock: Box<dyn Clock> = Box::new(FixedClock(Timestamp::from_micros(0)));
    let store = Store::in_memory(clock)
        .map_err(|error| store_failure("cannot make a ledger in memory", &error))?;
    let mut append = |facts: Vec<Fact>| {
        debug_assert!(facts.len() <= BATCH_EVENTS);
        let appended = store.append(facts, &[], Known::Skip);
        appended
            .map(|_| ())
            .map_err(|error| append_failure("cannot replay the events", &error))
    };
    deliver(
        &job,
        &survey,
        &mut PublicKeyring,
        &mut progress,
        &mut append,
    )?;
    let histories = histories::gather(&store)?;
    Ok((histories, shortened(origins)))
}

/// The file and line of every event; of one that stands in several places, the first.
fn origins(job: &Job<'_>) -> Result<Origins, Failure> {
    let mut origins = Origins::new();
    for source in job.sources {
        let mut input = source.open()?;
        let shown = &source.shown;
        job.importer.read(
            &mut input,
            job.given,
            &mut PublicKeyring,
            &mut |record, _| {
                if let Ok(record) = record {
                    let place = format!("{shown}:{}", record.line);
                    origins.entry(record.fact.id).or_insert(place);
                }
                Ok(())
            },
        )?;
    }
    Ok(origins)
}

/// The places without the folders that all of them share: what is left is the same on every machine.
fn shortened(origins: Origins) -> Origins {
    let folder = |place: &str| place.rfind('/').map_or(0, |end| end + 1);
    let mut shared: Option<String> = None;
    for place in origins.values() {
        let own = place.get(..folder(place)).unwrap_or_default();
        let with_others = match &shared {
            None => own.to_owned(),
            Some(others) => common_folders(others, own),
        };
        shared = Some(with_others);
    }
    let cut = shared.unwrap_or_default().len();
    let short = |place: String| place.get(cut..).unwrap_or(&place).to_owned();
    origins
        .into_iter()
        .map(|(event, place)| (event, short(place)))
        .collect()
}

/// The longest run of whole folders that two paths begin with.
fn common_folders(one: &str, other: &str) -> String {
    let pairs = one.split_inclusive('/').zip(other.split_inclusive('/'));
    pairs
        .take_while(|(a, b)| a == b)
        .map(|(folder, _)| folder)
        .collect()
}
