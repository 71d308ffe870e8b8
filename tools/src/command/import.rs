use crate::clock::SystemClock;
use crate::error::{Failure, Outcome};
use crate::format::{Format, table};
use crate::import::passes::{BATCH_EVENTS, Job, LeftOut, Survey, deliver, survey};
use crate::import::source::Source;
use crate::import::{Given, Importer, named, source};
use crate::output::note;
use crate::place::{Open, append_failure};
use crate::progress::Progress;
use crate::session::Session;
use ledger::event::json::read_fact;
use ledger::id::{Position, clear_text};
use ledger::secret::Keyring;
use ledger::store::Known;
use ledger::time::{Clock, Occurred};
use serde_json::{Value, json};
use std::path::PathBuf;

/// How many files one event records: keeps it far below the largest event.
const FILES_RECORDED_MAX: usize = 2048;

const NAME_NOT_KEPT: &str = "(name not kept)";

/// Take event files, or other sources, into the ledger.
///
/// Every source is read twice: first all of it is checked, then it is appended. A record that cannot
/// be read stops the import before anything is appended. Importing the same again changes nothing.
/// Makes the store and its vault if there are none.
///
/// Importers: `jsonl`, the ledger's own form, one event a line (`actl schema events`); `ospp`, the
/// output of `cscript ospp.vbs /dstatus`, whose files are named MACHINE_USER_2024-03-11T0942Z.txt
/// unless --machine, --user and --observed-at say what the report does not.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// Files, folders of files, or `-` for standard input.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The importer.
    #[arg(long, value_name = "IMPORTER", default_value = "jsonl")]
    from: String,

    /// Leave out what cannot be read, list it, and exit with 2.
    #[arg(long)]
    keep_going: bool,

    /// ospp: the machine that the report is about.
    #[arg(long, value_name = "NAME")]
    machine: Option<String>,

    /// ospp: the address of the user who was signed in.
    #[arg(long, value_name = "ADDRESS")]
    user: Option<String>,

    /// ospp: when the report was made, for example 2024-03-11T09:42Z.
    #[arg(long, value_name = "TIME")]
    observed_at: Option<String>,
}

/// What an import has done.
#[derive(Default)]
struct Counts {
    appended: usize,
    known: usize,
}

impl Import {
    /// Imports them.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let importer = named(&self.from)?;
        let given = self.given(importer)?;
        let sources = source::find(&self.paths, importer, &mut std::io::stdin().lock())?;
        if given.machine.is_some() && sources.len() > 1 {
            return Err(Failure::new(
                "cannot import several files for one machine",
                format!(
                    "--machine names one machine, and there are {} files",
                    sources.len()
                ),
                "import them one by one, or let the files' names say whose they are",
            ));
        }
        let job = Job {
            sources: &sources,
            importer,
            given: &given,
        };
        let total: u64 = sources.iter().map(|source| source.length_bytes).sum();
        let prepared = session.place.prepare()?;
        let pepper = prepared.vault().pepper();
        let mut progress = Progress::new("checking", total);
        let survey = survey(&job, pepper, self.keep_going, &mut progress)?;
        drop(progress);
        list_left_out(&survey);
        let mut open = session.place.make(prepared)?;
        open.vault.make_keys(survey.owners.iter().copied());
        open.vault.save()?;
        let mut progress = Progress::new("importing", total);
        let mut counts = Counts::default();
        let Open { store, vault } = &mut open;
        deliver(&job, &survey, vault, &mut progress, &mut |facts| {
            debug_assert!(facts.len() <= BATCH_EVENTS);
            let receipt = store
                .append(facts, &[], Known::Skip)
                .map_err(|error| append_failure("cannot import the next events", &error))?;
            counts.appended += receipt.appended;
            counts.known += receipt.known;
            Ok(())
        })?;
        drop(progress);
        if counts.appended > 0 {
            record_import(&mut open, &job, &survey, &counts)?;
        }
        session.place.apply_erasures(&open.store, &mut open.vault)?;
        let end = open.store.end();
        session.place.close(open.store)?;
        write(session, end, &job, &survey, &counts)?;
        match survey.refused {
            0 => Ok(Outcome::Clean),
            _ => Ok(Outcome::Incomplete),
        }
    }

    fn given(&self, importer: &dyn Importer) -> Result<Given, Failure> {
        let parse = |text: &String| {
            Occurred::parse(text.trim()).ok_or_else(|| {
                let hint = "write it as 2024-03-11T09:42:00Z, 2024-03-11T09:42Z or 2024-03-11";
                Failure::new("cannot read --observed-at", "it is no time", hint)
            })
        };
        let given = Given {
            machine: self.machine.clone(),
            user: self.user.clone(),
            observed_at: self.observed_at.as_ref().map(parse).transpose()?,
        };
        if given.is_empty() || importer.info().takes_given {
            return Ok(given);
        }
        Err(Failure::new(
            format!("cannot import {} with these options", importer.info().name),
            "--machine, --user and --observed-at are for sources that do not say so themselves",
            "leave them out, or choose the importer with --from",
        ))
    }
}

fn list_left_out(survey: &Survey) {
    for LeftOut { shown, refusal } in &survey.left_out {
        let place = refusal.place();
        note(&format!(
            "left out: {shown}{place}: {} ({})",
            refusal.reason, refusal.hint
        ));
    }
    let listed = survey.left_out.len() as u64;
    if survey.refused > listed {
        note(&format!("left out: {} more", survey.refused - listed));
    }
}

/// Records which files were taken in: one event, or several if there are many files, the first of
/// which has the counts. A file's name is kept only where it cannot hold a secret.
fn record_import(
    open: &mut Open,
    job: &Job<'_>,
    survey: &Survey,
    counts: &Counts,
) -> Result<(), Failure> {
    let names = job
        .sources
        .iter()
        .map(|source| name_to_keep(source, job.importer));
    let digests = survey
        .digests
        .iter()
        .map(|digest| digest.to_hex().to_string());
    let files = names
        .zip(digests)
        .map(|(name, digest)| json!({ "name": name, "digest": digest }));
    let files: Vec<Value> = files.collect();
    let read = survey.readable + survey.refused;
    let now = SystemClock.now().to_string();
    let mut facts = Vec::new();
    for (index, files) in files.chunks(FILES_RECORDED_MAX).enumerate() {
        let once = |count: u64| if index == 0 { count } else { 0 };
        let event = json!({
            "kind": "ImportRecorded",
            "occurred_at": now,
            "source": { "system": "actl" },
            "data": {
                "files": files,
                "read": once(read),
                "appended": once(counts.appended as u64),
                "known": once(counts.known as u64),
                "refused": once(survey.refused),
                "importer": job.importer.info().name,
            },
        });
        let fact = read_fact(&event, &mut open.vault).map_err(|error| {
            let why = format!("{} {}", error.path.join("."), error.reason);
            let hint = "the events are stored; only the record of their import is missing";
            Failure::new("cannot record the import", why, hint)
        })?;
        facts.push(fact);
    }
    let appended = open.store.append(facts, &[], Known::Skip);
    appended.map_err(|error| append_failure("cannot record the import", &error))?;
    Ok(())
}

fn name_to_keep<'s>(source: &'s Source, importer: &dyn Importer) -> &'s str {
    let name = source
        .path
        .as_deref()
        .and_then(|path| path.file_name()?.to_str());
    let clear = |name: &&str| importer.names_are_clear() && clear_text(name).is_ok();
    name.filter(clear).unwrap_or(NAME_NOT_KEPT)
}

fn write(
    session: &mut Session,
    end: Position,
    job: &Job<'_>,
    survey: &Survey,
    counts: &Counts,
) -> Result<(), Failure> {
    let read = survey.readable + survey.refused;
    let left_out = survey.left_out.iter().map(|LeftOut { shown, refusal }| {
        json!({
            "file": shown,
            "line": refusal.line,
            "column": refusal.column,
            "reason": refusal.reason,
            "hint": refusal.hint,
        })
    });
    let value = json!({
        "schema": "actl.import/1",
        "importer": job.importer.info().name,
        "files": job.sources.len(),
        "read": read,
        "appended": counts.appended,
        "known": counts.known,
        "refused": survey.refused,
        "left_out": left_out.collect::<Vec<_>>(),
        "position": end.0,
    });
    match session.format {
        Format::Table => session.out.text(&table::pairs(&[
            ("files", job.sources.len().to_string()),
            ("read", read.to_string()),
            ("appended", counts.appended.to_string()),
            ("known already", counts.known.to_string()),
            ("left out", survey.refused.to_string()),
            ("last position", end.to_string()),
        ])),
        Format::Json => session.out.json(&value),
        Format::Jsonl => session.out.json_line(&value),
    }
}
