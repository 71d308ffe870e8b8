use super::audit_failure;
use super::report::ReportArgs;
use super::walk::{self, Walked};
use crate::error::{Failure, Outcome};
use crate::format::Format;
use crate::format::audit::Origins;
use crate::histories;
use crate::import::input::Input;
use crate::import::passes::{BATCH_EVENTS, stopped};
use crate::import::{Given, Importer, Record, Refusal, jsonl::Jsonl, source};
use crate::keyring::PepperOnly;
use crate::place::{append_failure, store_failure};
use crate::privacy::shown_path;
use crate::progress::Progress;
use crate::reveal::Labels;
use crate::session::Session;
use ledger::event::Fact;
use ledger::secret::{Keyring, PublicKeyring};
use ledger::store::{Known, Store};
use ledger::time::{Clock, FixedClock, Timestamp};
use replay::audit::audit_log;
use std::path::PathBuf;

/// Replay histories from nothing and judge every landing.
///
/// With paths (event files, folders of them, or - for standard input) the events are replayed into a
/// fresh ledger in memory, with the public pepper, and are looked at from the latest of them. Without
/// a path the store is replayed, and looked at from now. Exit code 1 if any finding is shown.
#[derive(Debug, clap::Args)]
pub struct Replay {
    /// Event files in the JSON form, one event a line; or folders of them.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    report: ReportArgs,

    /// Walk through the history of one subject instead, KIND:ID: each event, what it changed in the
    /// views, which rules woke, and why the others did not.
    #[arg(long, value_name = "SUBJECT", requires = "step")]
    subject: Option<String>,

    /// Walk up to this event, by its id. Default: to the end.
    #[arg(long, value_name = "EVENT", requires = "subject")]
    until: Option<String>,

    /// Show every step of the walk.
    #[arg(long, requires = "subject")]
    step: bool,
}

impl Replay {
    /// Whether it makes a report, and not a walk.
    pub fn is_report(&self) -> bool {
        self.subject.is_none()
    }

    /// Replays and judges.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let selection = self.report.select.selection()?;
        let of_files = !self.paths.is_empty();
        let (store, origins, latest) = match self.paths.as_slice() {
            [] => {
                let is_log_enough = self.is_report() && !self.report.reveal.is_asked();
                let store = match is_log_enough {
                    true => session.place.open_log()?,
                    false => session.place.open_store()?,
                };
                (store, Origins::new(), None)
            }
            paths => {
                self.report
                    .reveal
                    .refuse("files that are replayed are kept nowhere, and nothing is sealed")?;
                replayed(paths)?
            }
        };
        let default = latest.unwrap_or_else(histories::now);
        let point = self.report.point.point_of(&store, default)?;
        if let Some(subject) = &self.subject {
            let until = self.until.as_deref();
            let walked = Walked::named(session, subject, until, of_files)?;
            let steps = match of_files {
                true => walked.through(&histories::gather(&store)?.at(point)),
                false => walked.through_store(&store, point)?,
            };
            return walk::show(session, &origins, &walked, steps);
        }
        let found = audit_log(&store, point).map_err(|error| audit_failure(&error))?;
        if !of_files {
            return self
                .report
                .show(session, found, &selection, &origins, store, "audit replay");
        }
        let found = found.selected(&selection);
        let dress = |text: String| {
            let pepper = PublicKeyring.pepper().id();
            text.replacen('\n', &format!("\npublic pepper {pepper} · "), 1)
        };
        let outcome = self
            .report
            .print(session, &found, &origins, &Labels::default(), &dress)?;
        let open = found.findings.iter().any(|finding| finding.is_open());
        if open && session.report.is_none() && session.format == Format::Table {
            let files = self.paths.iter().map(|path| shown_path(path));
            let files = files.collect::<Vec<_>>().join(" ");
            session.out.text(&format!(
                "\nTo act on a finding, import the history into a store first: actl import {files}"
            ))?;
        }
        Ok(outcome)
    }
}

/// Replays files into a fresh ledger in memory, and notes where each event came from and what is the
/// latest instant of any. One pass is enough: what cannot be read to its end is thrown away with the
/// ledger. No plaintext is kept.
fn replayed(paths: &[PathBuf]) -> Result<(Store, Origins, Option<Timestamp>), Failure> {
    let sources = source::find(paths, &Jsonl, &mut std::io::stdin().lock())?;
    let total = sources.iter().map(|source| source.length_bytes).sum();
    let mut progress = Progress::new("reading", total);
    let clock: Box<dyn Clock> = Box::new(FixedClock(Timestamp::from_micros(0)));
    let store = Store::in_memory(clock)
        .map_err(|error| store_failure("cannot make a ledger in memory", &error))?;
    let mut origins = Origins::new();
    let mut latest = None;
    let mut batch = Vec::with_capacity(BATCH_EVENTS);
    let mut keyring = PepperOnly(PublicKeyring.pepper());
    for source in &sources {
        let mut input = source.open()?;
        let mut sink = |record: Result<Record, Refusal>, input: &Input| {
            progress.to(input.consumed_bytes());
            let record = record.map_err(|refusal| stopped("replay", &source.shown, &refusal))?;
            let place = || format!("{}:{}", source.shown, record.line);
            origins.entry(record.fact.id).or_insert_with(place);
            latest = latest.max(Some(record.fact.occurred_at.last()));
            batch.push(record.fact);
            match batch.len() < BATCH_EVENTS {
                true => Ok(()),
                false => append(&store, std::mem::take(&mut batch)),
            }
        };
        Jsonl.read(&mut input, &Given::default(), &mut keyring, &mut sink)?;
        progress.file_done(input.consumed_bytes());
    }
    if !batch.is_empty() {
        append(&store, batch)?;
    }
    Ok((store, shortened(origins), latest))
}

fn append(store: &Store, facts: Vec<Fact>) -> Result<(), Failure> {
    let appended = store.append(facts, &[], Known::Skip);
    appended
        .map(|_| ())
        .map_err(|error| append_failure("cannot replay the events", &error))
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
